# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""A Redis whose limits are small: what fails for its size is not repeated at that size."""
import contextlib
import socket
import subprocess

import pytest

from stand import event, eventually

COUNT = 100


@pytest.fixture
def redis(stand):
    """Of each, the least that makes a difference, or the least there can be."""
    return stand.redis("--client-output-buffer-limit", "normal 200kb 100kb 1", "--client-query-buffer-limit", "1mb",
                       "--proto-max-bulk-len", "1mb")


def long_events(count, first=0):
    return [{"applicationId": f"A-{number}", "token": f"{number:06}-".ljust(4000, "x")} for number in range(first, first + count)]


def it_delivers_although_redis_cuts_long_answers(stand, sandbox, redis):
    service = stand.service(sandbox, redis_url=redis.url, max_in_flight=128, workers=1).start()
    service.call("POST", "/v1/pause", {})
    service.must_post(long_events(COUNT))
    service.call("POST", "/v1/resume", {})
    eventually(lambda: service.metric("seek_signal_delivered_total") == COUNT, "all are delivered")
    assert service.metric("seek_signal_claims_halved_total") >= 2
    service.must_log("claims_shrunk")
    assert all(service.application(f"A-{number}")["attempts"] == 1 for number in range(COUNT))


def it_takes_large_batches(stand, sandbox, redis):
    service = stand.service(sandbox, redis_url=redis.url, max_body_bytes=8 << 20, max_batch=1000).start()
    service.call("POST", "/v1/pause", {})
    results = service.must_post(long_events(1000))["results"]
    assert [result["status"] for result in results] == [202] * 1000


def it_lists_a_large_page_in_pieces(stand, sandbox, redis):
    service = stand.service(sandbox, redis_url=redis.url).start()
    service.call("POST", "/v1/pause", {})
    service.must_post(long_events(COUNT))
    ids, path = [], "/v1/applications?state=due&limit=200"
    while path:
        answer = service.get(path)
        assert answer.status == 200, answer
        ids += [application["applicationId"] for application in answer.json["applications"]]
        cursor = answer.json["cursor"]
        path = cursor and f"/v1/applications?state=due&limit=200&cursor={cursor}"
    assert sorted(ids) == sorted(f"A-{number}" for number in range(COUNT))


def it_drains_a_large_spool(stand, sandbox, redis):
    service = stand.service(sandbox, redis_url=redis.url, spool_dir=f"{stand.directory}/spool", max_body_bytes=8 << 20,
                            max_batch=1000).start()
    eventually(lambda: service.get("/v1/status").json["store"]["ready"], "Redis is connected")
    redis.kill()
    eventually(lambda: service.get("/v1/status").json["store"]["ready"] is False, "the service has noticed")
    service.must_post(long_events(600))
    redis.start()
    eventually(lambda: service.get("/v1/status").json["spool"]["bytes"] == 0, "the spool is drained")
    eventually(lambda: service.metric("seek_signal_delivered_total") == 600, "all are delivered")


def it_calls_a_full_redis_unfit(stand, sandbox):
    redis = stand.redis()
    service = stand.service(sandbox, redis_url=redis.url, intake_threads=1).start()
    redis.cli("CONFIG", "SET", "maxmemory", "1")
    assert service.post("/v1/events", event("A-1")).status == 503
    line = eventually(lambda: [line for line in service.logs("redis_unfit") if line["role"] == "intake-0"], "it is in the log")[0]
    assert line["level"] == "error" and "maxmemory" in line["message"]
    redis.cli("CONFIG", "SET", "maxmemory", "0")
    eventually(lambda: service.post("/v1/events", event("A-1")).status == 202, "events are taken again")
    eventually(lambda: len([line for line in service.logs("redis_ready") if line["role"] == "intake-0"]) == 2, "it is fit again")
    assert {line["level"] for line in service.logs("redis_ready")} == {"info"}


def it_says_that_redis_has_all_its_clients_and_what_frees_a_place(stand, sandbox):
    """As troubleshooting.md has it: redis-cli is refused like everybody, until a client is stopped."""
    redis = stand.redis("--maxclients", "12")
    service = stand.service(sandbox, redis_url=redis.url, workers=1).start()
    with contextlib.ExitStack() as held:
        def is_full():
            held.enter_context(socket.create_connection(("127.0.0.1", redis.port)))
            return redis.try_cli("PING") != "PONG"
        eventually(is_full, "others take the rest")
        refused = subprocess.run(["redis-cli", "-p", str(redis.port), "CLIENT", "LIST"], capture_output=True, text=True, timeout=30)
        assert "max number of clients" in refused.stdout + refused.stderr, refused
        done = service.run("check")
        assert done.returncode == 1 and "Redis has reached its maximum number of clients (maxclients)" in done.stdout, done
        service.must_stop()
        assert redis.cli("CLIENT", "LIST").count("addr=127.0.0.1") > 5
        assert redis.cli("CONFIG", "SET", "maxclients", "100") == "OK"
        service.start()
        service.must_stop()
