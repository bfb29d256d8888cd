# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Intake and forwarding at once for a long time: nothing may grow but the applications."""
import sys

import stand
from intake import EVENT
from world import World, memory_kib

WINDOWS = 6
KEYS_BESIDE = 20  # queue, dead, the claimers' own, the number of shards


def measure(out, seconds, rate, appendfsync="always"):
    """Windows of equal length: {"p99_us", "resident_kib", "waiting", "keys_beside"} each."""
    windows = []
    with World(out, appendfsync) as world:
        redis, upstream = world.redis(), world.upstream()
        service = world.service(redis, upstream)
        request = world.request("event", "/v1/events", EVENT)
        got = world.load(service.port, request, '"accepted"', 3, rate=rate)  # warm
        applications = got["requests"]
        for number in range(WINDOWS):
            got = world.load(service.port, request, '"accepted"', seconds / WINDOWS, rate=rate, warm_up=0,
                             first_id=got["next_id"])
            applications += got["requests"]
            waiting = int(redis.cli("ZCARD", "seek-signal:{0}:due"))
            stand.eventually(lambda: redis.cli("ZCARD", "seek-signal:{0}:due") == "0", "everything is delivered", 60)
            windows.append({"p50_us": got["p50_us"], "p99_us": got["p99_us"], "resident_kib": memory_kib(service)[0],
                            "waiting": waiting, "keys_beside": int(redis.cli("DBSIZE")) - applications})
            print(f"  sustained, window {number + 1}/{WINDOWS}: {windows[-1]}", file=sys.stderr)
    return windows


def grows(windows, figure, share, slack):
    """Whether the last third is higher than the first third by more than noise."""
    third = WINDOWS // 3
    first, last = (sum(w[figure] for w in part) / third for part in (windows[:third], windows[-third:]))
    return last > first * (1 + share) + slack


def judge(windows):
    """What grew, in words; empty: nothing."""
    grown = [name for name, figure, share, slack in (("latency", "p50_us", 0.5, 500), ("memory", "resident_kib", 0.05, 256))
             if grows(windows, figure, share, slack)]
    if max(w["keys_beside"] for w in windows) > KEYS_BESIDE:
        grown.append("keys")
    return grown
