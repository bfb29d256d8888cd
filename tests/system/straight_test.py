# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The straight way: an event is leased with its commit and sent by the process that took it, but past nobody's turn."""
import threading
import time

from stand import event, eventually


def tokens(sandbox):
    """The seek-tokens that SEEK took, in the order of their signals."""
    return [call["seekToken"] for call in sandbox.calls("graphql") if call["outcome"] == "delivered"]


def script_calls(redis):
    line = next(line for line in redis.cli("INFO", "commandstats").splitlines() if line.startswith("cmdstat_evalsha:"))
    return int(line.split("calls=")[1].split(",")[0])


def it_needs_no_claim(service, redis, sandbox):
    service.must_post(event("A-0", "token-0"))
    service.must_become("A-0", "delivered")
    time.sleep(1.1)  # the next claim by the clock finds nothing
    before, began = script_calls(redis), time.monotonic()
    for number in range(1, 31):
        service.must_post(event(f"A-{number}", f"token-{number}"))
        sandbox.must_receive(f"token-{number}")
    eventually(lambda: service.application("A-30")["state"] == "delivered", "the last is recorded")
    by_the_clock = time.monotonic() - began + 2
    assert script_calls(redis) - before < 2 * 30 + 15 + by_the_clock, "each event is accepted and settled"
    assert all(redis.application(f"A-{number}")["attempts"] == "1" for number in range(31))


def it_answers_who_waits_when_the_outcome_is_recorded(service, sandbox):
    service.must_post(event("A-0", "token-0"))
    service.must_become("A-0", "delivered")
    sandbox.settings(latencyMs=330)
    durations = []
    for number in range(1, 11):
        began = time.monotonic()
        answer = service.must_post(event(f"A-{number}", f"token-{number}"), status=200, path="/v1/events?wait=10s")
        durations.append(time.monotonic() - began)
        assert answer["state"] == "delivered"
    assert min(durations) < 0.53, "who is not called looks 300 ms after the commit, and then after 550"


def it_finds_what_another_process_delivered(stand, redis, sandbox):
    """This one cannot send, and nobody calls it when the other one has."""
    closed = "http://127.0.0.1:1/oauth/token"
    one = stand.service(sandbox, name="one", redis_url=redis.url, token_url=closed).start()
    other = stand.service(sandbox, name="other", redis_url=redis.url).start()
    answer = one.must_post(event("A-1", "token-1"), status=200, path="/v1/events?wait=10s")
    assert answer["state"] == "delivered"
    sandbox.must_receive("token-1")
    for service in (one, other):
        service.must_stop()


class Poster(threading.Thread):
    """Posts new events, one after the other, until it is told to stop."""

    def __init__(self, service, name):
        super().__init__(daemon=True)
        self.service, self.name, self.stopping, self.count = service, name, threading.Event(), 0

    def run(self):
        while not self.stopping.is_set():
            self.service.must_post(event(f"new-{self.name}-{self.count}", f"new-{self.name}-{self.count}"))
            self.count += 1

    def end(self):
        self.stopping.set()
        self.join()


def it_does_not_overtake_retries_that_are_due(stand, redis, sandbox):
    in_flight, count, backlog = 2, 9, 60  # ten failures in a row would open the breaker
    service = stand.service(sandbox, redis_url=redis.url, max_in_flight=str(in_flight), retry_base_ms="2000",
                            retry_max_ms="2000").start()
    sandbox.fault(on="graphql", kind="status", status=503, count=count)
    for number in range(count):
        service.must_post(event(f"old-{number}", f"old-{number}"))
    eventually(lambda: len(sandbox.calls("graphql")) >= count, "each has failed once")
    assert service.post("/v1/pause", {}).status == 204
    for number in range(count, backlog):
        service.must_post(event(f"old-{number}", f"old-{number}"))
    time.sleep(2.1)  # a retry waits for 2 s at most
    waiting = sum(service.application(f"old-{number}")["state"] == "pending" for number in range(count))
    assert waiting > in_flight, "they wait, but for one or two that came at once"
    sandbox.settings(latencyMs=30)
    posters = [Poster(service, number) for number in range(8)]
    for poster in posters:
        poster.start()
    assert service.post("/v1/resume", {}).status == 204
    eventually(lambda: sum(token.startswith("old-") for token in tokens(sandbox)) == backlog, "what was due")
    for poster in posters:
        poster.end()
    eventually(lambda: sum(token.startswith("new-") for token in tokens(sandbox)) > 0, "new ones")
    order = tokens(sandbox)
    first_new = next(place for place, token in enumerate(order) if token.startswith("new-"))
    overtaken = sum(token.startswith("old-") for token in order[first_new:])
    assert overtaken <= in_flight, order[first_new:backlog + in_flight]
    service.must_stop()


