# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""What an operator does: look at what is due or dead, send it again, forget it, pause and resume; over HTTP and by command."""
import base64
import csv
import hashlib
import io
import json
import os
import pty
import re
import subprocess
import time
from urllib.parse import parse_qsl, quote, urlencode

import pytest
import yaml

from stand import SERVICE, call, event, eventually

DEAD, DUE, PAUSED = "seek-signal:{0}:dead", "seek-signal:{0}:due", "seek-signal:{0}:paused"


def refuse(service, sandbox, *ids, kind="forbidden"):
    """Each of them dies, one after the other."""
    for application_id in ids:
        sandbox.fault(on="graphql", kind=kind, count=1)
        service.must_post(event(application_id, f"token-{application_id.split()[0]}"))
        service.must_become(quote(application_id, safe=""), "dead")


def bury(redis, count, code="FORBIDDEN", died_at_ms=lambda number: 1_700_000_000_000 + number, prefix="D"):
    """A large dead set, put there as the scripts would have."""
    lines = []
    for number in range(count):
        died = died_at_ms(number)
        lines.append(f"HSET seek-signal:{{0}}:app:{prefix}-{number:05} state dead token t-{prefix}-{number} gen 1 event "
                     f"1d3a9a54-2f0e-4c1b-9d7e-8a5100000000 accepted {died} completed {died} attempts 1 tried {died} "
                     f"died {died} class refused code {code} message no http 200")
        lines.append(f"ZADD {DEAD} {died} {prefix}-{number:05}")
    subprocess.run(["redis-cli", "-s", str(redis.socket), "--pipe"], input="\r\n".join(lines) + "\r\n", text=True,
                   check=True, capture_output=True, timeout=60)


def pages(service, query):
    """Every page of a listing."""
    cursor = ""
    while cursor is not None:
        answer = service.get(f"/v1/applications?{query}" + (f"&cursor={cursor}" if cursor else ""))
        assert answer.status == 200, answer
        yield answer.json["applications"]
        cursor = answer.json["cursor"]


def ids(service, query):
    return [item["applicationId"] for page in pages(service, query) for item in page]


def must_replay(service, **members):
    answer = service.post("/v1/replay", {"state": "dead", **members})
    assert answer.status == 202, answer
    return answer.json


# --- listing ---

def it_lists_the_dead_in_the_order_of_their_death(service, sandbox):
    refuse(service, sandbox, "A-1", "A/2 ü", "A-3")
    (page,) = pages(service, "state=dead")
    assert [item["applicationId"] for item in page] == ["A-1", "A/2 ü", "A-3"]
    assert page[0] == service.application("A-1")
    assert "token-" not in json.dumps(page)
    assert ids(service, "state=dead&limit=1") == ["A-1", "A/2 ü", "A-3"]


def it_filters_by_code(service, sandbox):
    refuse(service, sandbox, "A-1", "A-2")
    refuse(service, sandbox, "B-1", kind="bad-user-input")
    assert ids(service, "state=dead&code=BAD_USER_INPUT") == ["B-1"]
    assert ids(service, "state=dead&code=FORBIDDEN&limit=1") == ["A-1", "A-2"]
    assert ids(service, "state=dead&code=OTHER") == []


def it_lists_what_waits_and_what_is_being_sent(service, sandbox):
    service.must_post(event("B-0"))
    service.must_become("B-0", "delivered")
    sandbox.fault(on="graphql", kind="hang", count=1)
    service.must_post(event("A-1"))
    service.must_become("A-1", "sending")
    assert service.post("/v1/pause", {}).status == 204
    service.must_post(event("A-2"))
    assert ids(service, "state=sending") == ["A-1"]
    assert ids(service, "state=pending") == ["A-2"]
    assert ids(service, "state=due") == ["A-2", "A-1"]  # a lease ends later
    sandbox.clear_faults()
    assert ids(service, "state=dead") == []


def it_finds_each_of_many_that_died_at_once(service, redis):
    bury(redis, 700, died_at_ms=lambda number: 1_700_000_000_000)
    assert ids(service, "state=dead&limit=200") == [f"D-{number:05}" for number in range(700)]
    assert len(ids(service, "state=dead&limit=7")) == 700


def it_lists_the_latest_first_when_asked(service, redis):
    bury(redis, 30, prefix="E")
    bury(redis, 60, died_at_ms=lambda number: 1_700_000_000_000)  # many at once
    earliest_first = ids(service, "state=dead&limit=200")
    assert len(earliest_first) == 90
    for limit in (7, 60, 200):
        assert ids(service, f"state=dead&order=desc&limit={limit}") == earliest_first[::-1]
    assert ids(service, "state=dead&order=asc&limit=200") == earliest_first
    newest = service.get("/v1/applications?state=dead&order=desc&limit=1").json
    service.call("DELETE", f"/v1/applications/{newest['applications'][0]['applicationId']}")
    bury(redis, 1, prefix="F", died_at_ms=lambda _: 1_900_000_000_000)
    rest = ids(service, f"state=dead&order=desc&limit=200&cursor={newest['cursor']}")
    assert rest == earliest_first[-2::-1]  # neither skipped nor met twice, though the place has gone and there is a later one


def it_filters_by_the_beginning_of_the_id(service, redis):
    bury(redis, 5)
    bury(redis, 3, prefix="D-0000")  # ids that begin with those
    assert ids(service, "state=dead&prefix=D-00003") == ["D-00003"]
    assert len(ids(service, "state=dead&prefix=D-0000&limit=2&order=desc")) == 8
    assert ids(service, "state=dead&prefix=nobody") == [] and ids(service, "state=dead&prefix=d-") == []
    assert len(ids(service, "state=dead&prefix=%25")) == 0 and len(ids(service, "state=dead&prefix=")) == 8


def it_pages_on_while_the_dead_come_and_go(service, redis):
    bury(redis, 30)
    first = service.get("/v1/applications?state=dead&limit=10").json
    for gone in ("D-00009", "D-00003", "D-00015"):
        service.call("DELETE", f"/v1/applications/{gone}")
    rest = ids(service, f"state=dead&limit=100&cursor={first['cursor']}")
    assert rest == [f"D-{number:05}" for number in range(10, 30) if number != 15]


