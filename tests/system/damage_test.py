# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Somebody else writes to our keys in Redis: one application is damaged, and the others go on."""
import pytest

from stand import TOKEN, call, event, eventually

BAD = "seek-signal:{0}:app:bad"


@pytest.fixture
def paused(service):
    service.call("POST", "/v1/pause", {})
    for name in ("good", "bad", "fine"):
        service.must_post(event(name, f"token-{name}"))
    return service


def resume(service):
    service.call("POST", "/v1/resume", {})
    service.must_become("good", "delivered")
    service.must_become("fine", "delivered")


def must_be_set_aside(service, field):
    dead = service.must_become("bad", "dead")
    assert (dead["lastError"]["class"], dead["lastError"]["code"]) == ("damaged", "DAMAGED")
    listed = service.get("/v1/applications?state=dead&code=DAMAGED").json["applications"]
    assert [application["applicationId"] for application in listed] == ["bad"]
    lines = service.must_log("application_damaged")
    assert [(line["application"], line["field"]) for line in lines] == [("bad", field)]
    assert service.metric("seek_signal_damaged_total") == 1
    shown = service.run("dead", "list", "--code", "DAMAGED", listen=service.address, ops_listen=service.ops)
    assert shown.returncode == 0 and "bad" in shown.stdout, shown


def replay(service):
    return service.call("POST", "/v1/applications/bad/replay", {})


@pytest.mark.parametrize("command, field", [
    (["HDEL", BAD, "event"], "event"), (["HDEL", BAD, "accepted"], "accepted"), (["HSET", BAD, "state", "banana"], "state"),
    (["HSET", BAD, "attempts", "many"], "attempts"), (["HSET", BAD, "completed", "never"], "completed"),
    (["HSET", BAD, "event", "11111111-2222-4333-8444-55550000\r\n00"], "event"), (["HSET", BAD, "accepted", "1e12"], "accepted"),
    (["HSET", BAD, "p", "x"], "p"), (["HDEL", BAD, "p"], "state"),
])
def it_sets_aside_and_mends_what_is_damaged(paused, sandbox, redis, command, field):
    if command[2] != "p":
        redis.spread("bad")
    redis.cli(*command)
    resume(paused)
    must_be_set_aside(paused, field)
    assert replay(paused).status == 202
    paused.must_become("bad", "delivered")
    sandbox.must_receive("token-bad")


