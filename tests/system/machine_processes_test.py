# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Processes that are stopped, killed and ended while events come in: five on one Redis, and one at its SIGTERM."""
import http.client
import itertools
import random
import signal
import threading
import time

from stand import call, event, eventually, free_port

LEASE_S = 2 * 0.3 + 5  # of services with REQUEST_TIMEOUT_MS 300


class Poster(threading.Thread):
    """Posts to whoever answers, until it is told to end."""

    def __init__(self, name, addresses):
        super().__init__(name=name, daemon=True)
        self.addresses, self.acknowledged, self.is_ending = addresses, set(), threading.Event()

    def run(self):
        addresses = itertools.cycle(self.addresses)
        for number in itertools.count():
            if self.is_ending.is_set():
                return
            id = f"{self.name}-{number}"
            try:
                answer = call(next(addresses), "POST", "/v1/events", event(id, f"t-{id}"), timeout=0.3)
                if answer.status == 202:
                    self.acknowledged.add(id)
            except (OSError, http.client.HTTPException):
                time.sleep(0.01)


def begin(count, addresses):
    posters = [Poster(f"P{n}", addresses) for n in range(count)]
    for poster in posters:
        poster.start()
    return posters


def finish(posters):
    """What was acknowledged."""
    for poster in posters:
        poster.is_ending.set()
    for poster in posters:
        poster.join(30)
        assert not poster.is_alive()
    return set().union(*(poster.acknowledged for poster in posters))


def must_go_on(posters, count=5):
    before = [len(poster.acknowledged) for poster in posters]
    eventually(lambda: all(len(p.acknowledged) >= b + count for p, b in zip(posters, before)), "events are taken", 60)


def must_all_be_delivered(redis, sandbox, acknowledged):
    eventually(lambda: redis.cli("ZCARD", "seek-signal:{0}:due") == "0", "nothing is due", patience=60)
    assert redis.cli("ZCARD", "seek-signal:{0}:dead") == "0"
    delivered = [c["seekToken"] for c in sandbox.calls("graphql") if c["outcome"] == "delivered"]
    assert {f"t-{id}" for id in acknowledged} - set(delivered) == set()
    return len(delivered) - len(set(delivered))


def it_loses_nothing_when_of_five_some_are_killed_and_some_stand_still(stand, redis, sandbox):
    services = [stand.service(sandbox, name=f"service-{n}", redis_url=redis.url, listen=f"127.0.0.1:{free_port()}",
                              request_timeout_ms=300, workers=1).start() for n in range(5)]
    sandbox.settings(latencyMs=30, latencyJitterMs=60)
    posters = begin(4, [service.address for service in services])
    must_go_on(posters)
    stopped, killed = services[:2], services[2:4]
    for service in stopped:
        service.send(signal.SIGSTOP)
    began = time.monotonic()
    for service in killed:
        service.kill()
    must_go_on(posters)
    for service in killed:
        service.start()
    must_go_on(posters)
    time.sleep(max(0, began + LEASE_S + 1 - time.monotonic()))  # beyond the leases of those that stand still
    for service in stopped:
        service.send(signal.SIGCONT)
    must_go_on(posters)
    acknowledged = finish(posters)
    repeated = must_all_be_delivered(redis, sandbox, acknowledged)
    in_flight_at_most = 4 * 64
    assert repeated <= in_flight_at_most, "only what was on its way may be sent twice"
    for service in random.sample(services, 5):
        service.must_stop()


def it_loses_nothing_at_sigterm_under_load(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, listen=f"127.0.0.1:{free_port()}", shutdown_timeout_s=2).start()
    sandbox.settings(latencyMs=20)
    posters = begin(6, [service.address])
    must_go_on(posters)
    sandbox.fault(on="graphql", kind="hang", count=3)  # some do not finish
    must_go_on(posters)
    began = time.monotonic()
    service.must_stop(signal.SIGTERM)
    assert time.monotonic() - began < 2 + 2 + 2.5 + 25, "the time-out, what records it, the intake's, and patience"
    acknowledged = finish(posters)
    assert acknowledged - redis.application_ids() == set()
    stopped = service.must_log("stopped")[0]["signals_cut"]
    sandbox.clear_faults()
    service.start()
    repeated = must_all_be_delivered(redis, sandbox, acknowledged)
    assert repeated <= stopped
    service.must_stop()


def it_ends_at_once_at_a_second_sigterm_under_load(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, listen=f"127.0.0.1:{free_port()}", request_timeout_ms=300).start()
    sandbox.fault(on="graphql", kind="hang", count=0)
    posters = begin(4, [service.address])
    must_go_on(posters)
    service.send(signal.SIGTERM)
    service.must_log("stopping")
    service.send(signal.SIGTERM)
    assert service.child.wait(timeout=15) == 1, "that is before its deadline"
    acknowledged = finish(posters)
    assert acknowledged - redis.application_ids() == set()
    sandbox.clear_faults()
    service.start()
    must_all_be_delivered(redis, sandbox, acknowledged)
    service.must_stop()
