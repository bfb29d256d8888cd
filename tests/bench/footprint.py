# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""What the service costs: memory, idle processor time, size, time to start, Redis's memory."""
import contextlib
import http.client
import itertools
import json
import pathlib
import subprocess
import time

import stand
from intake import EVENT
from rounds import alternate
from world import PROGRAMS, Peer, World, memory_kib, processor_us, program, script

TICKS_PER_SECOND = 100


def executable_bytes(out):
    """As a package ships it: stripped."""
    stripped = pathlib.Path(out) / "seek-signal.stripped"
    subprocess.run(["strip", "-o", stripped, stand.SERVICE], check=True)
    return stripped.stat().st_size


def measure_start(out):
    """ms from exec until /readyz says 200, Redis running already: a port of its own is asked again and again."""
    with World(out) as world:
        redis, upstream = world.redis(), world.upstream()
        port = stand.free_port()
        service = stand.Service(world.directory, redis_url=redis.url, graphql_url=f"{upstream.url}/graphql",
                                token_url=f"{upstream.url}/oauth/token", listen=f"127.0.0.1:{port}")
        started = time.monotonic()
        world.add(service).spawn([stand.SERVICE, "serve"], service.environment())
        while True:
            with contextlib.suppress(OSError):
                if stand.call(f"127.0.0.1:{port}", "GET", "/readyz").status == 200:
                    return {"ms": (time.monotonic() - started) * 1000}
            time.sleep(0.0005)


def libraries_kib(out):
    """The floor: the libraries loaded and initialised by an empty program."""
    with World(out) as world:
        peer = world.add(Peer("libraries", world.directory))
        peer.spawn([PROGRAMS / "bench_libraries"])
        stand.eventually(lambda: peer.text(), "the libraries are loaded")
        return memory_kib(peer)


def thread_counters(process):
    """Processor ticks and voluntary switches (wake-ups) of all threads."""
    ticks = wake_ups = 0
    for task in pathlib.Path(f"/proc/{process.child.pid}/task").iterdir():
        words = (task / "stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(words[11]) + int(words[12])
        status = (task / "status").read_text()
        wake_ups += int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0])
    return ticks, wake_ups


def measure_idle(out, seconds):
    with World(out) as world:
        service = world.service(world.redis(), world.upstream())
        time.sleep(2)  # the start is over
        ticks, wake_ups = thread_counters(service)
        time.sleep(seconds)
        ticks_then, wake_ups_then = thread_counters(service)
        resident, dirty = memory_kib(service)
        return {"processor_percent": 100 * (ticks_then - ticks) / TICKS_PER_SECOND / seconds,
                "wake_ups_per_second": (wake_ups_then - wake_ups) / seconds, "resident_kib": resident, "dirty_kib": dirty}


def measure_loaded(out, seconds, backlog=0):
    """Resident memory at the end of full load, events coming in and signals going out."""
    with World(out) as world:
        redis, upstream = world.redis(), world.upstream()
        if backlog:
            world.fill(redis, backlog)
        service = world.service(redis, upstream)
        world.load(service.port, world.request("event", "/v1/events", EVENT), '"accepted"', seconds)
        return {"resident_kib": memory_kib(service)[0]}


KEPT = (1000, 4000)
CLOSED_S = 10


def measure_connections(out):
    """Resident memory (KiB) with so many kept-alive connections, each of which has posted once, and after they closed."""
    found, sockets = {}, []
    with World(out) as world, contextlib.ExitStack() as stack:
        service = world.service(world.redis(), world.upstream(), max_connections=5000, idle_timeout_s=600)
        body = json.dumps({"applicationId": "A-@", "token": "bench-token"})
        for count in KEPT:
            while len(sockets) < count:
                connection = stack.enter_context(contextlib.closing(http.client.HTTPConnection("127.0.0.1", service.port)))
                connection.request("POST", "/v1/events", body.replace("@", str(len(sockets))), {"Content-Type": "application/json"})
                answer = connection.getresponse()
                assert answer.status == 202 and answer.read(), answer.status
                sockets.append(connection)
            found[f"kept_{count}"] = memory_kib(service)[0]
        stack.close()
        time.sleep(CLOSED_S)
        return found | {"closed": memory_kib(service)[0]}


