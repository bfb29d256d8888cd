# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""What the API takes, and what it says when it does not."""
import concurrent.futures
import json
import re
import signal
import socket

import pytest

from stand import TOKEN, event, eventually

NDJSON = {"Content-Type": "application/x-ndjson"}


def it_takes_an_array_with_a_bad_one_among_good_ones(service, sandbox):
    answer = service.must_post([event("A-1", "one"), {"applicationId": "A-2", "token": "a b"}, event("A-3", "three")])
    first, bad, third = answer["results"]
    assert first["result"] == third["result"] == "accepted"
    assert bad["status"] == 422 and bad["field"] == "token" and bad["remedy"]
    sandbox.must_receive("one")
    sandbox.must_receive("three")


def it_takes_ndjson(service, sandbox):
    lines = "\n".join(json.dumps(event(f"A-{n}", f"t-{n}")) for n in range(3)) + "\n\nnot json\n"
    results = service.must_post(lines, headers=NDJSON)["results"]
    assert [r.get("result") for r in results] == ["accepted"] * 3 + [None]
    assert results[3]["code"] == "not_json"
    for n in range(3):
        sandbox.must_receive(f"t-{n}")


def it_refuses_a_batch_without_one_good_event(service):
    assert service.post("/v1/events", [{"applicationId": ""}, {}]).status == 422


def cloud_event(**members):
    return {"specversion": "1.0", "id": "1", "source": "/ats", "type": "application.completed"} | members


def it_takes_cloud_events_structured_binary_and_batched(service, sandbox):
    service.must_post(json.dumps(cloud_event(data=event("A-1", "structured"))),
                      headers={"Content-Type": "application/cloudevents+json"})
    service.must_post(json.dumps(event("A-2", "binary")), headers={
        "Content-Type": "application/json", "ce-specversion": "1.0", "ce-id": "2", "ce-source": "/ats",
        "ce-type": "application.completed"})
    service.must_post(json.dumps([cloud_event(data=event("A-3", "batched"))]),
                      headers={"Content-Type": "application/cloudevents-batch+json"})
    for token in ("structured", "binary", "batched"):
        sandbox.must_receive(token)


def it_takes_the_time_of_a_cloud_event_unless_the_event_names_its_own(service, sandbox):
    time, own = "2026-01-02T03:04:05.678Z", "2026-01-01T00:00:00.000Z"
    structured = {"Content-Type": "application/cloudevents+json"}
    binary = {"Content-Type": "application/json", "ce-specversion": "1.0", "ce-id": "2", "ce-source": "/ats",
              "ce-type": "application.completed", "ce-time": time}
    service.must_post(json.dumps(cloud_event(time=time, data=event("A-1", "structured"))), headers=structured)
    service.must_post(json.dumps(cloud_event(time=time, data=event("A-2", "named", completedAt=own))), headers=structured)
    service.must_post(json.dumps(event("A-3", "binary")), headers=binary)
    for token, sent in (("structured", time), ("named", own), ("binary", time)):
        assert sandbox.must_receive(token)[0]["timestamp"] == sent
    for headers, body in ((structured, cloud_event(time="yesterday", data=event("A-4", "late"))),
                          (binary | {"ce-time": "yesterday"}, event("A-4", "late"))):
        refused = service.must_post(json.dumps(body), 422, headers=headers)
        assert (refused["code"], refused["field"]) == ("completed_at_invalid", "time")


