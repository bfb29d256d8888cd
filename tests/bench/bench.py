# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The bench's rows, in the order of docs/performance.md. Started by tests/bench/run."""
import argparse
import pathlib
import sys
import time

import footprint
import forwarding
import intake
import plot
import straight
import sustained
import world
from report import Table, record
from revision import Revision
from rounds import Series, alternate, ratios, series

US, OTHER = "seek-signal", "seek-signal at the other revision"
SCRIPT, HSET, NGINX, NODE, CONSTANT = list(intake.SERVERS)[1:]


class Bench:
    def __init__(self, options):
        self.options = options
        self.out = options.out
        self.seconds = 1.2 if options.quick else 2.5
        self.rounds = options.rounds or (2 if options.quick else 4)
        self.revision = Revision(options.against, options.out) if options.against else None
        self.table = Table(f"{self.rounds} rounds, appendfsync {options.appendfsync}" + (", --quick" if options.quick else ""),
                           options.against)
        self.peers = [SCRIPT, HSET, NGINX] + ([NODE] if world.Node.is_there(self.out) else [])

    def alternate(self, measures, title, rounds=None):
        """The other revision's service comes right behind ours."""
        if self.revision:
            measures = {name: measure for ours, ours_measure in measures.items() for name, measure in (
                [(ours, ours_measure), (OTHER, self.revision.measuring(ours_measure))] if ours == US else [(ours, ours_measure)])}
        return alternate(measures, rounds or self.rounds, title)

    def over(self, results, figure):
        """Ours over the other revision's, for the table; "": there is none."""
        return ratios(results, US, OTHER, figure).text(times) if OTHER in results else ""

    # --- intake ---

    def row_intake(self):
        """single events, 64 connections"""
        names = [US, *self.peers, CONSTANT]
        results = self.alternate({n: lambda n=n: intake.measure(n, self.out, self.seconds, self.options.appendfsync)
                                  for n in names}, "intake, 64 connections")
        goals = [(SCRIPT, 1.3), (HSET, 1.0), (NODE, 3.0)]
        for peer, goal in goals:
            if peer in results:
                ratio = ratios(results, US, peer, "per_second")
                self.table.add(f"intake, single events, 64 connections, events/s over {peer}", f"≥ {goal}", ratio.text(times),
                               ratio.median >= goal, over=self.over(results, "per_second"), ratio=ratio)
        ratio = ratios(results, US, SCRIPT, "p99_us")
        self.table.add(f"the same, p99 latency over {SCRIPT}'s", "≤ 1", ratio.text(times), ratio.median <= 1,
                       over=self.over(results, "p99_us"), ratio=ratio)
        for name in results:
            rate, p50, p99 = (series(results, name, f) for f in ("per_second", "p50_us", "p99_us"))
            spent = spent_by(results[name])
            self.table.note(f"intake, 64 connections: {name}", f"{rate.text(whole)} events/s, p50 {milli(p50.median)}, "
                            f"p99 {p99.text(milli)}; processor time per event: {spent}", per_second=rate, p50_us=p50, p99_us=p99)

    def row_everysec(self):
        """single events, 64 connections, appendfsync everysec"""
        results = self.alternate({n: lambda n=n: intake.measure(n, self.out, self.seconds, "everysec")
                                  for n in (US, *self.peers)}, "intake, everysec")
        for peer in self.peers:
            ratio = ratios(results, US, peer, "per_second")
            self.table.note(f"intake, 64 connections, appendfsync everysec, events/s over {peer}", ratio.text(times), ratio=ratio)

    def row_plot(self):
        """latency against load up to saturation, as a plot"""
        names = [US, *(p for p in self.peers if p != HSET)]
        curves = {name: intake.sweep(name, self.out, self.seconds / 2, self.options.appendfsync) for name in names}
        path = pathlib.Path(self.out) / "intake.svg"
        path.write_text(plot.draw(f"Intake: latency against load, appendfsync {self.options.appendfsync}", curves))
        for name, points in curves.items():
            most = max(p["load"] for p in points)
            self.table.note(f"most events/s at growing load (intake.svg): {name}", whole(most), points=points)

    def row_latency(self):
        """one connection"""
        results = self.alternate({n: lambda n=n: intake.measure(n, self.out, self.seconds, self.options.appendfsync,
                                                                connections=1) for n in (US, SCRIPT)}, "one connection",
                                 2 * self.rounds)  # a wake-up more or less is much of it
        ratio = ratios(results, US, SCRIPT, "p50_us")
        self.table.add(f"intake, one connection, median latency over {SCRIPT}'s", "≤ 1.0", ratio.text(times),
                       ratio.median <= 1.0, over=self.over(results, "p50_us"), ratio=ratio, **{n: series(results, n, "p50_us") for n in (US, SCRIPT)})

    def row_batches(self):
        """NDJSON"""
        results = self.alternate({US: lambda: intake.measure_batches(self.out, self.seconds, self.options.appendfsync),
                                  "Redis": lambda: intake.measure_redis(self.out, self.seconds, self.options.appendfsync)},
                                 "NDJSON batches")
        ratio = ratios(results, US, "Redis", "per_second")
        ours, redis = (series(results, n, "per_second") for n in (US, "Redis"))
        self.table.add("intake, NDJSON batches of 100, events/s over the bare Redis loop", "≥ 0.7", ratio.text(times),
                       ratio.median >= 0.7, over=self.over(results, "per_second"), ratio=ratio, ours=ours, redis=redis)
        self.table.note("NDJSON batches of 100", f"{ours.text(whole)} events/s; the bare Redis loop {redis.text(whole)}")

    # --- forwarding ---

    def row_forwarding(self):
        """upstream answers at once, 64 in flight"""
        signals = int(6000 * self.seconds)
        measures = {US: lambda: forwarding.measure_service(self.out, signals, appendfsync=self.options.appendfsync),
                    "curl": lambda: forwarding.measure_curl(self.out, signals)}
        if NODE in self.peers:
            measures[NODE] = lambda: forwarding.measure_node(self.out, signals // 4, appendfsync=self.options.appendfsync)
        results = self.alternate(measures, "forwarding")
        for peer, goal in (("curl", 0.6), (NODE, 3.0)):
            if peer in results:
                ratio = ratios(results, US, peer, "per_second")
                name = "the bare curl loop" if peer == "curl" else peer
                self.table.add(f"forwarding, upstream answering at once, 64 in flight, signals/s over {name}", f"≥ {goal}",
                               ratio.text(times), ratio.median >= goal, over=self.over(results, "per_second"), ratio=ratio)
        for name in results:
            rate = series(results, name, "per_second")
            self.table.note(f"forwarding at once, 64 in flight: {name}", f"{rate.text(whole)} signals/s", per_second=rate)

    def row_slow_upstream(self):
        """upstream takes 100 ms"""
        for in_flight in (64, 512):
            wanted = in_flight / 0.1
            results = self.alternate({US: lambda: forwarding.measure_slow_upstream(
                self.out, self.seconds, 100, in_flight, self.options.appendfsync)}, f"upstream of 100 ms, {in_flight} in flight")
            share = Series(r["per_second"] / wanted for r in results[US])
            self.table.add(f"forwarding, upstream taking 100 ms, {in_flight} in flight, over {in_flight} / 0.1 s", "≥ 0.95",
                           share.text(times), share.median >= 0.95, over=self.over(results, "per_second"), ratio=share)

    def row_lateness(self):
        """posted to received"""
        least = "the least"
        results = self.alternate({US: lambda: forwarding.measure_lateness(self.out, 3 * self.seconds,
                                                                          appendfsync=self.options.appendfsync),
                                  least: lambda: forwarding.measure_least_lateness(self.out, 3 * self.seconds,
                                                                                   appendfsync=self.options.appendfsync)}, "lateness")
        p50, p99 = series(results, US, "p50_us"), series(results, US, "p99_us")
        self.table.add("event posted to signal received, idle system", "median ≤ 2 ms, p99 ≤ 10 ms",
                       f"median {p50.text(milli)}, p99 {p99.text(milli)}", p50.median <= 2000 and p99.median <= 10000,
                       over=self.over(results, "p50_us"), p50_us=p50, p99_us=p99)
        whole_us, call, hop = (series(results, least, f) for f in ("p50_us", "call_us", "hop_us"))
        self.table.note("posted to received, what nobody can do without",
                        f"median {whole_us.text(milli)}: a call of the accept script with its sync {call.text(milli)}, and two requests "
                        f"of {hop.text(milli)}", p50_us=whole_us, call_us=call, hop_us=hop)

    # --- the straight way ---

    def row_through(self):
        """posted and delivered as fast as both go"""
        results = self.alternate({US: lambda: straight.measure_through(self.out, self.seconds, appendfsync=self.options.appendfsync)},
                                 "posted and delivered")
        rate, posted = series(results, US, "per_second"), series(results, US, "posted_per_second")
        self.table.note("posted and delivered, 32 connections, upstream answering at once",
                        f"{rate.text(whole)} events/s, posted at {posted.text(whole)}", over=self.over(results, "per_second"),
                        per_second=rate, posted_per_second=posted)
        for name in results:
            total = series(results, name, "sum_us")
            self.table.note(f"posted and delivered, processor time per event: {name}",
                            f"{spent_by(results[name], ())}; together {total.text(micro)}", us=total)

    def row_delivered(self):
        """Redis's processor time per delivered event"""
        for events, rate in ((1, 100), (27, 40), (64, 25)):
            results = self.alternate({US: lambda e=events, r=rate: straight.measure_redis(
                self.out, 1.5 * self.seconds, e, r, self.options.appendfsync)}, f"delivered, {events} per call")
            spent = series(results, US, "us")
            commands, scripts = (series(results, US, f) for f in ("commands_us", "scripts_us"))
            self.table.note(f"Redis's processor time per delivered event, {events} per call",
                            f"{spent.text(micro)}; commands {micro(commands.median)}, the scripts around them {micro(scripts.median)}",
                            over=self.over(results, "us"), us=spent, commands_us=commands, scripts_us=scripts)

    def row_wait(self):
        """?wait= answered"""
        results = self.alternate({US: lambda: straight.measure_wait(self.out, 2 * self.seconds, appendfsync=self.options.appendfsync)},
                                 "?wait")
        p50, p99 = series(results, US, "p50_us"), series(results, US, "p99_us")
        self.table.note("POST ?wait=5s until its 200, idle", f"median {p50.text(milli)}, p99 {p99.text(milli)}",
                        over=self.over(results, "p50_us"), p50_us=p50, p99_us=p99)

    def row_sustained(self):
        """both at once for a while"""
        seconds = 60 * self.options.sustained
        windows = sustained.measure(self.out, seconds, 2000, self.options.appendfsync)
        grown = sustained.judge(windows)
        first, last = windows[0], windows[-1]
        self.table.add(f"both at once, {self.options.sustained:g} minutes at 2,000 events/s", "no growth of latency, memory or keys",
                       f"grew: {', '.join(grown) or 'nothing'}; median {milli(first['p50_us'])} then {milli(last['p50_us'])}, "
                       f"resident {mebi(first['resident_kib'])} then {mebi(last['resident_kib'])}", not grown, windows=windows)

    # --- footprint ---

    def row_footprint(self):
        """memory, idle costs, start, size"""
        idle = footprint.measure_idle(self.out, 5 if self.options.quick else 20)
        floor = footprint.libraries_kib(self.out)
        self.table.add("memory, idle: resident · private dirty", "≤ 12 MiB · ≤ 2.5 MiB",
                       f"{mebi(idle['resident_kib'])} · {mebi(idle['dirty_kib'])}",
                       idle["resident_kib"] <= 12 * 1024 and idle["dirty_kib"] <= 2.5 * 1024, **idle)
        self.table.note("memory of an empty program with the libraries: resident · private dirty",
                        f"{mebi(floor[0])} · {mebi(floor[1])}")
        loaded = footprint.measure_loaded(self.out, 2 * self.seconds)
        self.table.add("resident under full load", "≤ 18 MiB", mebi(loaded["resident_kib"]),
                       loaded["resident_kib"] <= 18 * 1024, **loaded)
        self.table.add("idle: processor time, wake-ups", "≤ 0.1 % of a core, ≤ 2 per second",
                       f"{idle['processor_percent']:.2f} %, {idle['wake_ups_per_second']:.1f} per second",
                       idle["processor_percent"] <= 0.1 and idle["wake_ups_per_second"] <= 2)
        starts = self.alternate({US: lambda: footprint.measure_start(self.out)}, "start")
        start = series(starts, US, "ms")
        self.table.add("start to ready with a running Redis", "≤ 50 ms", start.text(lambda ms: f"{ms:.0f} ms"), start.median <= 50,
                       ms=start)
        size = footprint.executable_bytes(self.out)
        self.table.add("executable, stripped", "≤ 400 KiB", f"{size / 1024:.0f} KiB", size <= 400 * 1024, bytes=size)

    def row_connections(self):
        """memory of many connections, kept alive and busy"""
        results = self.alternate({US: lambda: footprint.measure_connections(self.out)}, "connections", 2)
        goals = {1000: 22, 4000: 60}
        for figure, what, goal in [(f"kept_{count}", f"with {count:,} kept-alive connections", goals[count]) for count in footprint.KEPT] + [
                ("closed", f"{footprint.CLOSED_S} s after they closed", 16)]:
            resident = series(results, US, figure)
            self.table.add(f"resident {what}", f"≤ {goal} MiB", resident.text(mebi), resident.median <= goal * 1024,
                           over=self.over(results, figure), kib=resident)
        for count in footprint.KEPT:
            crowds = self.alternate({US: lambda count=count: footprint.measure_crowd(self.out, count, self.seconds)}, "crowd", 2)
            highest, spent = series(crowds, US, "kib"), series(crowds, US, "us")
            self.table.note(f"highest resident with {count:,} busy connections, processor time per event",
                            f"{highest.text(mebi)}, {spent.median:.0f} µs", kib=highest, us=spent)

    def row_redis(self):
        """Redis's memory per application"""
        measured = footprint.measure_redis_memory(self.out, 100000)
        for state, goal, per in (("pending", 340, measured["bytes"]), ("delivered", 300, measured["delivered_bytes"])):
            self.table.add(f"Redis memory per {state} application", f"≤ {goal} bytes", f"{per:.0f} bytes", per <= goal, bytes=per)

    def row_backlog(self):
        """1,000,000 pending"""
        count = 1000000
        loaded = footprint.measure_loaded(self.out, self.seconds, backlog=count)
        self.table.add("resident under full load with 1,000,000 pending", "≤ 18 MiB", mebi(loaded["resident_kib"]),
                       loaded["resident_kib"] <= 18 * 1024, **loaded)
        spent = footprint.measure_claims(self.out, (count, 1000))
        ratio = ratios(spent, 1000, count, "us")
        self.table.add("claim rate with 1,000,000 pending over 1,000 pending, by Redis's processor time", "≥ 0.9",
                       ratio.text(times), ratio.median >= 0.9, ratio=ratio)
        self.table.note("a claim, Redis's processor time", ", ".join(
            f"{series(spent, pending, 'us').median:.1f} µs with {pending:,} pending" for pending in spent),
            **{f"us_{pending}": series(spent, pending, "us") for pending in spent})


def spent_by(results, hidden=("upstream",)):
    names = results[0]["processor_us"]
    return ", ".join(f"{name} {Series(r['processor_us'][name] for r in results).median:.0f} µs" for name in names
                     if not name.startswith(hidden))


def times(ratio):
    return f"{ratio:.2f}"


def whole(number):
    return f"{number:,.0f}"


def milli(us):
    return f"{us / 1000:.2f} ms"


def micro(us):
    return f"{us:.1f} µs"


def mebi(kib):
    return f"{kib / 1024:.1f} MiB"


ROWS = {name.removeprefix("row_"): getattr(Bench, name) for name in vars(Bench) if name.startswith("row_")}
SLOW = {"backlog", "everysec", "plot", "sustained"}  # not in --quick


def read_options():
    parser = argparse.ArgumentParser(prog="tests/bench/run", description="Measures seek-signal beside its peers.")
    parser.add_argument("--quick", action="store_true", help="the main rows, few rounds, under 2 minutes")
    parser.add_argument("--rounds", type=int, help="alternating rounds (default: 4, quick: 2)")
    parser.add_argument("--sustained", type=float, default=0.6, metavar="MINUTES", help="of the sustained run (default: 0.6)")
    parser.add_argument("--appendfsync", default="always", choices=("always", "everysec"), help="of every Redis in the run")
    parser.add_argument("--against", metavar="REVISION", help="builds that one too, measures it in the same rounds: a column \"over REVISION\"")
    parser.add_argument("--record", action="store_true", help="puts table and plot into docs/performance.md")
    parser.add_argument("--out", required=True, help=argparse.SUPPRESS)
    parser.add_argument("rows", nargs="*", help="only these: " + ", ".join(f"{n} ({r.__doc__})" for n, r in ROWS.items()))
    options = parser.parse_args()
    unknown = set(options.rows) - set(ROWS)
    if unknown:
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    if options.record and (options.rows or options.quick):
        parser.error("--record is for a whole run")
    return options


def main():
    options = read_options()
    bench = Bench(options)
    started = time.monotonic()
    for name, row in ROWS.items():
        if name in options.rows or (not options.rows and not (options.quick and name in SLOW)):
            row(bench)
    bench.table.write(options.out)
    if options.record:
        record(options.out)
    print(f"{options.out}/table.md, table.json; {time.monotonic() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