def shard_of(name, count):
    """As service/store/shard.c: CRC-32C of the id."""
    crc = 0xffffffff
    for byte in name.encode():
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return (crc ^ 0xffffffff) % count


def is_all_due(redis, key):
    now_ms = int(redis.cli("TIME").split()[0]) * 1000
    return redis.cli("ZCOUNT", key, "-inf", now_ms) == redis.cli("ZCARD", key)


def it_is_fair_to_all_shards_while_one_has_thousands_due(stand, redis, sandbox):
    """Of its own shard nothing new overtakes what is due, and no other shard waits for the end of it."""
    in_flight, shards, failed, backlog = 4, 64, 9, 2000  # ten failures in a row would open the breaker
    names = [f"A-{number}" for number in range(40 * shards * shards)]
    crowded = [name for name in names if shard_of(name, shards) == 7]
    old, new = crowded[:backlog], crowded[backlog:backlog + 50]
    waiting = list({shard_of(name, shards): name for name in names if shard_of(name, shards) != 7}.values())
    live = [f"B-{number}" for number in range(1000) if shard_of(f"B-{number}", shards) != 7]
    service = stand.service(sandbox, redis_url=redis.url, redis_shards=str(shards), max_in_flight=str(in_flight),
                            retry_base_ms="2000", retry_max_ms="2000").start()
    sandbox.fault(on="graphql", kind="status", status=503, count=failed)
    service.must_post([event(name, f"old-{name}") for name in old[:failed]])
    eventually(lambda: len(sandbox.calls("graphql")) >= failed, "each has failed once")
    assert service.post("/v1/pause", {}).status == 204
    for first in range(failed, backlog, 500):
        service.must_post([event(name, f"old-{name}") for name in old[first:first + 500]])
    service.must_post([event(name, f"waiting-{name}") for name in waiting])
    eventually(lambda: is_all_due(redis, "seek-signal:{7}:due"), "the retries are due, too")
    assert int(redis.cli("ZCARD", "seek-signal:{7}:due")) > backlog - failed
    sandbox.settings(latencyMs=10)
    stopping = threading.Event()

    def post_live():
        """Each when the one before was sent."""
        for name in live:
            if not stopping.is_set():
                assert service.post("/v1/events?wait=30s", event(name, f"live-{name}")).status in (200, 202)

    client = threading.Thread(target=post_live, daemon=True)
    client.start()
    assert service.post("/v1/resume", {}).status == 204
    for name in new:
        service.must_post(event(name, f"new-{name}"))
    service.must_become(new[-1], "delivered", patience=120)
    eventually(lambda: sum(token.startswith("new-") for token in tokens(sandbox)) == len(new), "all of the shard are sent")
    stopping.set()
    client.join()
    order = [token.split("-")[0] for token in tokens(sandbox)]
    last_old = len(order) - order[::-1].index("old")
    last_waiting = len(order) - order[::-1].index("waiting")
    assert order.count("waiting") == len(waiting) and order[:last_waiting].count("old") <= backlog // 2
    assert order[:last_old].count("live") >= 10, "they come in between"
    assert order.count("old") == backlog and order[order.index("new"):].count("old") <= in_flight
    service.must_stop()


def it_is_helped_by_a_process_that_gets_no_posts(stand, redis, sandbox):
    services = [stand.service(sandbox, name=name, redis_url=redis.url, max_in_flight="2").start() for name in ("one", "two")]
    for service in services:
        service.must_post(event(f"first-{service.name}", f"first-{service.name}"))
        service.must_become(f"first-{service.name}", "delivered")
    before = [service.metric("seek_signal_delivered_total") for service in services]
    sandbox.settings(latencyMs=100)
    count = 100
    services[0].must_post([event(f"A-{number}", f"token-{number}") for number in range(count)])
    eventually(lambda: len(set(tokens(sandbox))) == count + 2, "all are delivered")
    assert len(tokens(sandbox)) == count + 2, "none twice"
    shares = [service.metric("seek_signal_delivered_total") - old for service, old in zip(services, before)]
    assert shares[1] >= count // 5, shares
    for service in services:
        service.must_stop()
