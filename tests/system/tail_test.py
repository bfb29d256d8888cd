# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""What happens to signals now, for who looks on: by the API and by the command."""
import json
import subprocess
import threading
import time

import pytest

from stand import SERVICE, TOKEN, event, eventually


def tail(service, cursor=None, **parameters):
    parameters |= {"cursor": cursor} if cursor else {}
    query = "&".join(f"{name}={value}" for name, value in parameters.items())
    answer = service.get("/v1/tail" + ("?" + query if query else ""))
    assert answer.status == 200, answer
    return answer.json


def must_show(service, cursor, *expected, **parameters):
    """(event, application) of what comes next, in any order."""
    seen = []
    deadline = time.monotonic() + 20
    while len(seen) < len(expected) and time.monotonic() < deadline:
        answer = tail(service, cursor, wait="2s", **parameters)
        assert answer["missed"] == 0
        cursor = answer["cursor"]
        seen += [(entry["event"], entry.get("application")) for entry in answer["entries"]]
    assert sorted(seen) == sorted(expected)
    return cursor


def it_shows_what_happens_from_now_on(service, sandbox):
    service.must_post(event("A-0"))
    service.must_become("A-0", "delivered")
    begin = tail(service)
    assert begin["entries"] == [] and begin["missed"] == 0
    service.must_post(event("A-1", "t-1"))
    cursor = must_show(service, begin["cursor"], ("event_accepted", "A-1"), ("signal_delivered", "A-1"))
    sandbox.fault(kind="forbidden", count=1)
    service.must_post(event("A-2", "t-2"))
    cursor = must_show(service, cursor, ("event_accepted", "A-2"), ("signal_dead", "A-2"))
    assert service.post("/v1/applications/A-2/replay", {}).status == 202
    must_show(service, cursor, ("application_replayed", "A-2"), ("signal_delivered", "A-2"))


def it_tells_nothing_secret(service):
    cursor = tail(service)["cursor"]
    service.must_post(event("A-1"))
    service.must_become("A-1", "delivered")
    answer = tail(service, cursor)
    assert len(answer["entries"]) == 2
    assert TOKEN not in json.dumps(answer)


def it_never_shows_whole_requests(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, log_upstream="full").start()
    cursor = tail(service)["cursor"]
    service.must_post(event("A-1"))
    must_show(service, cursor, ("event_accepted", "A-1"), ("signal_delivered", "A-1"))
    assert TOKEN in service.text()  # the log has them, as LOG_UPSTREAM=full says
    assert TOKEN not in json.dumps(tail(service, cursor))
    service.must_stop()


def it_shows_only_what_is_asked_for(service, sandbox):
    cursor = tail(service)["cursor"]
    sandbox.fault(kind="forbidden", seekTokenContains="t-2", count=1)
    service.must_post(event("A-1", "t-1"))
    service.must_post(event("A-2", "t-2"))
    service.must_become("A-1", "delivered")
    service.must_become("A-2", "dead")
    must_show(service, cursor, ("event_accepted", "A-1"), ("signal_delivered", "A-1"), id="A-1")
    must_show(service, cursor, ("signal_dead", "A-2"), event="signal_dead")
    must_show(service, cursor, ("signal_dead", "A-2"), **{"class": "refused"})


def it_waits_for_what_comes(service):
    cursor = tail(service)["cursor"]
    answers = []
    thread = threading.Thread(target=lambda: answers.append(tail(service, cursor, wait="20s", event="signal_delivered")))
    begun = time.monotonic()
    thread.start()
    eventually(lambda: service.metric("seek_signal_http_waiters") == 1, "it is held")
    service.must_post(event("A-1"))
    thread.join(20)
    assert time.monotonic() - begun < 15 and len(answers[0]["entries"]) == 1
    begun = time.monotonic()
    assert tail(service, answers[0]["cursor"], wait="500ms")["entries"] == []
    assert time.monotonic() - begun >= 0.5


def it_says_how_many_were_missed(service):
    cursor = tail(service)["cursor"]
    for start in (0, 1000):
        service.must_post([event(f"A-{number}", "t") for number in range(start, start + 1000)])
    eventually(lambda: service.metric('seek_signal_delivered_total') == 2000, "all are delivered", 60)
    first = tail(service, cursor)
    assert first["missed"] == 4000 - 1024 and len(first["entries"]) == 250
    shown = 250
    while len((page := tail(service, first["cursor"]))["entries"]):
        assert page["missed"] == 0
        shown, first = shown + len(page["entries"]), page
    assert shown == 1024


def it_says_when_it_is_another_process_that_answers(service):
    cursor = tail(service)["cursor"]
    service.must_stop()
    service.start()
    answer = tail(service, cursor, wait="5s")
    assert answer["missed"] is None and answer["entries"] == []
    service.must_post(event("A-1"))
    must_show(service, answer["cursor"], ("event_accepted", "A-1"), ("signal_delivered", "A-1"))


@pytest.mark.parametrize("query, field", [
    ("wait=1h", "wait"), ("cursor=abc", "cursor"), ("cursor=0123456789abcdef-", "cursor"), ("cursor=0123456789abcdef-1x", "cursor"),
    ("id=" + "x" * 257, "id"), ("class=" + "x" * 40, "class"),
    ("event=signal_delievered", "event"), ("event=secret_rotated", "event")])
def it_names_what_is_wrong_with_the_question(service, query, field):
    answer = service.get("/v1/tail?" + query)
    assert answer.status == 400 and answer.json["field"] == field


def it_does_not_wait_for_an_event_that_never_comes(stand, service):
    done = service.run("tail", "--event", "signal_delievered", listen=service.address, ops_listen=service.ops, timeout=20)
    assert done.returncode == 1 and "event" in done.stderr, done


def it_ends_with_the_process(service):
    cursor = tail(service)["cursor"]
    answers = []
    thread = threading.Thread(target=lambda: answers.append(tail(service, cursor, wait="30s")))
    thread.start()
    eventually(lambda: service.metric("seek_signal_http_waiters") == 1, "it is held")
    service.must_stop(patience=15)
    thread.join(5)
    assert answers[0]["entries"] == []


def follow(service, *arguments):
    settings = service.environment() | {"SEEK_SIGNAL_LISTEN": service.address}
    child = subprocess.Popen([str(SERVICE), "tail", *arguments], env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    eventually(lambda: service.metric("seek_signal_http_waiters") == 1, "it follows")
    return child


def it_follows_by_the_command(service, sandbox):
    child = follow(service)
    sandbox.fault(kind="forbidden", count=1)
    service.must_post(event("A-1"))
    lines = child.stdout.readline(), child.stdout.readline()  # in any order, also by time: two threads tell of them
    accepted, dead = sorted(lines, key=lambda line: line.split()[1])
    assert accepted.split()[1:] == ["event_accepted", "A-1"]
    assert dead.split()[1:5] == ["signal_dead", "A-1", "refused", "FORBIDDEN"]
    service.must_stop()
    assert child.wait(timeout=30) == 1
    assert "connect" in child.stderr.read().lower()


def it_follows_by_the_command_as_json_and_filtered(service):
    child = follow(service, "--json", "--id", "A-2", "--event=signal_delivered")
    service.must_post(event("A-1", "t-1"))
    service.must_post(event("A-2", "t-2"))
    line = json.loads(child.stdout.readline())
    assert (line["event"], line["application"], line["attempt"]) == ("signal_delivered", "A-2", 1)
    child.kill()
    child.communicate()