def it_looks_at_a_bounded_number_per_page(service, redis):
    bury(redis, 2500)
    bury(redis, 1, code="LAST", prefix="E", died_at_ms=lambda _: 1_800_000_000_000)
    found = [[item["applicationId"] for item in page] for page in pages(service, "state=dead&code=LAST")]
    assert found == [[], [], ["E-00000"]]


@pytest.mark.parametrize("query, field", [
    ("", "state"), ("state=draft", "state"), ("state=delivered", "state"), ("state=", "state"), ("state=dead&limit=0", "limit"),
    ("state=dead&limit=201", "limit"), ("state=dead&limit=ten", "limit"), ("state=dead&limit=1x", "limit"),
    ("state=dead&order=newest", "order"), ("state=dead&order=", "order"), ("state=dead&cursor=nonsense", "cursor"),
    ("state=dead&since=yesterday", "since"), ("state=due&until=2", "until"), ("state=dead&cursor=MTIz", "cursor")])
def it_names_what_is_wrong_with_a_listing(query, field, service):
    answer = service.get(f"/v1/applications?{query}")
    assert answer.status == 400 and answer.json["code"] == "query_invalid" and answer.json["field"] == field
    if field == "state":
        assert all(state in answer.json["remedy"] for state in ("pending", "sending", "due", "dead"))


@pytest.mark.parametrize("query, found", [
    ("since=2023-11-14T22:13:22Z", [2, 3, 4]), ("until=2023-11-14T22:13:22Z", [0, 1]), ("since=2023-11-14T22:13:21Z&until=2023-11-14T22:13:23Z", [1, 2]),
    ("since=1h", []), ("until=1h", [0, 1, 2, 3, 4]), ("since=2023-11-15T08:13:24%2B10:00", [4]), ("class=refused", [0, 1, 2, 3, 4]),
    ("class=REFUSED&code=forbidden", [0, 1, 2, 3, 4]), ("class=transient", [])])
def it_filters_the_dead_by_time_and_class(query, found, service, redis):
    bury(redis, 5, died_at_ms=lambda number: 1_700_000_000_000 + 1000 * number)
    wanted = [f"D-{number:05}" for number in found]
    assert ids(service, f"state=dead&{query}") == wanted
    assert ids(service, f"state=dead&limit=1&{query}") == wanted


def it_filters_what_waits_by_when_it_was_accepted(service):
    assert service.post("/v1/pause", {}).status == 204
    service.must_post(event("A-1"))
    accepted = service.application("A-1")["acceptedAt"]
    assert ids(service, f"state=due&since={accepted}") == ["A-1"] and ids(service, f"state=due&until={accepted}") == []


def it_counts_the_dead_by_what_they_died_of(service, redis):
    bury(redis, 1200)
    bury(redis, 3, code="BAD_USER_INPUT", prefix="E", died_at_ms=lambda _: 1_800_000_000_000)
    signals = service.get("/v1/status").json["signals"]
    assert signals["deadByOf"] == 1000
    assert signals["deadBy"] == [{"class": "refused", "code": "FORBIDDEN", "count": 997}, {"class": "refused", "code": "BAD_USER_INPUT", "count": 3}]


def it_counts_together_what_is_too_rare_to_be_named(service, redis):
    for number in range(25):
        bury(redis, 1, code=f"C{number}", prefix=f"E{number}")
    causes = service.get("/v1/status").json["signals"]["deadBy"]
    assert len(causes) == 21 and causes[-1] == {"class": None, "code": None, "count": 5}


# --- download ---

def download(service, query, headers=None):
    """All pages one behind the other, by their links."""
    path, text = f"/v1/applications?{query}", ""
    while path:
        answer = service.get(path, headers=headers)
        assert answer.status == 200, answer
        text += answer.body.decode()
        link = re.fullmatch('<(.*)>; rel="next"', answer.headers.get("Link") or "")
        path = link and link[1]
    return text


def it_downloads_the_dead_as_rows(service, redis):
    bury(redis, 450)
    bury(redis, 1, code="'=A B&C'", prefix="=cmd")
    rows = list(csv.reader(io.StringIO(download(service, "state=dead&limit=200&format=csv&since=2000-01-01T00:00:00Z"), newline="")))
    assert rows[0][:3] == ["applicationId", "state", "diedAt"] and len(rows) == 452
    assert {row[0] for row in rows[1:]} == {"'=cmd-00000"} | {f"D-{number:05}" for number in range(450)}
    assert {row[rows[0].index("code")] for row in rows[1:]} == {"FORBIDDEN", "'=A B&C"}
    lines = download(service, "state=dead&limit=200", {"Accept": "application/x-ndjson"}).splitlines()
    assert [json.loads(line) for line in lines] == [item for page in pages(service, "state=dead&limit=200") for item in page]
    assert download(service, "state=dead&code=%3Da%20b%26c&limit=1&format=csv").count("\r\n") == 2
    assert "t-D-" not in "".join(lines)
    assert service.get("/v1/applications?state=dead&format=xml").json["field"] == "format"


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def it_keeps_all_that_was_asked_over_pages(service, redis, form):
    bury(redis, 450)
    bury(redis, 60, code="BAD_USER_INPUT", prefix="E", died_at_ms=lambda number: 1_800_000_000_000 + number)
    described = yaml.safe_load(service.get("/openapi.yaml").body)["paths"]["/v1/applications"]["get"]["parameters"]
    asked = {"state": "dead", "order": "desc", "prefix": "D-", "message": "no", "code": "forbidden", "class": "Refused", "since": "2000-01-01T00:00:00Z",
             "until": "2100-01-01T00:00:00Z", "limit": "150"}
    assert {*asked, "format", "cursor"} == {one["name"] for one in described if one.get("in") == "query"}  # a new one is asked for, too
    answer = service.get("/v1/applications?" + urlencode({**asked, "format": form}))
    link = re.fullmatch('</v1/applications[?](.*)>; rel="next"', answer.headers["Link"])[1]
    named = dict(parse_qsl(link, strict_parsing=True))
    assert named.pop("cursor") and named == {**asked, "format": form}
    text = download(service, urlencode({**asked, "format": form}))
    ids_seen = [row[0] for row in csv.reader(io.StringIO(text, newline=""))][1:] if form == "csv" else \
        [json.loads(line)["applicationId"] for line in text.splitlines()]
    assert ids_seen == [f"D-{number:05}" for number in reversed(range(450))]