REFUSED = [
    ("{", 400, "not_json", ""), ('{"applicationId":"A","token":"t"} x', 400, "not_json", ""),
    ("", 400, "not_json", ""), ('"text"', 400, "not_an_object", ""), ('{"applicationId":"A","token":"t","token":"u"}', 400, "repeated_member", "token"),
    ('{"applicationId":"A","token":"t\\u0000"}', 400, "not_json", ""), (b'{"applicationId":"\xff","token":"t"}', 400, "not_json", ""),
    ('{"applicationId":"A","token":' + "[" * 17 + "]" * 17 + "}", 400, "not_json", ""), ("[]", 400, "empty_batch", ""),
    ('{"token":"t"}', 422, None, "applicationId"), ('{"applicationId":"","token":"t"}', 422, None, "applicationId"),
    ('{"applicationId":7,"token":"t"}', 422, None, "applicationId"),
    ('{"applicationId":"' + "x" * 257 + '","token":"t"}', 422, None, "applicationId"),
    ('{"applicationId":"a\\nb","token":"t"}', 422, None, "applicationId"),
    ('{"applicationId":"A","token":" t"}', 422, None, "token"),
    ('{"applicationId":"A","token":"t%3D"}', 422, None, "token"),
    ('{"applicationId":"A","token":"' + "x" * 4097 + '"}', 422, None, "token"),
    ('{"applicationId":"A","token":"t","type":"application.started"}', 422, None, "type"),
    ('{"applicationId":"A","token":"t","completedAt":"yesterday"}', 422, None, "completedAt"),
    ('{"applicationId":"A","applicationUri":"/?seek-token=t"}', 422, None, "applicationUri"),
    ('{"applicationId":"A","applicationUri":"https://x.example/#/?seek-token=t"}', 422, None, "applicationUri"),
    # There is none, which is nobody's mistake.
    ('{"applicationId":"A"}', 409, "token_missing", "token"), ('{"applicationId":"A","token":""}', 409, "token_missing", "token"),
    ('{"applicationId":"A","token":"https://ats.example/apply?seek-token=t"}', 422, "token_invalid", "token"),
    ('{"applicationId":"A","token":"undefined"}', 422, "token_invalid", "token"),
    ('{"applicationId":"A","token":null}', 409, "token_missing", "token"),
    ('{"applicationId":"A","applicationUri":"https://x.example/?a=b"}', 409, "token_missing", "token"),
]


@pytest.mark.parametrize("body, status, code, field", REFUSED)
def it_refuses_with_field_and_remedy(stand_once, body, status, code, field):
    answer = stand_once.post("/v1/events", body, {"Content-Type": "application/json"})
    assert answer.status == status, answer
    problem = answer.json
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["status"] == status and problem["retryable"] is False and problem["detail"]
    assert code is None or problem["code"] == code
    assert problem.get("field", "") == field


@pytest.fixture(scope="module")
def stand_once():
    """One service for all the refusals: none of them changes anything."""
    from stand import Stand
    stand = Stand()
    redis = stand.redis()
    service = stand.service(stand.sandbox(), redis_url=redis.url).start()
    yield service
    kept = {f"seek-signal:{{0}}:{name}" for name in ("layout", "shards", "environment", "mark")}
    assert set(redis.cli("KEYS", "*").split()) <= kept, "a refused event left something in Redis"
    service.must_stop()
    stand.close()


def it_takes_an_event_without_a_seek_token_for_the_one_that_is_stored(service, sandbox):
    """So the repeat of an event is recognised by its seek-token alone, also after a newer one."""
    def put(token):
        assert service.call("PUT", "/v1/applications/A-1/token", {"token": token}).status == 204
    put("t-1")
    first = service.must_post({"applicationId": "A-1"})
    service.must_become("A-1", "delivered")
    assert service.must_post({"applicationId": "A-1"}, 200)["eventId"] == first["eventId"]
    put("t-2")
    repeats = [service.must_post(event("A-1", "t-1"), 200) for _ in range(2)]
    assert [(repeat["result"], repeat["state"]) for repeat in repeats] == [("duplicate", "draft")] * 2
    assert len({first["eventId"], *(repeat["eventId"] for repeat in repeats)}) == 3
    assert service.must_post({"applicationId": "A-1"})["result"] == "accepted"
    sandbox.must_receive("t-2")
    assert len(sandbox.signals("t-1")) == 1


def it_says_409_when_there_is_no_token(service):
    problem = service.post("/v1/events", {"applicationId": "A-1"})
    assert problem.status == 409 and problem.json["field"] == "token"


