# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""DURABILITY=replicas:N: what is acknowledged is on N replicas, and survives a failover by Sentinel."""
import signal
import threading
import time

import pytest

from stand import TOKEN, event, eventually


@pytest.fixture
def replica(stand, redis):
    return stand.replica(redis, "replica-1")


def it_answers_when_a_replica_has_the_event(stand, redis, replica, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, durability="replicas:1").start()
    assert service.must_post(event("A-1"))["durability"] == "replicas:1"
    assert replica.application("A-1")["token"] == TOKEN
    assert service.must_post(event("A-1"), status=200)["durability"] == "replicas:1"
    assert service.call("PUT", "/v1/applications/A-2/token", {"token": "t-2"}).status == 204
    assert replica.application("A-2")["token"] == "t-2"
    assert service.call("DELETE", "/v1/applications/A-2").status == 204
    assert replica.application_ids() == {"A-1"}
    assert service.get("/v1/status").json["store"]["durability"] == "replicas:1"
    sandbox.must_receive(TOKEN)
    service.must_stop()


def it_is_not_ready_without_the_replicas_it_is_to_have(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, durability="replicas:1").start(is_ready=False)
    answer = eventually(lambda: (a := service.get("/readyz")).status == 503 and "replicas:1" in a.body.decode() and a,
                        "not ready, with the reason")
    assert "start more" in answer.json["detail"]
    refused = service.post("/v1/events", event("A-1"))
    assert refused.status == 503 and refused.headers["Retry-After"]
    stand.replica(redis, "replica-1")
    eventually(lambda: service.get("/readyz").status == 200, "ready by itself")
    service.must_post(event("A-1"))
    service.must_stop()


def it_delivers_what_is_there_without_the_replicas(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url).start()
    sandbox.kill()
    service.must_post(event("A-1"))
    service.must_stop()
    sandbox.start()
    service = stand.service(sandbox, name="later", redis_url=redis.url, durability="replicas:1").start(is_ready=False)
    sandbox.must_receive(TOKEN)
    assert service.get("/readyz").status == 503
    service.must_stop()


def it_acknowledges_nothing_that_a_stopped_replica_has_not(stand, redis, replica, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, durability="replicas:1").start()
    service.must_post(event("A-1", "t-1"))
    replica.send(signal.SIGSTOP)
    began = time.monotonic()
    refused = service.post("/v1/events", event("A-2", "t-2"))
    assert refused.status == 503 and refused.json["retryable"] is True and refused.headers["Retry-After"]
    assert "0 of the 1 replicas" in refused.json["detail"]
    assert time.monotonic() - began < 40
    assert "A-2" in redis.application_ids(), "so the repeat below is a duplicate"
    assert service.get("/readyz").status == 503
    assert service.post("/v1/events", event("A-2", "t-2")).status == 503
    sandbox.must_receive("t-2")  # what is stored is delivered all the same

    replica.send(signal.SIGCONT)
    answer = eventually(lambda: (a := service.post("/v1/events", event("A-2", "t-2"))).status == 200 and a, "taken")
    assert answer.json["result"] == "duplicate" and answer.json["durability"] == "replicas:1"
    assert "A-2" in replica.application_ids()
    assert len(service.logs("redis_unfit")) <= 2, "said when it changes, not with each attempt"
    service.must_stop()


class Load:
    """Posts one event after the other, and notes which were acknowledged."""

    def __init__(self, service):
        self.service, self.acknowledged, self.refused = service, [], 0
        self.durability = service.settings["durability"]
        self.is_ending = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        number = 0
        while not self.is_ending.is_set():
            answer = self.service.post("/v1/events", event(f"A-{number}", f"t-{number}"))
            if answer.status in (200, 202):
                assert answer.json["durability"] == self.durability
                self.acknowledged.append(f"A-{number}")
                number += 1
            else:
                assert answer.status == 503 and answer.headers["Retry-After"], answer
                self.refused += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_ending.set()
        self.thread.join()

    def must_go_on(self, count=20):
        target = len(self.acknowledged) + count
        eventually(lambda: len(self.acknowledged) >= target or not self.thread.is_alive(), "events are taken",
                   patience=60)
        assert self.thread.is_alive()


