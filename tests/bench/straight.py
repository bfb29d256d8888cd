# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""An event from its post to its delivery: how many, how much of Redis each costs, and when who waits is told."""
import re
import resource
import time

import stand
from intake import EVENT
from world import World, processor_us


def measure_through(out, seconds, connections=32, appendfsync="always"):
    """Posted and delivered as fast as both go: events per second from the first post to the last delivery, and the
    processor time of each process per event, the load generator's as well."""
    with World(out, appendfsync) as world:
        redis, upstream = world.redis(), world.upstream()
        service = world.service(redis, upstream)
        request = world.request("event", "/v1/events", EVENT)
        got = world.load(service.port, request, '"accepted"', 0.5, connections=connections)  # warm
        wait_for(redis)
        upstream.reset()
        processes = (service, redis, upstream)
        before = {process.name: processor_us(process) for process in processes} | {"load": children_us()}
        began = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        got = world.load(service.port, request, '"accepted"', seconds, connections=connections, warm_up=0, first_id=got["next_id"])
        load_us = children_us()
        wait_for(redis)
        stats = upstream.stats()
        assert stats["signals"] >= got["requests"], stats
        after = {process.name: processor_us(process) for process in processes} | {"load": load_us}
        spent = {name: (after[name] - us) / stats["signals"] for name, us in before.items()}
        return {"per_second": stats["signals"] / (stats["last_ns"] - began) * 1e9, "posted_per_second": got["per_second"],
                "processor_us": spent, "sum_us": sum(spent.values())}


def children_us():
    """Processor time of the programs that were run and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) * 1e6


def wait_for(redis):
    """Until all is delivered and recorded."""
    stand.eventually(lambda: redis.cli("ZCARD", "seek-signal:{0}:due") == "0", "everything is delivered", 120)


def measure_redis(out, seconds, events, rate, appendfsync="always"):
    """Redis's processor time per delivered event (us), so many events in each call, one call at a time; and which part
    of it the commands take, and the scripts around them."""
    with World(out, appendfsync) as world:
        redis, upstream = world.redis(), world.upstream()
        service = world.service(redis, upstream)
        request = world.request("batch", "/v1/events", (EVENT + "\n") * events, "application/x-ndjson")
        got = world.load(service.port, request, '"accepted"', 1, connections=1, rate=rate)
        wait_for(redis)
        redis.cli("CONFIG", "RESETSTAT")
        before = processor_us(redis)
        got = world.load(service.port, request, '"accepted"', seconds, connections=1, rate=rate, warm_up=0, first_id=got["next_id"])
        wait_for(redis)
        delivered = got["requests"] * events
        spent = {name: us / delivered for name, us in command_us(redis).items()}
        scripts = spent.pop("evalsha")
        return {"us": (processor_us(redis) - before) / delivered, "commands_us": sum(spent.values()),
                "scripts_us": scripts - sum(spent.values())}


def command_us(redis):
    """Time in each command since the statistics were reset; that of a script is in that of its EVALSHA as well."""
    found = re.findall(r"cmdstat_([^:]+):calls=\d+,usec=(\d+)", redis.cli("INFO", "commandstats"))
    return {name: int(us) for name, us in found if name not in ("info", "config|resetstat", "zcard")}


def measure_wait(out, seconds, rate=20, appendfsync="always"):
    """From a post with ?wait= to its 200, on an idle system."""
    with World(out, appendfsync) as world:
        redis, upstream = world.redis(), world.upstream()
        service = world.service(redis, upstream)
        request = world.request("event", "/v1/events?wait=5s", EVENT)
        got = world.load(service.port, request, '"delivered"', 0.5, connections=1, rate=rate)
        return world.load(service.port, request, '"delivered"', seconds, connections=1, rate=rate, warm_up=0, first_id=got["next_id"])