def it_says_409_of_a_member_that_may_be_mistyped(stand_once):
    of_others = "has members with other names"
    for body, is_told in (({"applicationId": "A-1", "seekToken": "t"}, True), ({"applicationId": "A-1", "seek-token": "t", "token": None}, True),
                          ({"applicationId": "A-1", "token": "", "applicationUri": None, "completedAt": None}, False)):
        assert (of_others in stand_once.must_post(body, 409)["detail"]) == is_told, body
    both = [{"applicationId": "A-1"}, {"applicationId": "A-2", "Token": "t"}]
    results = stand_once.must_post(both, 422)["results"]
    assert [of_others in result["detail"] for result in results] == [False, True]
    assert all("did not come from SEEK" in result["remedy"] for result in results)
    for body, is_told in (({"seekToken": "t"}, True), ({"token": "", "Token": "t"}, True), ({"applicationUri": "https://x.example/", "Token": "t"}, True),
                          ({}, False), ({"token": None, "applicationUri": None}, False), ({"applicationUri": "https://x.example/"}, False)):
        refused = stand_once.call("PUT", "/v1/applications/A-1/token", body)
        assert refused.status == 409 and (of_others in refused.json["detail"]) == is_told, body


@pytest.mark.parametrize("media_type, body, remedy", [
    ("application/x-ndjson", json.dumps(event("A-1")) + json.dumps(event("A-2")), "--data-binary"),  # as curl's -d leaves it
    ("application/json", json.dumps(cloud_event(data=event("A-1"))), "application/cloudevents+json"),
    ("application/json", json.dumps([cloud_event(data_base64="e30=")]), "application/cloudevents-batch+json"),
])
def it_says_which_media_type_is_meant(stand_once, media_type, body, remedy):
    answer = stand_once.post("/v1/events", body, {"Content-Type": media_type})
    problem = answer.json["results"][0] if "results" in answer.json else answer.json
    assert answer.status == 422 and remedy in problem["remedy"], problem


def it_names_what_it_accepts(stand_once):
    assert stand_once.post("/v1/events", "x", {"Content-Type": "text/plain"}).status == 415
    assert stand_once.post("/v1/events", "", {"Content-Type": "application/json"}).json["detail"] == "The body is empty."
    answer = stand_once.call("PATCH", "/v1/events")
    assert answer.status == 405 and "POST" in answer.headers["Allow"]
    assert stand_once.call("OPTIONS", "/v1/events").headers["Allow"]
    for path in ("/nowhere", "//v1/events", "/v1/events/"):  # as a base URL with a slash at its end makes
        refused = stand_once.must_post({"applicationId": "A"}, 404, path=path)
        assert "slash" in refused["remedy"] and "OPS_LISTEN" in refused["remedy"], path
    head = stand_once.call("HEAD", "/readyz")
    assert head.status == 200 and head.body == b"" and int(head.headers["Content-Length"]) > 0


def it_refuses_bodies_and_heads_that_are_too_large(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, max_body_bytes=1024, max_header_bytes=2048,
                            max_batch=2).start()
    assert service.post("/v1/events", event("A", "x" * 2000)).status == 413
    assert service.post("/v1/events", [event(f"A-{n}") for n in range(3)]).status == 413
    assert service.get("/v1/status", headers={"X": "y" * 3000}).status == 431
    service.must_stop()


def answer_to(service, head):
    """(status, media type) of the answer to a request, or None if the connection is closed without one."""
    with socket.create_connection(service.address.rsplit(":", 1), timeout=10) as connection:
        connection.sendall(head.encode())
        answer = connection.makefile("rb").read(4096).decode()
    found = re.match(r"HTTP/1.1 (\d+).*?(?:\r\nContent-Type: (\S+)|\r\n\r\n(<html>))", answer, re.S)
    return found and (int(found[1]), found[2] or found[3])


def it_answers_a_head_that_is_too_large_as_the_documents_say(service):
    """docs/errors.md: a problem document, nothing, a page of the HTTP library."""
    def headed(beyond):
        head = f"GET /v1/status HTTP/1.1\r\nHost: {service.address}\r\nConnection: close\r\nX: "
        padding = 8192 + beyond - len(head) - len("\r\n\r\n") - 3 * 64  # each header counts that much more
        return answer_to(service, head + "y" * padding + "\r\n\r\n")
    assert headed(0)[0] == 200
    assert headed(1) == headed(1100) == (431, "application/problem+json")
    assert headed(1500) is None
    assert headed(1600) == (431, "<html>")
    assert answer_to(service, f"GET /v1/status?{'y' * 20000} HTTP/1.1\r\nHost: {service.address}\r\n\r\n") == (414, "<html>")