@pytest.fixture
def team(stand, redis, replica):
    """A master, two replicas and three sentinels."""
    second = stand.replica(redis, "replica-2")
    sentinels = stand.sentinels(redis, replicas=2)
    return {r.port: r for r in (redis, replica, second)}, sentinels


def url_of(sentinels):
    return "redis+sentinel://" + ",".join(f"127.0.0.1:{s.port}" for s in sentinels) + "/applications"


def settled_master(redises, sentinels):
    """Of the moment when all others follow one: a busy machine may elect more than once, and the first one again."""
    def one_that_all_follow():
        master = redises[sentinels[0].master_port()]
        return all(r is master or r.is_replica_of(master) for r in redises.values()) and master
    return eventually(one_that_all_follow, "all follow one master", patience=60)


def must_hold_everything(master, load):
    assert set(load.acknowledged) - master.application_ids() == set(), "acknowledged and lost"
    eventually(lambda: master.cli("ZCARD", "seek-signal:{0}:due") == "0", "everything is delivered", patience=60)
    assert master.cli("ZCARD", "seek-signal:{0}:dead") == "0"


def it_survives_the_death_of_the_master(stand, redis, team, sandbox):
    redises, sentinels = team
    service = stand.service(sandbox, redis_url=url_of(sentinels), durability="replicas:1",
                            request_timeout_ms=500).start()
    with Load(service) as load:
        load.must_go_on()
        redis.kill()
        eventually(lambda: load.refused > 0, "503 while there is no master")
        load.must_go_on()
        assert redises[sentinels[0].master_port()] is not redis
        redis.start()  # and comes back as if nothing had been: a master with the past
        settled_master(redises, sentinels)
        load.must_go_on()
        master = settled_master(redises, sentinels)
    must_hold_everything(master, load)
    service.must_stop()


def it_follows_a_master_that_is_demoted(stand, redis, team, sandbox):
    """All replicas are demanded: for a moment there are two masters, and the old one still has a replica, whose
    acknowledgement would be worth nothing."""
    redises, sentinels = team
    service = stand.service(sandbox, redis_url=url_of(sentinels), durability="replicas:2",
                            request_timeout_ms=500).start()
    with Load(service) as load:
        load.must_go_on()
        assert sentinels[0].ask("SENTINEL", "FAILOVER", "applications") == ["OK"]
        eventually(lambda: sentinels[0].master_port() != redis.port, "another master", patience=60)
        settled_master(redises, sentinels)
        load.must_go_on()
        master = settled_master(redises, sentinels)
    must_hold_everything(master, load)
    service.must_stop()


def it_asks_the_next_sentinel_when_one_hangs_and_one_is_gone(stand, redis, team, sandbox):
    _, sentinels = team
    sentinels[0].send(signal.SIGSTOP)
    sentinels[1].kill()
    service = stand.service(sandbox, redis_url=url_of(sentinels), durability="replicas:2").start()
    assert service.must_post(event("A-1"))["durability"] == "replicas:2"
    sandbox.must_receive(TOKEN)
    service.must_stop()


def it_says_that_no_sentinel_knows_the_master(stand, redis, sandbox):
    [sentinel] = stand.sentinels(redis, replicas=0, count=1)
    url = f"redis+sentinel://127.0.0.1:{sentinel.port}/another"
    service = stand.service(sandbox, redis_url=url).start(is_ready=False)
    eventually(lambda: "the sentinels do not know the master another" in service.get("/readyz").body.decode(), "the reason")
    assert service.post("/v1/events", event("A-1")).status == 503
    service.must_stop()
