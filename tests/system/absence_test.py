# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Redis is away for longer than a lease. The workers that have outcomes record them before anybody sends these signals once more."""
import collections
import contextlib
import datetime
import socket
import threading
import time

import pytest

from redis_cluster import RedisCluster
from stand import event, eventually

TIMEOUT_MS = 1500
LEASE_S = 2 * TIMEOUT_MS / 1000 + 5
COUNT = 40


def tokens(sandbox):
    return collections.Counter(call["seekToken"] for call in sandbox.calls("graphql") if call["outcome"] == "delivered")


def start(stand, sandbox, url, processes=1, workers=4):
    """Each worker has room for its part of the signals and no more, so that each has outcomes to record."""
    settings = {"redis_url": url, "request_timeout_ms": TIMEOUT_MS, "workers": workers, "max_in_flight": COUNT // processes}
    services = [stand.service(sandbox, name=f"service-{number}", **settings).start() for number in range(processes)]
    for service in services:
        service.must_post(event(f"first-{service.name}", f"first-{service.name}"))
        service.must_become(f"first-{service.name}", "delivered")
    sandbox.settings(latencyMs=1000)
    return services


def in_flight(services):
    return sum(service.get("/v1/status").json["sending"]["inFlight"] for service in services)


def must_be_sent_once(service, sandbox, pairs):
    for id, _ in pairs:
        service.must_become(id, "delivered", patience=60)
    sent = tokens(sandbox)
    assert {token: sent[token] for _, token in pairs if sent[token] != 1} == {}


def must_be_on_their_way(services):
    """All of them, so that nobody can record that SEEK has taken them if Redis goes now."""
    pairs = [(f"A-{number}", f"token-{number}") for number in range(COUNT)]
    services[0].must_post([event(*pair) for pair in pairs])
    eventually(lambda: in_flight(services) == COUNT, "all are on their way")
    return pairs


@pytest.mark.parametrize("processes, workers", [(1, 4), (2, 2)])
def it_records_before_it_sends_again(stand, redis, sandbox, processes, workers):
    services = start(stand, sandbox, redis.url, processes, workers)
    pairs = must_be_on_their_way(services)
    redis.kill()
    time.sleep(LEASE_S + 2)
    redis.start()
    must_be_sent_once(services[0], sandbox, pairs)
    for service in services:
        assert not service.logs("settlement_fenced")
        service.must_stop()


def it_waits_for_other_processes_if_it_starts_meanwhile(stand, redis, sandbox):
    [service] = start(stand, sandbox, redis.url, workers=2)
    pairs = must_be_on_their_way([service])
    redis.kill()
    time.sleep(LEASE_S)
    other = stand.service(sandbox, name="other", redis_url=redis.url, request_timeout_ms=TIMEOUT_MS).start(is_ready=False)
    time.sleep(2)
    redis.start()
    must_be_sent_once(service, sandbox, pairs)
    for one in (service, other):
        one.must_stop()


class Door:
    """In front of Redis. While it is shut, nobody reaches that."""

    def __init__(self, redis):
        self.port, self.is_open, self.ends = redis.port, True, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                if not self.is_open:
                    client.close()
                    continue
                server = socket.create_connection(("127.0.0.1", self.port))
                self.ends += [client, server]
                for way in ((client, server), (server, client)):
                    threading.Thread(target=self.carry, args=way, daemon=True).start()

    @staticmethod
    def carry(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def shut(self):
        self.is_open = False
        ends, self.ends = self.ends, []
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def open(self):
        self.is_open = True


AWAY_S, THERE_S = 1.3, 2


def milliseconds(time_text):
    return datetime.datetime.fromisoformat(time_text.replace("Z", "+00:00")).timestamp() * 1000


def must_deliver_meanwhile(service, name, come_and_go):
    """An event whose first attempt has failed, so that it has to be claimed."""
    for _ in range(6):
        with contextlib.suppress(AssertionError):
            return service.must_become(name, "delivered", patience=THERE_S)
        come_and_go()
    raise AssertionError(f"{name} is not delivered, though Redis is there for most of the time")


def it_delivers_while_redis_comes_and_goes(stand, redis, sandbox):
    door = Door(redis)

    def come_and_go():
        door.shut()
        time.sleep(AWAY_S)
        door.open()

    service = stand.service(sandbox, redis_url=door.url).start()
    come_and_go()
    eventually(lambda: service.get("/readyz").status == 200, "Redis is there")
    sandbox.fault(on="graphql", kind="status", status=503, count=1)
    service.must_post(event("A-1", "token-1"))
    must_deliver_meanwhile(service, "A-1", come_and_go)
    service.must_stop()


def it_claims_from_other_nodes_at_once(stand, sandbox):
    cluster = RedisCluster(stand, replicas=0)
    service = stand.service(sandbox, redis_url=cluster.url).start()
    eventually(lambda: service.metric("seek_signal_shards_ready") == 64, "it has reached all nodes")
    cluster.masters[2].kill()
    eventually(lambda: service.metric("seek_signal_shards_ready") < 64, "its shards are away")
    others = [name for name in (f"A-{n}" for n in range(120)) if service.post("/v1/events", event(name, name)).status == 202]
    time.sleep(AWAY_S)
    cluster.masters[2].start()
    for name in others:
        sandbox.fault(on="graphql", kind="status", status=503, count=1)
        service.must_post(event(name, f"{name}-newer"))
        time.sleep(0.1)
    assert service.metric("seek_signal_shards_ready") == 64
    for name in others:
        application = service.must_become(name, "delivered")
        assert milliseconds(application["deliveredAt"]) - milliseconds(application["acceptedAt"]) < 2000, application
    service.must_stop()
