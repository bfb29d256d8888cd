# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""A memory limit, as containers have it."""
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import resource
import signal
import socket
import tempfile
import time

import pytest

from machine import MemoryLimit
from stand import BUILD, ROOT, SERVICE, call, event, eventually

MIB = 1 << 20


@pytest.fixture
def limit():
    limit = MemoryLimit(f"seek-signal-test-{os.getpid()}")
    yield limit
    limit.remove()


@pytest.fixture
def disk():
    with tempfile.TemporaryDirectory(prefix="seek-signal-test-", dir="/var/tmp") as directory:
        yield pathlib.Path(directory)


def batch(name, count=1000, token_bytes=3000):
    """3 MB."""
    return [event(f"{name}-{n}", f"t-{name}-{n}-" + "x" * token_bytes) for n in range(count)]


def post(service, name):
    """The applications of the batch that were acknowledged."""
    try:
        answer = call(service.address, "POST", "/v1/events", batch(name))
    except (OSError, http.client.HTTPException):
        return []
    if answer.status != 202:
        return []
    return [result["applicationId"] for result in answer.json["results"] if result.get("result")]


def optimised():
    """What users get: sanitizers take many times the memory."""
    for binary in (SERVICE, ROOT / "build" / "release" / "service" / "seek-signal"):
        if binary.exists() and b"__asan_init" not in binary.read_bytes() and b"__tsan_init" not in binary.read_bytes():
            return binary
    return pytest.skip(f"neither {BUILD} nor build/release has an optimised build")


def it_stays_within_64_mib_under_a_load_of_large_batches(stand, redis, sandbox, limit, disk):
    binary = optimised()
    service = stand.service(sandbox, redis_url=redis.url)
    service.log_path = disk / "service.log"  # a file in memory would count
    limit.govern(service, 64 * MIB)
    spawn = service.spawn
    service.spawn = lambda arguments, environment: spawn([binary, *arguments[1:]], environment)
    service.start()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        taken = sum(pool.map(lambda n: len(post(service, f"A-{n}")), range(8)))
    assert taken == 8000
    eventually(lambda: service.get("/v1/status").json["signals"]["due"] == 0, "all is delivered", patience=120)
    service.must_log("listening")
    assert service.is_running()
    service.must_stop()


def it_loses_nothing_that_was_acknowledged_when_memory_ends_it(stand, redis, sandbox, limit):
    service = stand.service(sandbox, redis_url=redis.url)
    limit.govern(service, 4096 * MIB)
    service.start()
    sandbox.fault(on="graphql", kind="status", status=503, count=0)
    acknowledged = post(service, "A")
    assert len(acknowledged) == 1000
    limit.set(limit.used() + 2 * MIB)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for more in pool.map(lambda n: post(service, f"B-{n}"), range(16)):
            acknowledged += more
    eventually(lambda: not service.is_running(), "the kernel has ended it")
    assert service.child.returncode == -signal.SIGKILL
    limit.set(4096 * MIB)
    sandbox.clear_faults()
    service.start()
    assert set(acknowledged) <= redis.application_ids()
    eventually(lambda: service.get("/v1/status").json["signals"]["due"] == 0, "all is delivered", patience=120)
    tokens = {c["seekToken"] for c in sandbox.calls("graphql") if c["outcome"] == "delivered"}
    assert {f"t-{id}-" + "x" * 3000 for id in acknowledged} <= tokens
    service.must_stop()


# --- without a limit: what it needs, and what it gives back

def resident(service):
    return int(pathlib.Path(f"/proc/{service.child.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def optimised_service(stand, redis, **settings):
    binary = optimised()
    service = stand.service(redis_url=redis.url, **settings)
    spawn = service.spawn
    service.spawn = lambda arguments, environment: spawn([binary, *arguments[1:]], environment)
    return service.start()


def connect(service):
    host, port = service.address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=10)


def begin_body(service, length, missing=1, body=b"x"):
    """A client whose body of this length stops before its end."""
    client = connect(service)
    client.sendall(b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                   b"Content-Length: %d\r\n\r\n" % length)
    with contextlib.suppress(OSError):
        client.sendall(body * (length - missing))
    return client


def must_give_back(service, before):
    """Ten seconds later."""
    with contextlib.suppress(AssertionError):
        eventually(lambda: resident(service) < 1.5 * before, "memory is given back", patience=10)
    assert resident(service) < 1.5 * before, [f"{n / MIB:.1f} MiB" for n in (resident(service), before)]


def it_has_room_for_so_many_bytes_of_bodies_and_gives_it_back(stand, redis):
    service = optimised_service(stand, redis, read_timeout_ms=20000)
    before = resident(service)
    with contextlib.ExitStack() as clients:
        for _ in range(300):
            clients.enter_context(begin_body(service, 4 * MIB))
        assert resident(service) < 128 * MIB
        service.must_log("listening")
        # Small ones are taken all the same.
        assert call(service.address, "POST", "/v1/events", event("A-1", "t-1")).status == 202
        refused = clients.enter_context(begin_body(service, 4 * MIB, missing=0))
        answer = refused.recv(4096).decode()
        assert answer.startswith("HTTP/1.1 503 ") and "Retry-After: 1" in answer and '"code":"bodies_full"' in answer
        assert "seek_signal_http_bodies_refused_total 1" in call(service.ops, "GET", "/metrics").body.decode()
        assert [line["code"] for line in service.must_log("intake_unavailable")] == ["bodies_full"]
    must_give_back(service, before)
    # There is room again.
    whole = json.dumps(event("A-2", "t-2")).encode().ljust(4 * MIB)
    assert call(service.address, "POST", "/v1/events", whole, {"Content-Type": "application/json"}).status == 202
    service.must_stop()


def it_gives_back_what_thousands_of_connections_took(stand, redis):
    service = optimised_service(stand, redis, max_connections=5000)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384), hard))
    before = resident(service)
    with contextlib.ExitStack() as clients:
        for _ in range(4000):
            client = clients.enter_context(connect(service))
            client.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        eventually(lambda: "seek_signal_http_connections 4000" in call(service.ops, "GET", "/metrics").body.decode(), "all are in")
    must_give_back(service, before)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    service.must_stop()


@pytest.mark.parametrize("item", ["{}", "[]", "1", '{"a":{}}', '{"applicationId":[{}]}'])
def it_reads_no_body_into_a_tree_of_a_hundred_times_its_size(item, stand, redis):
    service = optimised_service(stand, redis)
    before = resident(service)
    many = ("[" + ",".join([item] * (4_000_000 // (len(item) + 1))) + "]").encode()
    for body in (many, b'{"applicationId":"A-1","data":' + many + b"}"):
        begun = time.monotonic()
        answer = call(service.address, "POST", "/v1/events", body, {"Content-Type": "application/json"})
        assert answer.status in (400, 413, 422) and answer.json["code"] in ("not_json", "batch_too_long"), answer
        assert time.monotonic() - begun < 10
        peak = int(next(line.split()[1] for line in pathlib.Path(f"/proc/{service.child.pid}/status").read_text().splitlines()
                        if line.startswith("VmHWM"))) * 1024
        assert peak < before + 48 * MIB
    must_give_back(service, before)
    service.must_stop()