def it_closes_a_request_that_comes_too_slowly(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, read_timeout_ms=300).start()
    host, port = service.address.split(":")
    for start in (b"GET /v1/sta", b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                  b"Content-Length: 100\r\n\r\n{"):
        with socket.create_connection((host, int(port)), timeout=10) as slow:
            slow.sendall(start)
            slow.settimeout(10)
            got = slow.recv(4096)
            assert got == b"", got
    service.must_post(event("A-1"))
    service.must_stop()


def it_answers_401_without_the_key_and_serves_with_it(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, api_key="k-1234567890-abcdef").start()
    answer = service.post("/v1/events", event("A-1"))
    assert answer.status == 401 and answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert service.post("/v1/events", event("A-1"), {"Authorization": "Bearer wrong"}).status == 401
    assert service.post("/v1/events", event("A-1"), {"Authorization": "Bearer k-1234567890-abcdef"}).status == 202
    assert service.get("/readyz").status == 200
    service.must_stop()


def it_listens_on_a_unix_socket(stand, redis, sandbox, tmp_path):
    path = f"unix:{tmp_path}/api.sock"
    service = stand.service(sandbox, redis_url=f"unix://{redis.socket}", listen=path).start()
    assert service.address == path
    service.must_post(event("A-1"))
    sandbox.must_receive(TOKEN)
    service.must_stop()


@pytest.mark.parametrize("kind", ["port", "unix"])
def it_shares_its_address_among_its_threads_and_with_nobody_else(kind, stand, redis, sandbox, tmp_path):
    listen = "127.0.0.1:0" if kind == "port" else f"unix:{tmp_path}/api.sock"
    service = stand.service(sandbox, redis_url=redis.url, listen=listen, intake_threads=3).start()
    second = stand.service(sandbox).run("serve", redis_url=redis.url, listen=service.address, intake_threads=3,
                                        ops_listen="127.0.0.1:0")
    assert second.returncode != 0 and "LISTEN" in second.stderr
    for n in range(30):
        service.must_post(event(f"A-{n}", f"t-{n}"))
    for n in range(30):
        sandbox.must_receive(f"t-{n}")
    service.must_stop()


def it_waits_for_the_final_state_when_asked(service, sandbox):
    done = service.post("/v1/events?wait=10s", event("A-1"))
    assert done.status == 200 and done.json["state"] == "delivered"
    sandbox.fault(on="graphql", kind="forbidden", count=1)
    dead = service.post("/v1/events?wait=10s", event("A-2", "t-2"))
    assert dead.status == 200 and dead.json["state"] == "dead"
    sandbox.fault(on="graphql", kind="hang", count=1)
    pending = service.post("/v1/events?wait=200ms", event("A-3", "t-3"))
    assert pending.status == 202 and pending.json["state"] in ("pending", "sending")
    assert service.post("/v1/events?wait=forever", event("A-4", "t-4")).status == 400
    sandbox.clear_faults()


def it_commits_many_requests_with_few_script_calls(service, redis):
    before = script_calls(redis)
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda n: service.post("/v1/events", event(f"A-{n}", f"t-{n}")), range(400)))
    assert {a.status for a in answers} == {202}
    for n in range(400):
        assert redis.cli("EXISTS", f"seek-signal:{{0}}:app:A-{n}") == "1"
    assert script_calls(redis) > before


def script_calls(redis):
    return sum(int(line.split("calls=")[1].split(",")[0]) for line in redis.cli("INFO", "commandstats").splitlines()
               if line.startswith("cmdstat_eval"))


def it_says_503_while_redis_is_gone_and_recovers_by_itself(service, redis, sandbox):
    redis.kill()
    answer = eventually(lambda: (a := service.post("/v1/events", event("A-1"))).status == 503 and a, "503")
    assert answer.headers["Retry-After"] and answer.json["retryable"] is True
    assert service.get("/readyz").status == 503 and service.get("/livez").status == 200
    redis.start()
    eventually(lambda: service.get("/readyz").status == 200, "ready again")
    service.must_post(event("A-1"))
    sandbox.must_receive(TOKEN)


