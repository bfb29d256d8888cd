#!/usr/bin/python3
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
# usage: outbox.py DATABASE complete APPLICATION_ID [SEEK_TOKEN]   what the ATS does when a candidate is done
#        outbox.py DATABASE post                                   what a job does every few seconds
# Python 3.6 or later.
import json, os, sqlite3, sys, urllib.error, urllib.request

SCHEMA = """
CREATE TABLE IF NOT EXISTS application (id TEXT PRIMARY KEY, completed_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS seek_outbox (
    n INTEGER PRIMARY KEY AUTOINCREMENT, application_id TEXT NOT NULL, seek_token TEXT NOT NULL, completed_at TEXT NOT NULL,
    refused TEXT);
"""
NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"


def complete(db, application_id, seek_token):
    """The application and its event are committed together, or neither is."""
    if seek_token:  # what a candidate has put into the link must not lose the application
        seek_token = seek_token.encode(errors="replace").decode()
    with db:
        db.execute(f"INSERT OR REPLACE INTO application VALUES (?, {NOW})", (application_id,))  # perhaps once more
        if seek_token:  # without one the candidate did not come from SEEK
            db.execute(f"INSERT INTO seek_outbox (application_id, seek_token, completed_at) VALUES (?, ?, {NOW})",
                       (application_id, seek_token))


def post(events):
    """The result of each event, in order. Raises when the whole request has to be repeated later."""
    headers = {"Content-Type": "application/x-ndjson"}  # each line is judged alone, even one that is not JSON
    if "SEEK_SIGNAL_API_KEY" in os.environ:
        headers["Authorization"] = "Bearer " + os.environ["SEEK_SIGNAL_API_KEY"]
    url = os.environ.get("SEEK_SIGNAL", "http://127.0.0.1:8787") + "/v1/events"
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a sidecar is not reached through a proxy
    try:
        with direct.open(urllib.request.Request(url, "\n".join(map(json.dumps, events)).encode(), headers), timeout=10) as answer:
            return json.load(answer)["results"]
    except urllib.error.HTTPError as error:
        text = error.read().decode(errors="replace")
        if error.code == 422 and '"results":' in text:  # no event of the batch was taken
            return json.loads(text)["results"]
        raise RuntimeError(f"{error.code}: {text}")


def post_waiting(db, at_once=100):
    """Posts what waits, oldest first, until nothing is left that can be posted now."""
    last, held = 0, set()  # applications with an event that stays: their newer seek-tokens have to arrive after it
    while True:
        rows = db.execute("SELECT n, application_id, seek_token, completed_at FROM seek_outbox "
                          "WHERE refused IS NULL AND n > ? ORDER BY n LIMIT ?", (last, at_once)).fetchall()
        if not rows:
            return
        last = rows[-1][0]
        rows = [row for row in rows if row[1] not in held]
        events = [{"applicationId": i, "token": t, "completedAt": c} for _, i, t, c in rows]
        with db:
            for (n, application_id, *_), result in zip(rows, post(events) if events else []):
                if result["status"] < 300:
                    db.execute("DELETE FROM seek_outbox WHERE n = ?", (n,))
                elif not result["retryable"]:  # somebody has to look at it: it never leaves by itself
                    db.execute("UPDATE seek_outbox SET refused = ? WHERE n = ?", (result["detail"], n))
                else:
                    held.add(application_id)


if __name__ == "__main__":
    database = sqlite3.connect(sys.argv[1])
    database.text_factory = lambda text: text.decode(errors="surrogateescape")  # not UTF-8: it is refused alone
    database.executescript(SCHEMA)
    if sys.argv[2] == "complete":
        complete(database, sys.argv[3], sys.argv[4] if len(sys.argv) > 4 else None)
    else:
        post_waiting(database)
