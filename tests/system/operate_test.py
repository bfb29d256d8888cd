# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""What an operator does: look at what is due or dead, send it again, pause and resume; over HTTP and by command."""
import base64
import hashlib
import json
import os
import pty
import re
import subprocess
import time
from urllib.parse import quote

import pytest

from stand import SERVICE, TOKEN, eventually, event

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
    ("state=dead&cursor=nonsense", "cursor"), ("state=dead&cursor=MTIz", "cursor")])
def it_names_what_is_wrong_with_a_listing(query, field, service):
    answer = service.get(f"/v1/applications?{query}")
    assert answer.status == 400 and answer.json["code"] == "query_invalid" and answer.json["field"] == field
    if field == "state":
        assert all(state in answer.json["remedy"] for state in ("pending", "sending", "due", "dead"))


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


def it_leaves_alone_what_dies_again_meanwhile(service, redis):
    bury(redis, 10_010)
    first = must_replay(service, dryRun=True)
    bury(redis, 5, prefix="E", died_at_ms=lambda _: int(time.time() * 1000) + 1)
    assert must_replay(service, dryRun=True, cursor=first["cursor"])["matched"] == 10


@pytest.mark.parametrize("body, code, field", [
    ({}, "replay_invalid", "state"), ({"state": "pending"}, "replay_invalid", "state"),
    ({"state": "dead", "code": ""}, "replay_invalid", "code"), ({"state": "dead", "code": 5}, "replay_invalid", "code"),
    ({"state": "dead", "dryRun": "yes"}, "replay_invalid", "dryRun"), ({"state": "dead", "dryrun": True}, "replay_invalid", None),
    ({"state": "dead", "perSecond": 0}, "replay_invalid", "perSecond"), ({"state": "dead", "perSecond": 1.5}, "replay_invalid", "perSecond"),
    ({"state": "dead", "perSecond": 100001}, "replay_invalid", "perSecond"), ({"state": "dead", "cursor": "x"}, "replay_invalid", "cursor"),
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


# --- pause ---

def it_pauses_every_process_and_takes_events_all_the_same(stand, service, redis, sandbox):
    other = stand.service(sandbox, name="other", redis_url=redis.url).start()
    assert service.post("/v1/pause", {}).status == 204
    assert service.post("/v1/pause").status == 415
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
    service = stand.service(sandbox, redis_url=redis.url, api_key="the-key").start()
    for method, path in (("GET", "/v1/applications?state=dead"), ("POST", "/v1/replay"), ("POST", "/v1/pause"), ("POST", "/v1/resume")):
        assert service.call(method, path, {} if method == "POST" else None).status == 401
    assert service.get("/").status == 200
    # Behind a proxy that keeps its own Host; the key is what protects.
    assert service.call("GET", "/v1/status", headers={"Host": "ats.example", "Authorization": "Bearer the-key"}).status == 200
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
        assert service.call("GET", path, headers={"Sec-Fetch-Site": "cross-site"}).status == 200  # a link


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
    assert run(service, "dead", "list").stderr == "nothing is dead\n"
    refuse(service, sandbox, "A-1", "A-2")
    refuse(service, sandbox, "B-1 long enough to widen its column", kind="bad-user-input")
    lines = run(service, "dead", "list").stdout.splitlines()
    assert lines[0].split() == ["APPLICATION", "DIED", "ATTEMPTS", "CODE", "MESSAGE"]
    assert [line.split()[0] for line in lines[1:]] == ["A-1", "A-2", "B-1"]
    assert len({line.index("  1 ") for line in lines[1:]}) == 1  # aligned
    limited = run(service, "dead", "list", "--limit", "1")
    assert len(limited.stdout.splitlines()) == 2 and "--limit 10" in limited.stderr
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
    done = run(service, "dead", "replay", "--per-second", "1000", "--json")
    assert json.loads(done.stdout) == {"matched": 2, "replayed": 2, "dryRun": False}
    assert done.stderr == ""  # no progress bar into a file
    service.must_become("A-2", "delivered")


def it_shows_on_a_terminal_how_far_it_has_come(service, redis):
    bury(redis, 20_100)
    ours, theirs = pty.openpty()
    arguments = ["dead", "replay", "--dry-run", "--listen", service.address, "--ops-listen", service.ops]
    child = subprocess.Popen([SERVICE, *arguments], stdout=subprocess.PIPE, stderr=theirs, env=service.environment())
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 4096):
            shown += chunk
    except OSError:  # the other end was closed
        pass
    os.close(ours)
    assert child.communicate(timeout=60)[0] == b"20100 would be sent again\n"
    assert b"] 0 of 20100" in shown and b"] 10000 of 20100" in shown and b"] 20000 of 20100" in shown


def it_pauses_and_resumes_by_command(service, redis):
    assert run(service, "pause").returncode == 0
    assert redis.cli("EXISTS", PAUSED) == "1"
    assert "sending.paused                   true" in run(service, "status").stdout
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
    (["dead"], "unknown command"), (["dead", "show"], "id is missing"), (["dead", "list", "x"], "x"),
    (["dead", "list", "--limit"], "--limit"), (["dead", "list", "--limit", "none"], "none"), (["pause", "--dry-run"], "--dry-run"),
    (["status", "--json=yes"], "--json"), (["status", "a", "b"], "b")])
def it_refuses_arguments_that_a_command_does_not_take(arguments, part, stand):
    done = stand.service().run(*arguments)
    assert done.returncode == 2 and part in done.stderr


def it_prints_no_control_characters_of_a_message(service, redis):
    bury(redis, 1)
    redis.cli("HSET", "seek-signal:{0}:app:D-00000", "message", "red\x1b[31m\u009bend")
    for arguments in (["dead", "list"], ["dead", "show", "D-00000"]):
        out = run(service, *arguments).stdout
        assert "\x1b" not in out and "\u009b" not in out and "red?[31m?end" in out


def it_escapes_what_it_asks_for(service, redis):
    bury(redis, 1, code="'A B&C'")
    assert len(run(service, "dead", "list", "--code", "A B&C").stdout.splitlines()) == 2
    assert quote("A B&C") == "A%20B%26C"