def it_downloads_by_command(service, redis):
    bury(redis, 450)
    done = run(service, "dead", "list", "--format", "csv")
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 451
    limited = run(service, "dead", "--format", "ndjson", "--limit", "205").stdout.splitlines()
    assert [json.loads(line)["applicationId"] for line in limited] == [f"D-{number:05}" for number in range(205)]
    assert run(service, "dead", "list", "--format", "xml").returncode == 2


def it_lists_nothing_while_redis_is_away(service, redis):
    redis.kill()
    eventually(lambda: service.get("/v1/applications?state=dead").status == 503, "503")
    assert service.post("/v1/replay", {"state": "dead"}).status == 503
    assert service.post("/v1/pause", {}).status == 503


# --- replay by filter ---

def it_counts_first_and_changes_nothing(service, sandbox, redis):
    refuse(service, sandbox, "A-1", "A-2")
    refuse(service, sandbox, "B-1", kind="bad-user-input")
    before = redis.application("A-1")
    answer = must_replay(service, code="FORBIDDEN", dryRun=True)
    assert (answer["matched"], answer["replayed"], answer["looked"], answer["more"]) == (2, 0, 3, False)
    assert redis.application("A-1") == before and redis.cli("ZCARD", DEAD) == "3"


def it_replays_what_fits_and_leaves_the_rest(service, sandbox):
    refuse(service, sandbox, "A-1", "A-2")
    refuse(service, sandbox, "B-1", kind="bad-user-input")
    assert must_replay(service, code="FORBIDDEN", perSecond=1000)["replayed"] == 2
    for application_id in ("A-1", "A-2"):
        seen = service.must_become(application_id, "delivered")
        assert seen["attempts"] == 2 and "replayedAt" in seen
        sandbox.must_receive(f"token-{application_id}")
    assert service.application("B-1")["state"] == "dead"
    assert must_replay(service, code="FORBIDDEN")["replayed"] == 0  # again: nothing


def it_replays_what_died_in_a_time(service, redis):
    bury(redis, 5, died_at_ms=lambda number: 1_700_000_000_000 + 1000 * number)
    assert service.post("/v1/pause", {}).status == 204
    assert must_replay(service, since="2023-11-14T22:13:21Z", until="2023-11-14T22:13:23Z", **{"class": "Refused"})["replayed"] == 2
    assert ids(service, "state=dead") == ["D-00000", "D-00003", "D-00004"]
    assert must_replay(service, until="2100-01-01T00:00:00Z", code="forbidden")["replayed"] == 3


def refuse_with(service, sandbox, **messages):
    """Each of them dies of FORBIDDEN with its message."""
    for application_id, message in messages.items():
        sandbox.fault(on="graphql", kind="graphql-error", code="FORBIDDEN", message=message, count=1)
        service.must_post(event(application_id, f"token-{application_id}"))
        service.must_become(application_id, "dead")


def it_takes_what_the_list_shows_by_message_and_by_the_beginning_of_the_id(service, sandbox, redis):
    refuse_with(service, sandbox, A1="Not authorized", A2="No relationship: 50% ü & more", B1="Not authorized for this hirer", B2="not authorized")
    for members, expected in [({"message": "Not authorized"}, ["A1", "B1"]), ({"message": "No relationship: 50% ü & more"}, ["A2"]),
                              ({"prefix": "B"}, ["B1", "B2"]), ({"prefix": "B", "message": "Not", "code": "forbidden"}, ["B1"]),
                              ({"message": "authorized"}, []), ({"prefix": "b"}, []), ({"message": "Not authorized for this hirer."}, [])]:
        assert ids(service, urlencode({"state": "dead", **members})) == expected, members
        for answer in (must_replay(service, dryRun=True, **members), must_forget(service, dryRun=True, **members)):
            assert (answer["matched"], answer["looked"]) == (len(expected), 4), members
    rows = service.get("/v1/applications?" + urlencode({"state": "dead", "message": "Not authorized", "format": "csv", "limit": 1}))
    assert "&message=Not%20authorized&" in rows.headers["Link"]
    assert must_forget(service, message="No relationship: 50% ü", prefix="A")["forgotten"] == 1 and service.application("A2") is None
    (line,) = eventually(lambda: service.logs("dead_forgotten"), "the line")
    assert (line["detail"], line["prefix"]) == ("No relationship: 50% ü", "A")
    assert must_replay(service, message="Not authorized")["replayed"] == 2
    (line,) = eventually(lambda: service.logs("dead_replayed"), "the line")
    assert line["detail"] == "Not authorized"
    for application_id in ("A1", "B1"):
        service.must_become(application_id, "delivered")
    assert service.application("B2")["state"] == "dead"


def it_finds_the_damaged_by_what_is_shown_as_their_message(service, redis):
    bury(redis, 3)
    redis.cli("HSET", "seek-signal:{0}:app:D-00001", "state", "nonsense")
    message = service.application("D-00001")["lastError"]["message"]
    for beginning in (message, message[:5]):
        assert ids(service, urlencode({"state": "dead", "message": beginning})) == ["D-00001"]
        assert must_replay(service, message=beginning, dryRun=True)["matched"] == 1


# --- forget by filter ---

def must_forget(service, **members):
    answer = service.post("/v1/forget", {"state": "dead", **members})
    assert answer.status == 200, answer
    return answer.json


def it_forgets_what_fits(service, redis):
    bury(redis, 5, died_at_ms=lambda number: 1_700_000_000_000 + 1000 * number)
    bury(redis, 1, code="OTHER", prefix="E")
    assert must_forget(service, code="FORBIDDEN", dryRun=True) == {
        "matched": 5, "forgotten": 0, "looked": 6, "dryRun": True, "more": False, "cursor": None}
    assert must_forget(service, code="forbidden", since="2023-11-14T22:13:22Z")["forgotten"] == 3
    assert redis.application_ids() == {"D-00000", "D-00001", "E-00000"}
    assert must_forget(service)["forgotten"] == 3 and redis.application_ids() == set() and redis.cli("ZCARD", DEAD) == "0"


