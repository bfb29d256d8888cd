# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""A memory limit, as containers have it."""
import concurrent.futures
import http.client
import os
import pathlib
import signal

import pytest

from machine import MemoryLimit
from stand import BUILD, ROOT, SERVICE, call, event, eventually

MIB = 1 << 20


@pytest.fixture
def limit():
    limit = MemoryLimit(f"seek-signal-test-{os.getpid()}")
    yield limit
    limit.remove()


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


def it_stays_within_64_mib_under_a_load_of_large_batches(stand, redis, sandbox, limit):
    binary = optimised()
    service = stand.service(sandbox, redis_url=redis.url)
    limit.govern(service, 64 * MIB)
    spawn = service.spawn
    service.spawn = lambda arguments, environment: spawn([binary, *arguments[1:]], environment)
    service.start()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        taken = sum(pool.map(lambda n: len(post(service, f"A-{n}")), range(8)))
    assert taken == 8000
    eventually(lambda: service.get("/v1/status").json["signals"]["due"] == 0, "all is delivered", patience=120)
    assert len(service.logs("listening")) == 1 and service.is_running()
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