def measure_crowd(out, connections, seconds):
    """Highest resident memory, and processor time per request, while so many post again as soon as they are answered. A
    crowd that is too large for the machine is refused in part, with 503, and counts all the same."""
    with World(out) as world:
        service = world.service(world.redis(), world.upstream(), max_connections=5000)
        before = processor_us(service)
        got = program("load", service.port, connections, 1, seconds, 0, world.request("event", "/v1/events", EVENT), '"accepted"', 1)
        status = pathlib.Path(f"/proc/{service.child.pid}/status").read_text()
        return {"kib": int(status.split("VmHWM:")[1].split()[0]), "us": (processor_us(service) - before) / got["next_id"]}


def used_memory(redis):
    return int(next(line for line in redis.cli("INFO", "memory").splitlines() if line.startswith("used_memory:")).split(":")[1])


KEYS = ("4", *(f"seek-signal:{{0}}:{name}" for name in ("app:", "due", "dead", "paused")))
PER_CALL, KEPT_MS = 500, 180 * 86400 * 1000


def packed(generation):
    """Seven bytes, as redis-cli reads them."""
    return '"' + "".join(f"\\x{byte:02x}" for byte in int(generation).to_bytes(7, "big")) + '"'


def deliver_all(world, redis, applications):
    """By the scripts themselves, as a worker whose signals are all taken."""
    claim, settle = (world.load_script(redis, name) for name in ("claim", "settle"))
    for number in range(1, applications // PER_CALL + 1):
        arguments = PER_CALL, 60000, 86400000, "seek-signal:{0}:claim:bench", number, number - 1, 1 << 52
        got = json.loads(redis.cli("--json", "EVALSHA", claim, *KEYS, *arguments))[7:]
        settlements = (value for at in range(0, len(got), 10) for value in (got[at], packed(got[at + 4]), '"delivered 0 delivered 200 0 "'))
        command = " ".join(map(str, ("EVALSHA", settle, *KEYS, KEPT_MS, *settlements)))
        done = subprocess.run(["redis-cli", "-p", str(redis.port), "--json"], input=command, capture_output=True, text=True, timeout=30)
        assert set(json.loads(done.stdout)) == {1}, done.stdout


def measure_redis_memory(out, applications):
    """Bytes of Redis per application, pending and delivered: id 16 bytes, seek-token 56 bytes, 180 days to live."""
    with World(out) as world:
        redis = world.redis()
        world.load_script(redis, "accept")
        before = used_memory(redis)
        world.fill(redis, applications)
        pending = used_memory(redis)
        deliver_all(world, redis, applications)
        return {"bytes": (pending - before) / applications, "delivered_bytes": (used_memory(redis) - before) / applications}


def measure_claims(out, backlogs, rounds=30, claims=960):
    """Redis's processor time per claim (us), 64 at a time, while so many are pending: {backlog: [per round]}. By the clock
    it would be a few disk syncs. All Redis run side by side and are asked in turn, so that the machine's moods are shared."""
    ids = itertools.count(2 << 40, claims)

    def claim_some(redis):
        """As many as were claimed come anew, so that the backlog keeps its size."""
        world.fill(redis, claims, 64, 1, first_id=next(ids))
        before = processor_us(redis)
        program("redis_loop", redis.port, "claim", script_file, claims, 64, 3600000)
        return {"us": (processor_us(redis) - before) / claims}

    with World(out) as world:
        redis = {backlog: world.redis(f"redis-{backlog}") for backlog in backlogs}
        script_file = world.file("claim.lua", script("claim"))
        for backlog in backlogs:
            world.fill(redis[backlog], backlog)
        return alternate({backlog: lambda backlog=backlog: claim_some(redis[backlog]) for backlog in backlogs}, rounds, "claims")