def it_forgets_by_its_cursor(service, redis):
    bury(redis, 10_050)
    first = must_forget(service)
    assert (first["forgotten"], first["more"]) == (10_000, True)
    assert must_forget(service, cursor=first["cursor"])["forgotten"] == 50 and redis.cli("ZCARD", DEAD) == "0"


@pytest.mark.parametrize("body, code", [({}, "replay_invalid"), ({"state": "dead", "perSecond": 5}, "replay_invalid"),
                                        ({"state": "dead", "dryrun": True}, "replay_invalid")])
def it_forgets_nothing_when_asked_wrongly(body, code, service, redis):
    bury(redis, 1)
    assert service.post("/v1/forget", body).json["code"] == code
    assert service.post("/v1/forget", '{"state":"dead"}', {"Content-Type": "text/plain"}).status == 415
    assert redis.cli("ZCARD", DEAD) == "1"


# --- who did it ---

def it_logs_who_changed_what(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, api_key="the-key-of-a-test").start()
    bury(redis, 4)
    headers = {"Authorization": "Bearer the-key-of-a-test"}
    for method, path, body in (("POST", "/v1/pause", {}), ("POST", "/v1/applications/D-00000/replay", {}), ("DELETE", "/v1/applications/D-00001", None),
                               ("POST", "/v1/forget", {"state": "dead", "until": "2023-11-14T22:13:20.003Z"}), ("POST", "/v1/replay", {"state": "dead"}),
                               ("POST", "/v1/resume", {})):
        assert service.call(method, path, body, dict(headers)).status < 300
    for name in ("pause_asked", "application_replayed", "application_forgotten", "dead_forgotten", "dead_replayed", "resume_asked"):
        (line,) = eventually(lambda name=name: service.logs(name), name)
        assert line["key"] == "API_KEY" and re.fullmatch(r"127\.0\.0\.1:\d+", line["address"]) and "the-key" not in json.dumps(line)
    service.must_stop()


def it_logs_as_forgotten_only_what_was_known(service):
    service.must_post(event("A-1"))
    for name, status in (("A-1", 204), ("A-1", 204), ("never-posted", 204)):
        assert service.call("DELETE", f"/v1/applications/{name}").status == status
    lines = eventually(lambda: len(found := service.logs("forget_found_nothing")) == 2 and found, "those that found nothing")
    assert [line["application"] for line in lines] == ["A-1", "never-posted"] and lines[0]["address"]
    assert [line["application"] for line in service.logs("application_forgotten")] == ["A-1"]


def it_logs_the_user_at_a_unix_socket(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, listen=f"unix:{stand.directory}/api.sock").start()
    assert service.post("/v1/pause", {}).status == 204
    (line,) = eventually(lambda: service.logs("pause_asked"), "the line")
    assert line["address"] == f"uid {os.getuid()}" and line["key"] == "none"
    service.must_stop()


@pytest.mark.parametrize("path, member, own", [("/v1/replay", "dryrun", " perSecond, limit"), ("/v1/forget", "perSecond", ""), ("/v1/forget", "limit", ""),
                                               ("/v1/forget", 'quo"te', "")])
def it_names_the_member_that_a_call_does_not_have(path, member, own, service):
    refused = service.post(path, {"state": "dead", member: 5}).json
    assert (refused["code"], refused["field"], refused["detail"]) == ("replay_invalid", member, f'This call has no member "{member}".')
    assert ("perSecond" in refused["remedy"], "limit" in refused["remedy"]) == (bool(own), bool(own)), refused
    assert service.post(path, []).json["remedy"] == refused["remedy"]


def it_shortens_the_name_of_a_member_that_is_too_long(service):
    refused = service.post("/v1/forget", {"state": "dead", "ü" * 400: 5}).json
    assert "field" not in refused and refused["detail"].startswith('This call has no member "üüü') and refused["detail"].endswith("…")


def it_spreads_them_over_time_inside_redis(service, redis):
    bury(redis, 50)
    assert service.post("/v1/pause", {}).status == 204
    answer = must_replay(service, perSecond=10)
    times = [int(score) for score in redis.cli("ZRANGE", DUE, 0, -1, "WITHSCORES").split()[1::2]]
    assert answer["matched"] == 50 and len(times) == 50 and redis.cli("ZCARD", DEAD) == "0"
    assert {later - earlier for earlier, later in zip(times, times[1:])} == {100}
    assert abs(times[0] - time.time() * 1000) < 20_000
    last = service.application("D-00049")
    assert last["state"] == "pending" and last["nextAttemptAt"] == answer["lastDueAt"]


def it_keeps_what_was_replayed_when_the_process_dies(stand, service, redis, sandbox):
    bury(redis, 20)
    assert service.post("/v1/pause", {}).status == 204
    must_replay(service, perSecond=10)
    service.kill()
    assert redis.cli("ZCARD", DEAD) == "0"
    other = stand.service(sandbox, name="other", redis_url=redis.url).start()
    assert other.post("/v1/resume", {}).status == 204
    for number in range(20):
        other.must_become(f"D-{number:05}", "delivered")
    other.must_stop()


def it_goes_on_by_its_cursor_at_the_same_rate(service, redis):
    bury(redis, 10_050)
    assert service.post("/v1/pause", {}).status == 204
    first = must_replay(service, perSecond=1000)
    assert (first["replayed"], first["more"]) == (10_000, True)
    second = must_replay(service, perSecond=1000, cursor=first["cursor"])
    assert (second["replayed"], second["more"], second["cursor"]) == (50, False, None)
    times = [int(score) for score in redis.cli("ZRANGE", DUE, 0, -1, "WITHSCORES").split()[1::2]]
    assert len(times) == 10_050 and times[-1] - times[0] >= 10_049 and len(set(times)) == 10_050


