# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Intake: what takes an event and makes it durable, how fast."""
import json

from world import ACCEPT_HEAD, ACCEPT_REST, EVENT_ID, ID, TOKEN, Constant, Nginx, Node, Webdis, World

EVENT = json.dumps({"applicationId": ID, "token": TOKEN}, separators=(",", ":"))
RATES = (500, 1000, 2500, 5000, 7500, 10000, 12500, 15000, 17500, 20000, 25000, 30000, 35000, 40000, 50000)
SATURATED_US = 50000
KEYS = "seek-signal:{0}:app:/seek-signal:{0}:due/seek-signal:{0}:dead/seek-signal:{0}:paused"


def service(world):
    redis, upstream = world.redis(), world.upstream()
    return world.paused_service(redis, upstream).port, world.request("event", "/v1/events", EVENT), '"accepted"'


def webdis_script(world):
    redis = world.redis()
    sha = world.load_script(redis, "accept")
    port = world.add(Webdis(world.directory, redis)).port
    command = "/".join(["EVALSHA", sha, "4", KEYS, *ACCEPT_HEAD, ID, TOKEN, EVENT_ID, *ACCEPT_REST])
    return port, world.request("event", "/", command, "text/plain"), ',0]'


def webdis_hset(world):
    port = world.add(Webdis(world.directory, world.redis())).port
    return port, world.request("event", "/", f"HSET/app:{ID}/token/{TOKEN}", "text/plain"), '{"HSET":1}'


def nginx(world):
    redis = world.redis()
    peer = world.add(Nginx(world.directory, redis, world.load_script(redis, "accept"), world.out))
    return peer.port, world.request("event", "/v1/events", EVENT), '"accepted"'


def node(world):
    peer = world.add(Node(world.directory, world.redis(), "intake.js", world.out)).start()
    return peer.port, world.request("event", "/v1/events", EVENT), '"pending"'


def constant(world):
    return world.add(Constant(world.directory)).port, world.request("event", "/v1/events", EVENT), '"accepted"'


SERVERS = {"seek-signal": service, "webdis, same script": webdis_script, "webdis, bare HSET": webdis_hset,
           "nginx + lua, same script": nginx, "Node: Fastify + BullMQ": node, "libmicrohttpd, a constant": constant}


def measure(name, out, seconds, appendfsync="always", **load):
    """One measurement of one server: what load.c says."""
    with World(out, appendfsync) as world:
        port, request, expected = SERVERS[name](world)
        return world.load(port, request, expected, seconds, **load)


def sweep(name, out, seconds, appendfsync="always"):
    """Latency at growing load until the server is saturated: an open loop, so that waiting for a connection counts."""
    points, first_id = [], 1
    with World(out, appendfsync) as world:
        port, request, expected = SERVERS[name](world)
        for rate in RATES:
            got = world.load(port, request, expected, seconds, connections=256, rate=rate, warm_up=0.3, first_id=first_id)
            first_id = got["next_id"]
            points.append({"load": got["per_second"], "p50_us": got["p50_us"], "p99_us": got["p99_us"]})
            if len(points) > 1 and min(p["p50_us"] for p in points[-2:]) > SATURATED_US:
                break  # twice: the machine may have had a moment of its own
    return points


def measure_batches(out, seconds, appendfsync="always", connections=8, events=100):
    """NDJSON batches; per_second counts events."""
    with World(out, appendfsync) as world:
        port = service(world)[0]
        request = world.request("batch", "/v1/events", (EVENT + "\n") * events, "application/x-ndjson")
        got = world.load(port, request, '"accepted"', seconds, connections=connections)
        return got | {"per_second": got["per_second"] * events}


def measure_redis(out, seconds, appendfsync="always", per_call=100, in_flight=8):
    """The same events by a bare loop: as many script calls of 100 on their way as the service has batches."""
    with World(out, appendfsync) as world:
        redis = world.redis()
        world.fill(redis, 20000, per_call, in_flight, first_id=1 << 50)  # warm
        return world.fill(redis, int(40000 * seconds), per_call, in_flight)
