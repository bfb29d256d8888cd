# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The figures of a run: computed once, printed as text, written as JSON and as Markdown for docs/reliability.md."""
import bisect
import collections
import json
import math
import pathlib
import statistics

import faults

# Faults with a row of their own in the headline.
HEADLINERS = {"kill", "kill-all", "redis-kill", "redis-tail", "stop", "redis-stop", "seek-restart", "seek-outage",
              "token-outage"}
PROBES_ENOUGH = 300  # the first of them decide, but a later one may get through before


def recoveries(disturbances, probers, calls):
    """Seconds from a fault's end until every replica took an event that SEEK then got, by fault. Where the next fault came
    before, nothing can be told; of faults that overlap, the last to end counts."""
    arrived = {}
    for call in calls:
        if call.is_delivered:
            arrived.setdefault(call.token, call.received)
    times = collections.defaultdict(list)
    for disturbance in disturbances:
        end = disturbance.ended
        others = [d for d in disturbances if d is not disturbance]
        if any(d.began <= end < d.ended for d in others):
            continue
        flow = normal_flow(end, probers, arrived)
        following = min((d.began for d in others if d.began > end), default=math.inf)
        if flow < following:
            times[disturbance.fault].append(flow - end)
    return times


def normal_flow(moment, probers, arrived):
    """The latest of the replicas' first probes that were posted after the moment and got through."""
    latest = moment
    for prober in probers:
        first = bisect.bisect_left(prober.probes, moment, key=lambda post: post.answered_from)
        seen = [max(post.ended, arrived[post.token]) for post in prober.probes[first:first + PROBES_ENOUGH]
                if post.token in arrived]
        latest = max(latest, min(seen, default=math.inf))
    return latest


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def summary(options, seconds, record, calls, disturbances, verdict, findings, probers):
    posts = [post for posts in record.posts.values() for post in posts]
    kinds = collections.Counter(kind for kind, _ in findings)
    by_fault = collections.Counter(d.fault for d in disturbances)
    times = recoveries(disturbances, probers, calls)
    waits = verdict.waits
    return {
        "seed": options.seed, "minutes": options.minutes, "seconds": round(seconds),
        "replicas": options.replicas, "spools": options.spools,
        "posts": {
            "applications": len(record.posts), "acknowledged": sum(post.is_acknowledged for post in posts),
            "durability": dict(collections.Counter(p.durability for p in posts if p.is_acknowledged and p.durability)),
            "withoutAnswer": sum(post.answer is None for post in posts),
            "requestsWithoutAnswer": record.answers[None],
            "answers": {str(k): v for k, v in sorted(record.answers.items(), key=str) if k is not None}},
        "signals": {"calls": len(calls), "taken": sum(call.is_delivered for call in calls),
                    "distinct": len({call.token for call in calls if call.is_delivered})},
        "end": {"delivered": verdict.delivered, "dead": verdict.dead, "drafts": verdict.drafts, "superseded": verdict.superseded},
        "faults": {fault.name: {
            "count": by_fault[fault.name],
            "seconds": round(sum(d.ended - d.began for d in disturbances if d.fault == fault.name), 1),
            "recoveries": len(times[fault.name]),
            "median": round(statistics.median(times[fault.name]), 2) if times[fault.name] else None,
            "max": round(max(times[fault.name]), 2) if times[fault.name] else None} for fault in options.fault_rows},
        "waits": {"median": round(percentile(waits, 0.5), 3), "p99": round(percentile(waits, 0.99), 3),
                  "max": round(max(waits, default=0.0), 3)},
        "findings": dict(kinds), "lost": kinds["lost"], "outOfOrder": kinds["out of order"],
        "undecided": verdict.undecided, "unseen": verdict.unseen,
        "duplicates": dict(sorted(verdict.duplicates.items())), "unexplained": kinds["duplicate"],
        "texts": [f"{kind}: {text}" for kind, text in findings][:200],
    }


