# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Forwarding: what was accepted reaches the upstream, how fast, and how late."""
import time

import stand
from intake import EVENT
from world import ACCEPT_REST, Node, World, program, script


def wait_for_signals(upstream, count, patience=120):
    """Until that many have come; signals per second between the first and the last of them."""
    stand.eventually(lambda: upstream.stats()["signals"] >= count, f"{count} signals", patience)
    stats = upstream.stats()
    seconds = (stats["last_ns"] - stats["first_ns"]) / 1e9
    return {"per_second": (stats["signals"] - 1) / seconds, "seconds": seconds}


def rate_in(upstream, warm_up, seconds):
    """Signals per second in the middle of a run: neither its start nor its end counts."""
    stand.eventually(lambda: upstream.stats()["signals"] > 0, "the first signal", 60)
    time.sleep(warm_up)
    before = upstream.stats()
    time.sleep(seconds)
    after = upstream.stats()
    return {"per_second": (after["signals"] - before["signals"]) / (after["now_ns"] - before["now_ns"]) * 1e9}


def resume(service):
    assert service.call("POST", "/v1/resume", {}).status // 100 == 2


def measure_slow_upstream(out, seconds, delay_ms, in_flight, appendfsync="always"):
    """The queue is never empty, and the upstream's time is what limits."""
    with World(out, appendfsync) as world:
        redis, upstream = world.redis(), world.upstream(delay_ms)
        waiting = int(1.2 * (seconds + 1.5) * in_flight / delay_ms * 1000)
        resume(world.full_service(redis, upstream, waiting, max_in_flight=in_flight))
        result = rate_in(upstream, 0.5, seconds)
        assert not is_settled(redis), "the queue ran empty"
        return result


def is_settled(redis):
    return redis.cli("ZCARD", "seek-signal:{0}:due") == "0"


def measure_service(out, signals, delay_ms=0, in_flight=64, appendfsync="always"):
    """Claim, send and settle what a full queue holds."""
    with World(out, appendfsync) as world:
        redis, upstream = world.redis(), world.upstream(delay_ms)
        resume(world.full_service(redis, upstream, signals, max_in_flight=in_flight))
        result = wait_for_signals(upstream, signals)
        stand.eventually(lambda: is_settled(redis), "everything is settled")
        return result


def measure_node(out, signals, delay_ms=0, in_flight=64, appendfsync="always"):
    with World(out, appendfsync) as world:
        redis, upstream = world.redis(), world.upstream(delay_ms)
        node = Node(world.directory, redis, "forward.js", out, IN_FLIGHT=str(in_flight), UPSTREAM=upstream.url)
        node.run("fill", signals)
        world.add(node).start("send")
        return wait_for_signals(upstream, signals)


def measure_curl(out, signals, delay_ms=0, in_flight=64):
    with World(out) as world:
        return program("curl_loop", f"{world.upstream(delay_ms).url}/graphql", signals, in_flight)


def measure_lateness(out, seconds, rate=20, appendfsync="always"):
    """From the moment an event is posted to the moment at which its signal is at the upstream; the upstream reads
    the first moment from the seek-token. The rate leaves the system idle in between."""
    with World(out, appendfsync) as world:
        redis, upstream = world.redis(), world.upstream()
        service = world.service(redis, upstream)
        request = world.request("event", "/v1/events", EVENT)
        world.load(service.port, request, '"accepted"', 1, connections=1, rate=rate)  # connections are made
        upstream.reset()
        world.load(service.port, request, '"accepted"', seconds, connections=1, rate=rate, warm_up=0, first_id=1 << 32)
        time.sleep(0.2)
        stats = upstream.stats()
        if stats["latencies"] < 0.95 * rate * seconds:
            raise RuntimeError(f"signals are missing: {stats}")
        return stats


def measure_least_lateness(out, seconds, rate=20, appendfsync="always"):
    """What nobody can do without, at the same rate: one call of accept by a bare loop, with its sync of the disk, and
    two requests over the loopback, each as far as the upstream's read of it."""
    events = int(rate * seconds)
    with World(out, appendfsync) as world:
        redis, upstream = world.redis(), world.upstream()
        script_file = world.file("accept.lua", script("accept"))
        program("redis_loop", redis.port, "paced", script_file, rate, rate, 1, *ACCEPT_REST)  # warm
        call = program("redis_loop", redis.port, "paced", script_file, events, rate, 1 << 32, *ACCEPT_REST)
        request = world.request("event", "/graphql", EVENT)
        world.load(upstream.port, request, "sendSignal", seconds, connections=1, rate=rate, warm_up=0)
        hop = upstream.stats()
        return {"call_us": call["p50_us"], "hop_us": hop["p50_us"], "p50_us": call["p50_us"] + 2 * hop["p50_us"]}