def it_sends_what_has_a_bad_trace_without_it(paused, sandbox, redis):
    redis.cli("HSET", BAD, "trace", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nX-Evil: yes")
    resume(paused)
    paused.must_become("bad", "delivered")
    sandbox.must_receive("token-bad")
    headers = str([request for request in sandbox.calls() if request["kind"] == "graphql"])
    assert "evil" not in headers.lower()


def it_asks_for_the_seek_token_where_that_is_gone(paused, sandbox, redis):
    redis.cli("HDEL", BAD, "token")
    resume(paused)
    must_be_set_aside(paused, "token")
    refusal = replay(paused)
    assert (refusal.status, refusal.json["code"]) == (409, "application_damaged")
    paused.must_post(event("bad", TOKEN))
    paused.must_become("bad", "delivered")


def it_leaves_a_key_that_is_not_ours_until_it_is_deleted(paused, sandbox, redis):
    redis.cli("SET", BAD, "text")
    resume(paused)
    must_be_set_aside(paused, "key")
    results = paused.must_post([event("new", "token-new"), event("bad", TOKEN)])["results"]
    assert [result["status"] for result in results] == [202, 409]
    assert results[1]["code"] == "application_damaged"
    for refusal in (paused.post("/v1/events", event("bad", TOKEN)), replay(paused),
                    paused.call("PUT", "/v1/applications/bad/token", {"token": TOKEN})):
        assert (refusal.status, refusal.json["code"]) == (409, "application_damaged"), refusal
    assert redis.cli("GET", BAD) == "text"
    assert paused.call("DELETE", "/v1/applications/bad").status == 204
    assert paused.get("/v1/applications/bad").status == 404
    paused.must_post(event("bad", TOKEN))
    paused.must_become("bad", "delivered")


def it_replays_many_that_are_damaged(paused, redis):
    redis.spread("bad")
    redis.cli("HDEL", BAD, "event")
    redis.cli("SET", "seek-signal:{0}:app:other", "text")
    assert paused.post("/v1/events", event("other", TOKEN)).status == 409
    resume(paused)
    eventually(lambda: paused.metric("seek_signal_damaged_total") == 2, "both are set aside")
    answer = paused.call("POST", "/v1/replay", {"state": "dead", "code": "DAMAGED"}).json
    assert (answer["matched"], answer["looked"], answer["more"]) == (1, 2, False)
    paused.must_become("bad", "delivered")


def it_drains_the_spool_past_it(stand, sandbox, redis):
    service = stand.service(sandbox, redis_url=redis.url, spool_dir=f"{stand.directory}/spool").start()
    eventually(lambda: service.get("/v1/status").json["store"]["ready"], "Redis is connected")
    redis.cli("SET", BAD, "text")
    redis.kill()
    eventually(lambda: service.get("/v1/status").json["store"]["ready"] is False, "the service has noticed")
    for name in ("good", "bad", "fine"):
        assert service.must_post(event(name, f"token-{name}"))["durability"] == "spool"
    redis.start()
    service.must_become("good", "delivered")
    service.must_become("fine", "delivered")
    assert [line["application"] for line in service.must_log("spool_damaged")] == ["bad"]
    service.must_log("spool_set_aside")  # what was spooled for it is kept


def it_says_which_key_stops_everything(service, redis):
    redis.cli("SET", "seek-signal:{0}:due", "text")
    service.post("/v1/events", event("A-1"))
    eventually(lambda: "seek-signal:{0}:due" in call(service.ops, "GET", "/readyz").body.decode(), "readiness names it")
    redis.cli("DEL", "seek-signal:{0}:due")
    eventually(lambda: call(service.ops, "GET", "/readyz").status == 200, "it is ready again")
    service.must_post(event("A-2"))
    service.must_become("A-2", "delivered")


@pytest.mark.parametrize("command, field", [(["SET", BAD, "text"], "key"), (["HDEL", BAD, "token"], "token")])
def it_tells_of_dead_ones_that_a_replay_meets(service, sandbox, redis, command, field):
    """No claim meets what is dead already."""
    sandbox.fault(kind="forbidden", count=2)
    for name in ("bad", "fine"):
        service.must_post(event(name, f"token-{name}"))
        service.must_become(name, "dead")
    redis.cli(*command)
    done = service.run("dead", "replay", "--code", "FORBIDDEN", listen=service.address, ops_listen=service.ops)
    assert done.returncode == 0 and done.stdout.startswith("1 is sent again"), done
    service.must_become("fine", "delivered")
    must_be_set_aside(service, field)


def it_tells_of_a_dead_one_that_is_replayed_alone(service, sandbox, redis):
    sandbox.fault(kind="forbidden", count=1)
    service.must_post(event("bad", "token-bad"))
    service.must_become("bad", "dead")
    redis.cli("HDEL", BAD, "token")
    assert replay(service).status == 409
    must_be_set_aside(service, "token")
    assert replay(service).status == 409
    must_be_set_aside(service, "token")


def it_goes_on_with_a_redis_that_somebody_has_emptied(service, sandbox, redis):
    """As troubleshooting.md has it: nothing tells, except that a pause ends without anybody's word."""
    sandbox.fault(kind="forbidden", count=1)
    service.must_post(event("dead", "token-dead"))
    service.must_become("dead", "dead")
    service.call("POST", "/v1/pause", {})
    service.must_post(event("waits", "token-waits"))
    redis.cli("FLUSHDB")
    service.must_log("sending_resumed")
    assert service.logs("resume_asked") == [] and service.get("/readyz").status == 200
    counts = eventually(lambda: (lambda signals: signals["due"] == signals["dead"] == 0 and signals)(service.get("/v1/status").json["signals"]), "counted")
    assert counts and service.application("dead") is None and service.application("waits") is None
    service.must_post(event("new", "token-new"))
    service.must_become("new", "delivered")