def count_of(figures, *names):
    return sum(figures["faults"].get(name, {"count": 0})["count"] for name in names)


def headline(figures):
    """(what, how many): the table that decides."""
    duplicates = sum(figures["duplicates"].values())
    rows = [
        ("acknowledged events, drafts and replays", figures["posts"]["acknowledged"]),
        ("of applications", figures["posts"]["applications"]),
        ("events acknowledged by a spool, Redis being away", figures["posts"]["durability"].get("spool", 0)),
        ("posts that never had an answer", figures["posts"]["withoutAnswer"]),
        ("signals that SEEK took", figures["signals"]["taken"]),
        ("kills of the service (`kill -9`)", f"{count_of(figures, 'kill', 'kill-all')}, "
                                             f"{count_of(figures, 'kill-all')} of them of all replicas at once"),
        ("kills of Redis (`kill -9`)", count_of(figures, "redis-kill", "redis-tail")),
        ("stalls (SIGSTOP) of the service beyond its leases, of Redis",
         f"{count_of(figures, 'stop')}, {count_of(figures, 'redis-stop')}"),
        ("outages of SEEK, of its access tokens",
         f"{count_of(figures, 'seek-restart', 'seek-outage')}, {count_of(figures, 'token-outage')}"),
        ("other faults", count_of(figures, *figures["faults"].keys() - HEADLINERS)),
        ("**lost**", f"**{figures['lost']}**"),
        ("**out of order**", f"**{figures['outOfOrder']}**"),
        ("duplicates", f"{duplicates}, {figures['unexplained']} of them unexplained"),
    ]
    rows += [(f"duplicates: {cause}", number) for cause, number in figures["duplicates"].items()]
    waits = figures["waits"]
    rows.append(("from acknowledgement to SEEK: median, 99 %, longest",
                 f"{waits['median']} s, {waits['p99']} s, {waits['max']} s"))
    others = {k: v for k, v in figures["findings"].items() if k not in ("lost", "out of order", "duplicate")}
    rows += [(f"other findings: {kind}", number) for kind, number in others.items()]
    return rows


def markdown(figures):
    lines = [f"Seed {figures['seed']}, {figures['seconds']} s, {figures['replicas']} replicas on one Redis, "
             f"{figures['spools']} of them with a spool:", "",
             "| | |", "| --- | ---: |"]
    lines += [f"| {what} | {number} |" for what, number in headline(figures)]
    lines += ["", "| fault | times | normal flow after its end: measured, median, longest |", "| --- | ---: | ---: |"]
    for name, row in figures["faults"].items():
        times = f"{row['recoveries']}, {row['median']} s, {row['max']} s" if row["recoveries"] else "0"
        lines.append(f"| `{name}`: {faults.BY_NAME[name].text} | {row['count']} | {times} |")
    return "\n".join(lines) + "\n"


def shown(seconds):
    return f"{'' if seconds is None else seconds:>8}"


def text(figures):
    lines = [f"{what.replace('*', '').replace('`', ''):62} {str(number).replace('*', '')}" for what, number in headline(figures)]
    lines += ["", f"{'fault':16} {'times':>5} {'normal flow after':>18} {'median':>8} {'max':>8}"]
    for name, row in figures["faults"].items():
        lines.append(f"{name:16} {row['count']:5} {row['recoveries']:18} {shown(row['median'])} {shown(row['max'])}")
    return "\n".join(lines)


def write(path, figures):
    """FILE.json and FILE.md, whatever FILE ends with."""
    base = pathlib.Path(path)
    base = base.with_suffix("") if base.suffix in (".json", ".md") else base
    base.parent.mkdir(parents=True, exist_ok=True)
    base.with_name(base.name + ".json").write_text(json.dumps(figures, indent=2) + "\n")
    base.with_name(base.name + ".md").write_text(markdown(figures))
