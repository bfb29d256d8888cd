# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""More connections than there is room for: nobody who is idle, slow or waiting keeps the others out."""
import concurrent.futures
import contextlib
import json
import re
import socket
import time

from stand import call, event, eventually

PROBE = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"


def connect(address):
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=10)


@contextlib.contextmanager
def crowd(address, count, request):
    """Connections that send this and then keep silent."""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            client = stack.enter_context(connect(address))
            client.sendall(request)
        yield


def metric(service, name):
    text = call(service.ops, "GET", "/metrics").body.decode()
    return float(re.search(rf"^{re.escape(name)} (\S+)$", text, re.M).group(1))


def seconds(action):
    begun = time.monotonic()
    action()
    return time.monotonic() - begun


def must_answer(address, path):
    assert call(address, "GET", path, timeout=20).status == 200


def it_answers_probes_beside_400_silent_connections(stand, redis):
    service = stand.service(redis_url=redis.url).start()
    for request in (PROBE, b"", b"GET /livez HTTP/1.1\r\nX-Slow: "):
        with crowd(service.ops, 400, request):
            took = [seconds(lambda: must_answer(service.ops, "/livez")) for _ in range(8)]
        assert max(took) < 8, (request, took)  # who is let in only after READ_TIMEOUT_MS waits for ten seconds
    assert metric(service, 'seek_signal_http_evicted_total{listener="ops"}') > 300
    told = eventually(lambda: service.logs("connections_full"), "it tells that there is no room")
    assert told[0]["listener"] == "ops"
    eventually(lambda: service.logs("connections_free"), "and that there is room again")
    service.must_stop()


def it_takes_events_beside_more_silent_connections_than_it_may_have(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, max_connections=40, intake_threads=1).start()
    with crowd(service.address, 200, PROBE):
        for n in range(8):
            assert call(service.address, "POST", "/v1/events", event(f"A-{n}", f"t-{n}"), timeout=20).status == 202
        status = service.get("/v1/status").json["intake"]
        assert status["full"] is True and 35 <= status["connections"] <= 40
        ready = call(service.ops, "GET", "/readyz")
        assert ready.status == 200 and "connections are taken" in ready.json["warning"]
        assert metric(service, 'seek_signal_http_full{listener="api"}') == 1
        eventually(lambda: metric(service, 'seek_signal_http_evicted_total{listener="api"}') > 150, "all have been accepted")
    eventually(lambda: service.get("/v1/status").json["intake"]["full"] is False, "there is room again")
    service.must_log("connections_full")
    service.must_log("connections_free")
    assert metric(service, 'seek_signal_http_full{listener="api"}') == 0
    service.must_stop()


def it_lets_an_address_have_so_many_connections(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, max_connections_per_address=4, intake_threads=1).start()
    sandbox.fault(on="graphql", kind="hang", count=0)
    wait = json.dumps(event("A-1", "t-1")).encode()
    request = (b"POST /v1/events?wait=5s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
               b"Content-Length: %d\r\n\r\n%s" % (len(wait), wait))
    with crowd(service.address, 4, request):
        eventually(lambda: metric(service, "seek_signal_http_waiters") == 4, "they wait")
        with connect(service.address) as more:
            assert more.recv(1) == b""
            client = "{}:{}".format(*more.getsockname())
        assert metric(service, "seek_signal_http_turned_away_total") == 1
        [line] = service.must_log("connection_turned_away")
        assert line["address"] == client
    service.must_stop()


def it_answers_ordinary_events_beside_a_crowd_that_waits(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, max_connections=64, intake_threads=1).start()
    sandbox.fault(on="graphql", kind="hang", count=0)

    def wait(n):
        begun = time.monotonic()
        answer = call(service.address, "POST", "/v1/events?wait=10s", event(f"W-{n}", f"t-w-{n}"))
        assert answer.status == 202
        return time.monotonic() - begun

    with concurrent.futures.ThreadPoolExecutor(60) as pool:
        waits = [pool.submit(wait, n) for n in range(60)]
        eventually(lambda: metric(service, "seek_signal_http_waiters") == 16, "a quarter of the connections waits")
        for n in range(8):
            took = seconds(lambda: call(service.address, "POST", "/v1/events", event(f"A-{n}", f"t-{n}")))
            assert took < 8, took
        took = [future.result() for future in waits]
    assert sum(t > 9 for t in took) == 16, sorted(took)
    assert metric(service, "seek_signal_http_waits_cut_total") == 44
    service.must_log("waits_full")
    service.must_log("waits_free")
    service.must_stop()
