# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Redis is away for longer than a lease. The workers that have outcomes record them before anybody sends these signals once more."""
import collections
import time

import pytest

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