def it_replays_as_many_as_it_is_asked_to(service, redis):
    bury(redis, 250)
    assert service.post("/v1/pause", {}).status == 204
    first = must_replay(service, limit=130, perSecond=10)
    assert (first["replayed"], first["more"]) == (130, True) and redis.cli("ZCARD", DEAD) == "120"
    second = must_replay(service, limit=130, perSecond=10, cursor=first["cursor"])
    assert (second["replayed"], second["more"]) == (120, False)
    times = [int(score) for score in redis.cli("ZRANGE", DUE, 0, -1, "WITHSCORES").split()[1::2]]
    assert {later - earlier for earlier, later in zip(times, times[1:])} == {100}  # the rate goes on where it was


def it_leaves_alone_what_dies_again_meanwhile(service, redis):
    bury(redis, 10_010)
    first = must_replay(service, dryRun=True)
    bury(redis, 5, prefix="E", died_at_ms=lambda _: int(time.time() * 1000) + 1)
    assert must_replay(service, dryRun=True, cursor=first["cursor"])["matched"] == 10


@pytest.mark.parametrize("body, code, field", [
    ({}, "replay_invalid", "state"), ({"state": "pending"}, "replay_invalid", "state"),
    ({"state": "dead", "code": ""}, "replay_invalid", "code"), ({"state": "dead", "code": 5}, "replay_invalid", "code"),
    ({"state": "dead", "dryRun": "yes"}, "replay_invalid", "dryRun"), ({"state": "dead", "dryrun": True}, "replay_invalid", "dryrun"),
    ({"state": "dead", "perSecond": 0}, "replay_invalid", "perSecond"), ({"state": "dead", "perSecond": 1.5}, "replay_invalid", "perSecond"),
    ({"state": "dead", "limit": 0}, "replay_invalid", "limit"), ({"state": "dead", "limit": 10001}, "replay_invalid", "limit"),
    ({"state": "dead", "perSecond": 100001}, "replay_invalid", "perSecond"), ({"state": "dead", "cursor": "x"}, "replay_invalid", "cursor"),
    ({"state": "dead", "since": "yesterday"}, "replay_invalid", "since"), ({"state": "dead", "until": 5}, "replay_invalid", "until"),
    ({"state": "dead", "class": ""}, "replay_invalid", "class"),
    ({"state": "dead", "message": ""}, "replay_invalid", "message"), ({"state": "dead", "message": "x" * 2048}, "replay_invalid", "message"),
    ({"state": "dead", "prefix": ""}, "replay_invalid", "prefix"), ({"state": "dead", "prefix": "x" * 257}, "replay_invalid", "prefix"),
    ({"state": "dead", "prefix": "x\0y"}, "not_json", None), ({"state": "dead", "message": ["no"]}, "replay_invalid", "message"),
    ({"state": "dead", "x" * 127: 1}, "replay_invalid", "x" * 127), ({"state": "dead", "x" * 128: 1}, "replay_invalid", None),
    ([], "not_an_object", None)])
def it_replays_nothing_when_asked_wrongly(body, code, field, service, redis):
    bury(redis, 1)
    answer = service.post("/v1/replay", body)
    assert answer.json["code"] == code and answer.json.get("field") == field
    assert redis.cli("ZCARD", DEAD) == "1"


def it_refuses_a_replay_that_is_not_json(service):
    assert service.post("/v1/replay", "{", {"Content-Type": "application/json"}).json["code"] == "not_json"
    twice = '{"state":"dead","dryRun":true,"dryRun":false}'
    assert service.post("/v1/replay", twice, {"Content-Type": "application/json"}).json["code"] == "repeated_member"
    for path in ("/v1/replay", "/v1/pause", "/v1/resume"):
        assert service.post(path, '{"state":"dead"}', {"Content-Type": "text/plain"}).status == 415
    for path in ("/v1/replay", "/v1/forget"):  # all of them only when it is said, but counted at once
        refused = service.post(path, {"dryRun": False}).json
        assert (refused["code"], refused["field"]) == ("replay_invalid", "state") and "missing" in refused["detail"]
        assert service.post(path, {"dryRun": True}).status in (200, 202)


# --- pause ---

def it_pauses_every_process_and_takes_events_all_the_same(stand, service, redis, sandbox):
    other = stand.service(sandbox, name="other", redis_url=redis.url).start()
    assert service.post("/v1/pause", {}).status == 204
    assert service.post("/v1/pause").status == 204  # bare: again, since the first time
    for header in ("Origin", "Referer", "Sec-Fetch-Site", "Cookie"):
        answer = service.post("/v1/pause", headers={header: f"http://{service.address}" if header == "Origin" else "none"})
        assert answer.status == 415, f"a browser, by its {header}, says what it sends"
    since = service.get("/v1/status").json["sending"]["pausedSince"]
    for number, process in enumerate((service, other)):
        process.must_post(event(f"A-{number}", f"token-{number}"))
        eventually(lambda: process.logs("sending_paused"), f"{process.name} says that it is paused")
        assert process.get("/v1/status").json["sending"]["paused"] is True
        eventually(lambda: process.metric("seek_signal_paused") == 1, "the metric says so, too")
    assert not sandbox.calls("graphql")
    assert other.post("/v1/pause", {}).status == 204  # again: since the first time
    assert other.get("/v1/status").json["sending"]["pausedSince"] == since
    assert other.post("/v1/resume", {}).status == 204
    for number in range(2):
        service.must_become(f"A-{number}", "delivered")
    assert service.get("/v1/status").json["sending"]["paused"] is False
    for process in (service, other):
        eventually(lambda: process.logs("sending_resumed"), f"{process.name} goes on")
    other.must_stop()


def it_is_paused_as_long_as_one_shard_is(stand, redis, sandbox):
    """A pause is written to one shard after the other; claims that see one of each kind do not make the log change its mind."""
    service = stand.service(sandbox, redis_url=redis.url, redis_shards="3").start()
    redis.cli("SET", "seek-signal:{1}:paused", int(time.time() * 1000))
    eventually(lambda: service.logs("sending_paused"), "it says that it is paused")
    names = [f"A-{number}" for number in range(12)]
    sandbox.fault(on="graphql", kind="status", status=503, count=len(names))
    service.must_post([event(name, f"token-{name}") for name in names])
    held = {key.split(":app:")[1] for key in redis.cli("--raw", "KEYS", "seek-signal:{1}:app:*").splitlines()}
    assert 0 < len(held) < len(names)
    for name in sorted(set(names) - held):  # claimed from the others, after a failure
        service.must_become(name, "delivered")
    assert len(service.logs("sending_paused")) == 1 and not service.logs("sending_resumed")
    redis.cli("DEL", "seek-signal:{1}:paused")
    eventually(lambda: service.logs("sending_resumed"), "it goes on")
    for name in sorted(held):
        service.must_become(name, "delivered")
    service.must_stop()