def it_says_503_while_redis_hangs_and_recovers_by_itself(stand, redis, sandbox):
    # Short attempts, hence short leases: a claim that hung with Redis is executed afterwards, for nobody.
    service = stand.service(sandbox, redis_url=redis.url, request_timeout_ms=500).start()
    redis.send(signal.SIGSTOP)
    answer = service.post("/v1/events", event("A-1"))
    assert answer.status == 503
    redis.send(signal.SIGCONT)
    eventually(lambda: service.post("/v1/events", event("A-1")).status in (200, 202), "taken")
    sandbox.must_receive(TOKEN)
    service.must_stop()


def it_survives_clients_that_go_away_while_their_batch_is_committed(service, redis, sandbox):
    redis.send(signal.SIGSTOP)
    body = json.dumps(event("A-1")).encode()
    request = (b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
               % len(body)) + body
    host, port = service.address.split(":")
    for _ in range(20):
        with socket.create_connection((host, int(port))) as gone:
            gone.sendall(request)
    redis.send(signal.SIGCONT)
    eventually(lambda: service.get("/readyz").status == 200, "ready")
    service.must_post(event("A-2", "t-2"))
    sandbox.must_receive("t-2")


def it_reloads_scripts_that_redis_forgot(service, redis, sandbox):
    redis.cli("SCRIPT", "FLUSH")
    service.must_post(event("A-1"))
    sandbox.must_receive(TOKEN)


def it_is_not_ready_with_less_durability_than_demanded(stand, redis, sandbox):
    redis.cli("CONFIG", "SET", "appendfsync", "everysec")
    service = stand.service(sandbox, redis_url=redis.url, durability="fsync").start(is_ready=False)
    answer = eventually(lambda: (a := service.get("/readyz")).status == 503 and "fsync" in a.body.decode() and a,
                        "not ready, with the reason")
    assert answer.status == 503
    assert service.post("/v1/events", event("A-1")).status == 503
    service.must_stop()


def it_names_the_durability_that_redis_gives(stand, redis, sandbox):
    redis.cli("CONFIG", "SET", "appendfsync", "everysec")
    service = stand.service(sandbox, redis_url=redis.url).start()
    assert service.must_post(event("A-1"))["durability"] == "redis"
    service.must_stop()


def it_warns_of_durability_that_falls_while_it_runs(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url).start()
    assert service.must_post(event("A-1"))["durability"] == "fsync"
    assert service.metric("seek_signal_durability_fallen") == 0

    def look_again(setting):
        redis.cli("CONFIG", "SET", "appendfsync", setting)
        redis.cli("CLIENT", "KILL", "TYPE", "normal")  # sooner than its check every 30 seconds
    look_again("everysec")
    eventually(lambda: service.metric("seek_signal_durability_fallen") == 1, "the fall is seen")
    assert service.must_post(event("A-2"))["durability"] == "redis"
    lines = eventually(lambda: [line for line in service.logs("durability_fallen") if line["role"].startswith("intake")], "it is told")
    assert {(line["level"], line["before"], line["durability"]) for line in lines} == {("warn", "fsync", "redis")}
    redis.kill()
    eventually(lambda: service.get("/readyz").status == 503, "Redis is away")
    assert service.metric("seek_signal_durability_fallen") == 1, "nothing is known that is better"
    redis.start()  # with the settings that it had
    eventually(lambda: service.metric("seek_signal_durability_fallen") == 0, "and is over")
    eventually(lambda: service.logs("durability_back"), "it is told")
    service.must_stop()


def it_refuses_events_that_redis_has_no_memory_for(service, redis):
    redis.cli("CONFIG", "SET", "maxmemory", "1mb")
    redis.try_cli("CONFIG", "SET", "maxmemory", "1")
    answer = service.post("/v1/events", event("A-1"))
    assert answer.status == 503 and answer.json["retryable"] is True
    not_ready = eventually(lambda: (a := service.get("/readyz")).status == 503 and a, "not ready")
    assert "memory" in not_ready.json["detail"]
    redis.cli("CONFIG", "SET", "maxmemory", "0")
    eventually(lambda: service.post("/v1/events", event("A-1")).status in (200, 202), "taken again")
    eventually(lambda: service.get("/readyz").status == 200, "ready again")


def it_ends_the_start_when_a_port_is_taken(stand, redis, sandbox):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        for setting in ("listen", "ops_listen"):
            done = stand.service(sandbox).run("serve", redis_url=redis.url, **{setting: address})
            assert done.returncode != 0 and address in done.stderr
