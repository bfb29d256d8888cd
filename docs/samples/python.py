#!/usr/bin/python3
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
# usage: python.py APPLICATION_ID SEEK_TOKEN      with SEEK_SIGNAL_API_KEY where the service asks for one
# Python 3.6 or later.
import http.client, json, os, sys, time, urllib.request


class Answers(urllib.request.HTTPErrorProcessor):
    """Every status is an answer. It is judged below."""
    http_response = https_response = lambda self, request, answer: answer


direct = urllib.request.build_opener(urllib.request.ProxyHandler({}), Answers)  # whatever http_proxy says


def application_completed(application_id, seek_token, tries=8):
    """Call it after the application is committed. Posting the same pair again does no harm."""
    headers = {"Content-Type": "application/json"}
    if "SEEK_SIGNAL_API_KEY" in os.environ:
        headers["Authorization"] = "Bearer " + os.environ["SEEK_SIGNAL_API_KEY"]
    request = urllib.request.Request(
        os.environ.get("SEEK_SIGNAL", "http://127.0.0.1:8787") + "/v1/events",
        json.dumps({"applicationId": application_id, "token": seek_token}).encode(),
        headers)
    for n in range(tries):
        wait = 2 ** n / 4
        try:
            with direct.open(request, timeout=10) as answer:
                status, text = answer.status, answer.read().decode(errors="replace")
            if status < 300 and '"eventId":' in text:
                return json.loads(text)
            if '"code":"token_missing"' in text:
                return None  # not from SEEK: there is nothing to send
            failure = RuntimeError(f"{status}: {text}")
            if 300 <= status < 500 and status not in (408, 429):
                raise failure  # final. A 2xx without eventId is a page of a proxy
            asked = answer.headers.get("Retry-After", "")
            wait = max(wait, int(asked) if asked.isdigit() else 0)
        except (OSError, http.client.HTTPException, ValueError) as error:  # refused, cut, timed out, not the service's JSON
            failure = error
        if n + 1 < tries:
            time.sleep(wait)
    raise failure


if __name__ == "__main__":
    print(application_completed(sys.argv[1], sys.argv[2]))