def it_stays_paused_over_a_restart(stand, service, redis, sandbox):
    assert service.post("/v1/pause", {}).status == 204
    service.must_stop()
    redis.kill()
    redis.start()
    service.start()
    service.must_post(event("A-1"))
    eventually(lambda: service.logs("sending_paused"), "it is paused")
    assert not sandbox.calls("graphql")
    assert service.post("/v1/resume", {}).status == 204
    service.must_become("A-1", "delivered")


def it_finishes_what_is_on_its_way_when_paused(service, sandbox):
    sandbox.fault(on="graphql", kind="slow", latencyMs=1000, count=1)
    service.must_post(event("A-1"))
    service.must_become("A-1", "sending")
    assert service.post("/v1/pause", {}).status == 204
    service.must_become("A-1", "delivered")


# --- who may ---

def it_needs_the_key_for_each_of_them(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, api_key="the-key-of-a-test").start()
    for method, path in (("GET", "/v1/applications?state=dead"), ("POST", "/v1/replay"), ("POST", "/v1/pause"), ("POST", "/v1/resume")):
        assert service.call(method, path, {} if method == "POST" else None).status == 401
    assert service.get("/").status == 200
    # Behind a proxy that keeps its own Host; the key is what protects.
    assert service.call("GET", "/v1/status", headers={"Host": "ats.example", "Authorization": "Bearer the-key-of-a-test"}).status == 200
    service.must_stop()


@pytest.mark.parametrize("headers, status", [
    ({}, 204), ({"Sec-Fetch-Site": "same-origin"}, 204), ({"Sec-Fetch-Site": "none"}, 204), ({"Host": "localhost"}, 204),
    ({"Sec-Fetch-Site": "cross-site"}, 403), ({"Sec-Fetch-Site": "same-site"}, 403), ({"Origin": "http://evil.example"}, 403),
    ({"Origin": "null"}, 403), ({"Host": "evil.example"}, 403)])
def it_is_not_driven_by_another_site(headers, status, service, redis):
    answer = service.post("/v1/pause", {}, dict(headers))
    assert answer.status == status
    assert redis.cli("EXISTS", PAUSED) == ("1" if status == 204 else "0")
    if status == 403:
        assert answer.json["code"] == "forbidden_origin"
        assert service.post("/v1/events", event("A-1"), dict(headers)).status == 403


def it_shows_nothing_to_a_name_that_was_made_to_lead_here(service):
    for path in ("/", "/v1/status", "/v1/applications?state=dead", "/openapi.yaml"):
        assert service.call("GET", path, headers={"Host": "evil.example:8787"}).status == 403


@pytest.mark.parametrize("mode, dest, status", [
    ("navigate", "document", None), ("navigate", "object", 403), ("navigate", "iframe", 403), ("no-cors", "image", 403),
    ("cors", "empty", 403), (None, None, 403)])
def it_tells_another_site_nothing_but_follows_its_links(mode, dest, status, service):
    assert service.post("/v1/events", event("KNOWN")).status == 202
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
    headers = {name: value for name, value in headers.items() if value}
    for address, path in ((service.address, "/"), (service.address, "/v1/applications/KNOWN"), (service.address, "/v1/applications/UNKNOWN"),
                          (service.address, "/openapi.yaml"), (service.ops, "/livez"), (service.ops, "/metrics")):
        expected = status or (404 if "UNKNOWN" in path else 200)
        assert call(address, "GET", path, headers=headers).status == expected


def it_serves_a_page_whose_policy_fits_it(service):
    answer = service.get("/")
    policy = answer.headers["Content-Security-Policy"]
    page = answer.body.decode()
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    for name in ("script", "style"):
        (inside,) = re.findall(f"<{name}>(.*?)</{name}>", page, re.S)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy
    assert not re.search(r"(src|href)=\"(?!#)", page) and "style=" not in page and "onclick=\"" not in page
    assert service.call("HEAD", "/").status == 200


# --- the same by command ---

def run(service, *arguments, **options):
    return service.run(*arguments, listen=service.address, ops_listen=service.ops, **options)


def it_lists_and_shows_the_dead_by_command(service, sandbox):
    assert run(service, "dead", "list").stderr == "no dead applications\n"
    refuse(service, sandbox, "A-1", "A-2")
    refuse(service, sandbox, "B-1 long enough to widen its column", kind="bad-user-input")
    lines = run(service, "dead", "list").stdout.splitlines()
    assert lines[0].split() == ["APPLICATION", "DIED", "ATTEMPTS", "CODE", "MESSAGE"]
    assert [line.split()[0] for line in lines[1:]] == ["A-1", "A-2", "B-1"]
    assert len({line.index("  1 ") for line in lines[1:]}) == 1  # aligned
    assert run(service, "dead").stderr == "3 dead applications, the earliest first\n"
    assert run(service, "dead", "list", "--code", "BAD_USER_INPUT").stderr == "1 dead application of this filter, the earliest first\n"
    assert [line.split()[0] for line in run(service, "dead", "--latest").stdout.splitlines()[1:]] == ["B-1", "A-2", "A-1"]
    assert run(service, "dead", "--latest").stderr == "3 dead applications, the latest first\n"
    limited = run(service, "dead", "list", "--limit", "1")
    assert len(limited.stdout.splitlines()) == 2
    assert limited.stderr == "these are the earliest 1 of 3 dead applications; for more: --limit 10, or --latest for the latest ones\n"
    assert run(service, "dead", "list", "--limit", "1", "--class", "refused").stderr == (
        "these are the earliest 1; for more: --limit 10, or --latest for the latest ones\n")
    assert run(service, "dead", "--latest", "--limit", "2").stderr == "these are the latest 2 of 3 dead applications; for more: --limit 20\n"
    assert run(service, "dead", "list", "--json").stderr == "", "a program reads rows alone"
    latest = run(service, "dead", "list", "--format", "csv", "--latest").stdout.splitlines()
    assert latest[1].startswith('"B-1 ') and latest[3].startswith('"A-1"')
    parsed = [json.loads(line) for line in run(service, "dead", "list", "--json", "--code=FORBIDDEN").stdout.splitlines()]
    assert [item["applicationId"] for item in parsed] == ["A-1", "A-2"]
    assert "FORBIDDEN" in run(service, "dead", "show", "A-1").stdout
    assert json.loads(run(service, "dead", "show", "A-1", "--json").stdout) == service.application("A-1")
    assert json.loads(run(service, "status", "--json").stdout)["signals"]["dead"] == 3


