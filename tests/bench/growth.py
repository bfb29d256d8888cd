# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""What many shards on many nodes cost beside one shard on one node, at work and idle, and the rate at which they are full:
docs/scaling.md. Started by `tests/bench/run --growth`."""
import argparse
import contextlib
import pathlib
import re
import sys
import tempfile
import time

import footprint
import stand
from intake import EVENT
from redis_cluster import SLOTS, RedisCluster
from report import Table, machine
from rounds import alternate, ratios, series
from webhook_receiver import WebhookReceiver
from world import World, processor_us

SHARDS, NODES = 64, 3
RATES = (100, 1000, 5000)
ONE, MANY = "1 shard, 1 node", f"{SHARDS} shards, {NODES} nodes"
LAYOUTS = {ONE: (1, 1), MANY: (SHARDS, NODES)}
SETTLED_S = 20  # after its start the service looks at all shards for a while
SECRET = "whsec_" + "A" * 32


class Queue:
    """The Redis servers of a layout; one node is no cluster."""

    def __init__(self, world, layout):
        self.world = world
        self.shards, count = LAYOUTS[layout]
        if count == 1:
            self.nodes = [world.redis()]
            self.url = self.nodes[0].url
            return
        cluster = RedisCluster(self, count, replicas=0)
        self.nodes, self.url = cluster.nodes, cluster.url

    def redis(self, *arguments, name):
        """A node of the cluster: as World.redis, with Redis's own pace of gossip."""
        return self.world.add(stand.Redis(
            self.world.directory, "--appendfsync", self.world.appendfsync, "--maxmemory-policy", "noeviction",
            "--auto-aof-rewrite-percentage", "0", *arguments, "--cluster-node-timeout", "15000", name=name))

    def service(self, upstream, **settings):
        return self.world.service(self, upstream, redis_shards=self.shards, **settings)

    def spent_us(self):
        return [processor_us(node) for node in self.nodes]

    def commands(self, only=None):
        """Run by all nodes so far, those inside of scripts too; not what asks for them here."""
        stats = "".join(node.cli("INFO", "commandstats") for node in self.nodes)
        return sum(int(calls) for name, calls in re.findall(r"^cmdstat_([^:]+):calls=(\d+)", stats, re.M)
                   if name != "info" and only in (None, name))


def wait_for(service, count):
    """Until so many are delivered and recorded. Redis is not asked: that would be measured."""
    stand.eventually(lambda: f"\nseek_signal_delivered_total {count}\n" in stand.call(service.address, "GET", "/metrics").body.decode(),
                     f"{count} are delivered and recorded", 120)


def measure_load(out, layout, rate, seconds, appendfsync):
    """Processor time of all nodes per delivered event (us), and the busiest node's share of it."""
    with World(out, appendfsync) as world:
        queue, upstream = Queue(world, layout), world.upstream()
        service = queue.service(upstream)
        request = world.request("event", "/v1/events", EVENT)
        got = world.load(service.port, request, '"accepted"', 1.5, rate=100)  # warm
        warm = got["requests"]
        wait_for(service, warm)
        calls, before = queue.commands("evalsha"), queue.spent_us()
        got = world.load(service.port, request, '"accepted"', seconds, rate=rate, warm_up=0, first_id=got["next_id"])
        wait_for(service, warm + got["requests"])
        spent = [after - earlier for earlier, after in zip(before, queue.spent_us())]
        return {"us": sum(spent) / got["requests"], "calls": (queue.commands("evalsha") - calls) / got["requests"], "busiest": max(spent) / sum(spent), "p99_us": got["p99_us"],
                "per_second": got["per_second"]}


def measure_idle(out, layout, seconds, is_notifying):
    """Of the service its wake-ups; of all nodes together commands, and processor time (ms per second)."""
    with World(out) as world, contextlib.ExitStack() as stack:
        queue, settings = Queue(world, layout), {}
        if is_notifying:
            receiver = stack.enter_context(contextlib.closing(WebhookReceiver()))
            settings = {"notify_url": receiver.url, "notify_secret": SECRET}
        service = queue.service(world.upstream(), **settings)
        time.sleep(SETTLED_S)
        wake_ups, commands, spent = footprint.thread_counters(service)[1], queue.commands(), sum(queue.spent_us())
        began = time.monotonic()
        time.sleep(seconds)
        passed = time.monotonic() - began
        return {"wake_ups": (footprint.thread_counters(service)[1] - wake_ups) / passed,
                "commands": (queue.commands() - commands) / passed, "ms": (sum(queue.spent_us()) - spent) / 1000 / passed}


# --- on paper ---

def crc16(data):
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ (0x1021 if crc & 0x8000 else 0)
        crc &= 0xFFFF
    return crc


