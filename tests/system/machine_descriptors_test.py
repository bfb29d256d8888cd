# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Descriptors that run out. Who is connected is served, who is not waits, and waiting costs nothing."""
import contextlib
import http.client
import json
import os
import pathlib
import resource
import socket
import time

import pytest

from stand import call, event, eventually


def processor_s(service):
    fields = pathlib.Path(f"/proc/{service.child.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def must_rest(service, for_s=1.0):
    """Far from what a loop that goes round and round takes."""
    before = processor_s(service)
    time.sleep(for_s)  # what is measured is a time
    assert processor_s(service) - before < for_s / 4


NONE, ENOUGH = 3, 1024  # no number is free below the former


def limit(service, count):
    resource.prlimit(service.child.pid, resource.RLIMIT_NOFILE, (count, ENOUGH))


class Client:
    """One connection that stays."""

    def __init__(self, address):
        self.connection = http.client.HTTPConnection(address, timeout=30)
        self.connection.connect()

    def post(self, body):
        self.connection.request("POST", "/v1/events", json.dumps(body), {"Content-Type": "application/json"})
        with self.connection.getresponse() as answer:
            return answer.status, answer.read()


@contextlib.contextmanager
def crowd(address, count):
    host, port = address.split(":")
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(socket.create_connection((host, int(port))))
        yield


def it_serves_who_is_connected_while_it_can_accept_nobody(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, workers=1).start()
    client = Client(service.address)
    assert client.post(event("A-0", "t-0"))[0] == 202
    sandbox.must_receive("t-0")  # its connection to SEEK is there, too
    limit(service, NONE)
    with crowd(service.address, 50), crowd(service.ops, 10):
        service.must_log("accept_starved", 2)  # by each listener
        must_rest(service)
        for n in range(1, 4):
            assert client.post(event(f"A-{n}", f"t-{n}"))[0] == 202
        for n in range(1, 4):
            sandbox.must_receive(f"t-{n}")
        limit(service, ENOUGH)
    for address in (service.address, service.ops):
        assert eventually(lambda a=address: call(a, "GET", "/readyz", timeout=20), "it accepts").status == 200
    service.must_log("accept_recovered", 2)
    service.must_log("accept_starved", 2)  # once each
    service.must_stop()


@pytest.mark.parametrize("listener", ["address", "ops"])
def it_accepts_again_when_somebody_else_gives_descriptors_back(service, listener):
    """Also when none of its own connections ends, or it has none."""
    client = Client(service.address)
    assert client.post(event("A-0", "t-0"))[0] == 202, "it has been let in"
    limit(service, NONE)
    with crowd(getattr(service, listener), 1):
        service.must_log("accept_starved")
        must_rest(service, 0.5)
        limit(service, ENOUGH)
        assert call(getattr(service, listener), "GET", "/livez", timeout=20).status == 200
    assert client.post(event("A-1"))[0] == 202


def it_loses_nothing_when_there_are_none_for_redis_and_seek(service, redis, sandbox):
    for n in range(5):
        service.must_post(event(f"A-{n}", f"t-{n}"))
    client = Client(service.address)
    assert client.post(event("A-0", "t-0"))[0] == 200, "it has been let in"
    redis.kill()
    sandbox.control("POST", "/revoke")
    eventually(lambda: client.post(event("A-x"))[0] == 503, "503")
    limit(service, NONE)
    redis.start()
    eventually(lambda: any("Too many open files" in line["message"] for line in service.logs("redis_lost")),
               "Redis is not reached, for want of descriptors")
    must_rest(service, 0.5)
    assert client.post(event("A-y"))[0] == 503
    limit(service, ENOUGH)
    eventually(lambda: client.post(event("A-5", "t-5"))[0] in (200, 202), "it goes on")
    for n in range(6):
        service.must_become(f"A-{n}", "delivered")


def it_keeps_descriptors_for_redis_and_seek_from_its_clients(stand, redis, sandbox):
    """Where the limit is low from the start, fewer connections are let in."""
    service = stand.service(sandbox, redis_url=redis.url)
    spawn = service.spawn
    service.spawn = lambda arguments, environment: spawn(["prlimit", "--nofile=100", *arguments], environment)
    service.start()
    assert service.must_log("descriptors_short")[0]["connections"] == 50
    with crowd(service.address, 100):
        redis.kill()
        eventually(lambda: call(service.address, "POST", "/v1/events", event("A-1")).status == 503, "503")
        redis.start()
        eventually(lambda: call(service.address, "POST", "/v1/events", event("A-1")).status in (200, 202), "Redis is reached all the same")
        sandbox.must_receive(event("A-1")["token"])
        assert not service.logs("accept_starved")
        must_rest(service, 0.5)
    assert call(service.address, "GET", "/readyz", timeout=20).status == 200
    service.must_stop()


@contextlib.contextmanager
def own_descriptors(count):
    """Of the test, for its clients."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def it_has_enough_for_many_threads(stand, redis, sandbox):
    """Each has some of its own. The soft limit is for programs that call select()."""
    service = stand.service(sandbox, redis_url=redis.url, workers=64, intake_threads=16)
    spawn = service.spawn
    service.spawn = lambda arguments, environment: spawn(["prlimit", "--nofile=1024:20000", *arguments], environment)
    service.start()
    with own_descriptors(4096), crowd(service.address, 2048):
        eventually(lambda: service.metric("seek_signal_http_connections") > 1000, "as many are let in as may be")
        lost = service.metric("seek_signal_intake_redis_connects_total")
        redis.cli("CLIENT", "KILL", "TYPE", "normal")
        eventually(lambda: service.metric("seek_signal_intake_redis_connects_total") >= lost + 16, "Redis is reached again")
        eventually(lambda: call(service.ops, "GET", "/readyz", timeout=20).status == 200, "it is ready")
    assert not [line for line in service.logs() if "Too many open files" in line["message"]]
    assert not service.logs("descriptors_short") and not service.logs("accept_starved")
    service.must_stop()