def it_lists_more_than_a_page_by_command(service, redis):
    bury(redis, 450)
    lines = run(service, "dead", "list", "--limit", "430").stdout.splitlines()
    assert len(lines) == 431 and lines[430].startswith("D-00429")


def it_replays_the_dead_by_command(service, sandbox):
    refuse(service, sandbox, "A-1", "A-2")
    assert run(service, "dead", "replay", "--code", "FORBIDDEN", "--dry-run").stdout == "2 would be sent again\n"
    assert service.application("A-1")["state"] == "dead"
    assert run(service, "dead", "replay", "--code", "OTHER").stdout == "nothing to send again\n"
    done = run(service, "dead", "replay", "--all", "--per-second", "1000", "--json")
    assert json.loads(done.stdout) == {"matched": 2, "replayed": 2, "dryRun": False}
    assert done.stderr == ""  # no progress bar into a file
    service.must_become("A-2", "delivered")


def at_a_terminal(service, *arguments, typed=b""):
    """→ (exit status, standard output, what the terminal shows)"""
    ours, theirs = pty.openpty()
    arguments = [*arguments, "--listen", service.address, "--ops-listen", service.ops]
    child = subprocess.Popen([SERVICE, *arguments], stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, env=service.environment())
    os.close(theirs)
    os.write(ours, typed)
    shown = b""
    try:
        while chunk := os.read(ours, 4096):
            shown += chunk
    except OSError:  # the other end was closed
        pass
    os.close(ours)
    return child.wait(timeout=60), child.stdout.read().decode(), shown.decode()


def it_shows_on_a_terminal_how_far_it_has_come(service, redis):
    bury(redis, 20_100)
    status, printed, shown = at_a_terminal(service, "dead", "replay", "--dry-run")
    assert (status, printed) == (0, "20100 would be sent again\n")
    assert "] 0 of 20100" in shown and "] 10000 of 20100" in shown and "] 20000 of 20100" in shown


@pytest.mark.parametrize("command, question", [
    ("replay", "Send all 3 dead applications again? [y/N] "), ("forget", "Forget all 3 dead applications for good? [y/N] ")])
def it_does_not_take_a_missing_filter_for_everything(command, question, service, redis):
    bury(redis, 3)
    done = run(service, "dead", command)
    assert done.returncode == 2 and f"dead {command}: give --code" in done.stderr and "--all" in done.stderr
    assert run(service, "dead", command, "--all", "--code", "FORBIDDEN").returncode == 2
    assert run(service, "dead", command, "--dry-run").stdout.startswith("3 would be ")
    for answer in (b"n\n", b"\n", b"\x04"):
        status, printed, shown = at_a_terminal(service, "dead", command, typed=answer)
        assert status == 1 and printed == "" and question in shown and "nothing was changed" in shown
    assert service.get("/v1/status").json["signals"]["dead"] == 3
    status, printed, shown = at_a_terminal(service, "dead", command, typed=b"y\n")
    assert status == 0 and printed.startswith("3 are ") and question in shown
    status, printed, shown = at_a_terminal(service, "dead", command, "--all")
    assert status == 0 and printed.startswith("nothing to ") and "[y/N]" not in shown


def it_forgets_the_dead_by_command(service, redis):
    bury(redis, 5, died_at_ms=lambda number: 1_700_000_000_000 + 1000 * number)
    assert run(service, "dead", "forget", "--until", "2023-11-14T22:13:21Z", "--dry-run").stdout == "1 would be forgotten\n"
    assert json.loads(run(service, "dead", "forget", "--class", "refused", "--since", "2023-11-14T22:13:23Z", "--json").stdout) == {
        "matched": 2, "forgotten": 2, "dryRun": False}
    assert [line.split()[0] for line in run(service, "dead").stdout.splitlines()[1:]] == ["D-00000", "D-00001", "D-00002"]
    assert run(service, "dead", "forget", "--all").stdout == "3 are forgotten\n"
    assert run(service, "dead", "forget", "--all").stdout == "nothing to forget\n"


def it_replays_and_forgets_one_by_command(service, redis):
    bury(redis, 2)
    assert service.post("/v1/pause", {}).status == 204
    assert run(service, "replay", "D-00000").stdout == "D-00000 will be sent after `seek-signal resume`, because sending is paused\n"
    assert json.loads(run(service, "replay", "D-00000", "--json").stdout) == {"applicationId": "D-00000", "state": "pending"}
    assert run(service, "forget", "D-00001").stdout == "D-00001 is forgotten\n"
    assert run(service, "forget", "D-00001").stdout == "nothing was known of D-00001\n"
    assert json.loads(run(service, "forget", "D-00001", "--json").stdout) == {"applicationId": "D-00001", "forgotten": False}
    assert redis.application_ids() == {"D-00000"}
    gone = run(service, "replay", "D-00001")
    assert gone.returncode == 1 and "(application_unknown)" in gone.stderr
    for command in (("status",), ("replay",), ("dead", "show")):
        done = run(service, *command, "A/7 ü")
        assert done.returncode == 1 and done.stderr.startswith("A/7 ü: "), "which of them it is about"
    assert {line["application"] for line in service.logs("request_refused")} == {"D-00001", "A/7 ü"}, "so does the log"