def largest_share(shards, nodes):
    """Of the shards, that one of the nodes has, where they share the slots evenly."""
    counts = [0] * nodes
    for number in range(shards):
        counts[crc16(str(number).encode()) % SLOTS * nodes // SLOTS] += 1
    return max(counts) / shards


class Growth:
    def __init__(self, options):
        self.options = options
        self.table = Table(f"{options.rounds} rounds, appendfsync {options.appendfsync}")
        self.us = {}

    def load(self, rate):
        seconds = self.options.seconds
        results = alternate({layout: lambda layout=layout: measure_load(self.options.out, layout, rate, seconds, self.options.appendfsync)
                             for layout in LAYOUTS}, self.options.rounds, f"{rate} events/s")
        ratio, busiest = ratios(results, MANY, ONE, "us"), series(results, MANY, "busiest")
        self.us[rate] = {layout: series(results, layout, "us") for layout in LAYOUTS}
        self.table.add(f"Redis's processor time per delivered event at {rate:,} events/s, {MANY} over {ONE}", "≤ 1.3",
                       ratio.text(two), ratio.median <= 1.3, ratio=ratio, **{layout: self.us[rate][layout] for layout in LAYOUTS})
        self.table.add("the busiest node's part of it", "≤ 0.45", busiest.text(two), busiest.median <= 0.45, busiest=busiest)
        for layout in LAYOUTS:
            self.table.note(f"{rate:,} events/s wanted, {layout}", f"{self.us[rate][layout].text(micro)} and "
                            f"{series(results, layout, 'calls').text(two)} script calls per event, "
                            f"{series(results, layout, 'per_second').text(whole)} events/s answered")

    def idle(self, is_notifying):
        results = alternate({layout: lambda layout=layout: measure_idle(self.options.out, layout, self.options.idle, is_notifying)
                             for layout in LAYOUTS}, 1, "idle")
        beside = ", with NOTIFY_URL" if is_notifying else ""
        for figure, name in (("wake_ups", "wake-ups of the service per second"), ("commands", "Redis commands per second")):
            ratio = ratios(results, MANY, ONE, figure)
            self.table.add(f"idle{beside}: {name}, {MANY} over {ONE}", "≤ 2", ratio.text(two), ratio.median <= 2, ratio=ratio)
            self.table.note(f"idle{beside}: {name}", ", ".join(f"{layout}: {series(results, layout, figure).text(one)}" for layout in LAYOUTS))
        self.table.note(f"idle{beside}: processor time of all nodes, ms per second",
                        ", ".join(f"{layout}: {series(results, layout, 'ms').text(two)}" for layout in LAYOUTS))

    def paper(self):
        """At the highest rate an event costs least."""
        many, single = (self.us[RATES[-1]][layout].median for layout in (MANY, ONE))
        lines = ["| nodes of one core | shards | the largest part of one node | events/s at which it is full |", "| --- | --- | --- | --- |",
                 f"| 1 | 1 | 1.00 | {1e6 / single:,.0f} |"]
        for nodes, shards in ((3, 64), (4, 64), (6, 128), (9, 256)):
            share = largest_share(shards, nodes)
            lines.append(f"| {nodes} | {shards} | {share:.2f} | {1e6 / (many * share):,.0f} |")
        return "\n".join(lines) + "\n"

    def run(self):
        for rate in RATES:
            self.load(rate)
        for is_notifying in (False, True):
            self.idle(is_notifying)
        self.table.write(self.options.out, "growth")
        (pathlib.Path(self.options.out) / "growth-paper.md").write_text(self.paper())
        print(self.paper())


def record(out):
    page = stand.ROOT / "docs" / "scaling.md"
    text = page.read_text()
    for mark, file in (("growth", "growth.md"), ("paper", "growth-paper.md")):
        before, rest = text.split(f"<!-- {mark} -->\n", 1)
        behind = rest.split(f"<!-- end of {mark} -->\n", 1)[1]
        text = f"{before}<!-- {mark} -->\n{(pathlib.Path(out) / file).read_text()}<!-- end of {mark} -->\n{behind}"
    page.write_text(text)


def two(number):
    return f"{number:.2f}"


def one(number):
    return f"{number:.1f}"


def micro(us):
    return f"{us:.0f} µs"


def whole(number):
    return f"{number:,.0f}"


def in_memory():
    """The nodes of a cluster have a disk each. Here they would wait for one another's syncs, and an event in a queue costs less: their
    files are in memory, in both layouts."""
    if pathlib.Path("/dev/shm").is_dir():
        tempfile.tempdir = "/dev/shm"


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/run --growth", description="Measures many shards beside one.")
    parser.add_argument("--rounds", type=int, default=4, help="alternating rounds (default: 4)")
    parser.add_argument("--seconds", type=float, default=5, help="of each load (default: 5)")
    parser.add_argument("--idle", type=float, default=90, help="seconds of each idle measurement (default: 90, in which each round of the service comes twice)")
    parser.add_argument("--appendfsync", default="always", choices=("always", "everysec"))
    parser.add_argument("--record", action="store_true", help="puts the tables into docs/scaling.md")
    parser.add_argument("--out", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    began = time.monotonic()
    in_memory()
    Growth(options).run()
    if options.record:
        record(options.out)
    print(f"{options.out}/growth.md, growth.json; {time.monotonic() - began:.0f} s on {machine()}", file=sys.stderr)


if __name__ == "__main__":
    main()