def it_filters_by_the_beginning_of_message_and_id_by_command(service, sandbox, redis):
    refuse(service, sandbox, "A-1", "B-1")
    refuse(service, sandbox, "A-2", kind="bad-user-input")
    message = service.application("A-1")["lastError"]["message"]

    def listed(*arguments):
        return [line.split()[0] for line in run(service, "dead", "list", *arguments).stdout.splitlines()[1:]]

    assert listed("--prefix", "A-") == ["A-1", "A-2"] and listed("--message", message[:5]) == ["A-1", "B-1"]
    assert listed("--prefix", "A-", "--message", message[:5]) == ["A-1"] and listed("--message", message[1:5]) == []
    for command in ("replay", "forget"):
        assert run(service, "dead", command, "--dry-run", "--prefix", "A-").stdout.startswith("2 would be ")
        assert run(service, "dead", command, "--dry-run", "--message", message[:5]).stdout.startswith("2 would be ")
        assert run(service, "dead", command, "--all", "--prefix", "A-").returncode == 2
    assert run(service, "dead", "forget", "--prefix", "A-", "--message", message[:5]).stdout == "1 is forgotten\n"
    assert listed() == ["B-1", "A-2"]


def it_says_when_a_replayed_one_is_sent(service, redis, sandbox):
    bury(redis, 3)
    assert run(service, "replay", "D-00000").stdout == "D-00000 is sent again\n"
    sandbox.fault(on="graphql", kind="status", status=503, count=0)
    for number in range(12):
        service.must_post(event(f"A-{number}", f"token-{number}"))
    eventually(lambda: service.logs("breaker_opened"), "the breaker opens")
    assert run(service, "replay", "D-00001").stdout == "D-00001 will be sent when SEEK is back, because SEEK is down\n"
    assert re.fullmatch(r"1 will be sent when SEEK is back, because SEEK is down\n", run(service, "dead", "replay", "--all").stdout)


def it_tells_a_program_whether_it_was_known(service):
    service.must_post(event('A "1"'))
    for was_known in (True, False):
        assert json.loads(run(service, "forget", 'A "1"', "--json").stdout) == {"applicationId": 'A "1"', "forgotten": was_known}


def it_asks_on_a_terminal_before_it_forgets_one(service, sandbox):
    service.must_post(event("D-1"))
    service.must_become("D-1", "delivered")
    assert service.post("/v1/pause", {}).status == 204
    service.must_post(event("P-1"))
    for answer in (b"n\n", b"\n", b"\x04"):
        status, printed, shown = at_a_terminal(service, "forget", "P-1", typed=answer)
        assert status == 1 and printed == "" and "nothing was changed" in shown
        assert "Forget P-1 for good? Its signal is never sent then. [y/N] " in shown
    assert service.application("P-1")["state"] == "pending"
    assert at_a_terminal(service, "forget", "P-1", typed=b"y\n")[:2] == (0, "P-1 is forgotten\n")
    status, printed, shown = at_a_terminal(service, "forget", "P-1")
    assert (status, printed) == (0, "nothing was known of P-1\n") and "[y/N]" not in shown, "there is nothing to ask about"
    assert "Forget D-1 for good? SEEK has its signal already. [y/N] " in at_a_terminal(service, "forget", "D-1", typed=b"n\n")[2]
    status, printed, shown = at_a_terminal(service, "forget", "D-1", "--yes")
    assert (status, printed) == (0, "D-1 is forgotten\n") and "[y/N]" not in shown


def it_answers_a_program_that_pauses_and_resumes(service, redis):
    assert json.loads(run(service, "pause", "--json").stdout) == {"paused": True} and redis.cli("EXISTS", PAUSED) == "1"
    assert json.loads(run(service, "resume", "--json").stdout) == {"paused": False} and redis.cli("EXISTS", PAUSED) == "0"


def it_pauses_and_resumes_by_command(service, redis):
    assert run(service, "pause").returncode == 0
    assert redis.cli("EXISTS", PAUSED) == "1"
    assert run(service, "status").stdout.startswith("Sending is paused, since ")
    assert run(service, "resume").returncode == 0
    assert redis.cli("EXISTS", PAUSED) == "0"


def it_says_in_one_sentence_what_does_not_work(service, redis):
    redis.kill()
    eventually(lambda: service.get("/readyz").status == 503, "Redis is missed")
    done = run(service, "pause")
    assert done.returncode == 1 and "(store_unavailable)" in done.stderr
    done = service.run("dead", "list", listen="127.0.0.1:1")
    assert done.returncode == 1 and "is the service running?" in done.stderr


@pytest.mark.parametrize("arguments, part", [
    (["dead", "lst"], "unknown command"), (["dead", "forget"], "--all"), (["dead", "forget", "--all", "--code", "A"], "--all"),
    (["dead", "list", "--since", "yesterday"], "yesterday is not a time"), (["replay"], "id is missing"), (["forget"], "id is missing"),
    (["dead", "show"], "id is missing"), (["dead", "list", "x"], "x"),
    (["dead", "list", "--limit"], "--limit"), (["dead", "list", "--limit", "none"], "none is not a number of 1 or more"), (["pause", "--dry-run"], "--dry-run"),
    (["status", "--json=yes"], "--json"), (["status", "a", "b"], "b")])
def it_refuses_arguments_that_a_command_does_not_take(arguments, part, stand):
    done = stand.service().run(*arguments)
    assert done.returncode == 2 and part in done.stderr


def it_prints_no_control_characters_of_a_message(service, redis):
    bury(redis, 1)
    redis.cli("HSET", "seek-signal:{0}:app:D-00000", "message", "red\x1b[31m\u009bend")
    for arguments in (["dead", "list"], ["dead", "show", "D-00000"]):
        out = run(service, *arguments).stdout
        assert "\x1b" not in out and "\u009b" not in out and "red\\u001b[31m\\u009bend" in out


def it_escapes_what_it_asks_for(service, redis):
    bury(redis, 1, code="'A B&C'")
    assert len(run(service, "dead", "list", "--code", "A B&C").stdout.splitlines()) == 2
    assert quote("A B&C") == "A%20B%26C"
