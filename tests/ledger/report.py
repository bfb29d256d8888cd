# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The figures of a run: computed once, printed as text, written as JSON and as Markdown for docs/reliability.md."""
import collections
import json
import os
import pathlib
import statistics

import faults
import flow
import stand

# Faults with a row of their own in the headline.
KILLS = ("kill", "kill-all")
REDIS_KILLS = ("redis-kill", "redis-tail", "redis-loading", "master-kill", "master-restart", "follower-kill", "node-kill",
               "node-restart", "nodes-kill", "copy-kill")
REDIS_STALLS = ("redis-stop", "master-stop", "master-pause", "follower-stop", "node-stop", "node-pause", "copy-stop")
CUTS = ("node-cut",)
MOVES = ("slots-move", "slots-give", "nodes-add")
OUTAGES = ("seek-restart", "seek-expired", "seek-outage")
HEADLINERS = {*KILLS, *REDIS_KILLS, *REDIS_STALLS, *OUTAGES, *CUTS, *MOVES, "stop", "token-outage"}


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def spread(values, digits=2):
    """How many, the median, and the largest of some seconds."""
    return {"count": len(values), "median": round(statistics.median(values), digits) if values else None,
            "max": round(max(values), digits) if values else None}


def summary(run, seconds):
    options, verdict, store = run.options, run.verdict, run.world.store
    posts = [post for posts in run.record.posts.values() for post in posts]
    calls, disturbances = run.witness.calls, run.world.disturbances
    kinds = collections.Counter(kind for kind, _ in run.findings)
    times, gaps = flow.recoveries(disturbances, run.probers, run.witness.arrived), flow.gaps(disturbances, run.probers)
    return {
        "world": store.text, "seed": options.seed, "minutes": options.minutes, "seconds": round(seconds),
        "replicas": options.replicas, "spools": sum(replica.spool is not None for replica in run.world.replicas),
        "durability": store.durability, "cores": os.cpu_count(), "build": stand.BUILD.name,
        "drainSeconds": round(run.drained_after, 1), "stalls": len(run.watchdog.stalls),
        "posts": {
            "applications": len(run.record.posts), "acknowledged": sum(post.is_acknowledged for post in posts),
            "durability": dict(collections.Counter(p.durability for p in posts if p.is_acknowledged and p.durability)),
            "withoutAnswer": sum(post.answer is None for post in posts),
            "requestsWithoutAnswer": run.record.answers[None],
            "answers": {str(k): v for k, v in sorted(run.record.answers.items(), key=str) if k is not None}},
        "signals": {"calls": len(calls), "taken": sum(call.is_delivered for call in calls), "distinct": len(run.witness.arrived)},
        "end": {"delivered": verdict.delivered, "dead": verdict.dead, "damaged": verdict.damaged, "setAside": verdict.set_aside,
                "drafts": verdict.drafts, "superseded": verdict.superseded},
        "faults": {fault.name: fault_figures(fault, disturbances, times[fault.name]) | {"gap": spread(gaps[fault.name])}
                   for fault in options.fault_rows},
        "isCluster": bool(store.groups), "forgotten": dict(sorted(verdict.forgotten.items())), "isForgetful": store.is_forgetful,
        "failovers": len(store.failovers),
        "switch": spread([d.switched - d.began for d in disturbances if d.switched is not None]),
        "waits": spread(verdict.waits, 3) | {"p99": round(percentile(verdict.waits, 0.99), 3)},
        "findings": dict(kinds), "lost": kinds["lost"], "outOfOrder": kinds["out of order"],
        "overtaken": verdict.overtaken, "held": verdict.held, "late": verdict.late,
        "undecided": verdict.undecided, "unseen": verdict.unseen,
        "duplicates": dict(sorted(verdict.duplicates.items())), "unexplained": kinds["duplicate"],
        "texts": [f"{kind}: {text}" for kind, text in run.findings][:200],
    }


def fault_figures(fault, disturbances, times):
    mine = [d for d in disturbances if d.fault == fault.name]
    return {"count": len(mine), "seconds": round(sum(d.ended - d.began for d in mine), 1),
            "again": spread([first for first, _ in times]), "normal": spread([normal for _, normal in times])}


def count_of(figures, names):
    return sum(figures["faults"].get(name, {"count": 0})["count"] for name in names)


def headline(figures):
    """(what, how many): the table that decides."""
    waits, switch = figures["waits"], figures["switch"]
    rows = [
        ("acknowledged events, drafts and replays", figures["posts"]["acknowledged"]),
        ("of applications", figures["posts"]["applications"]),
        ("posts that never had an answer", figures["posts"]["withoutAnswer"]),
        ("signals that SEEK took", figures["signals"]["taken"]),
        ("kills of the service (`kill -9`)", f"{count_of(figures, KILLS)}, "
                                             f"{count_of(figures, ['kill-all'])} of them of all replicas at once"),
        ("kills of Redis (`kill -9`)", count_of(figures, REDIS_KILLS)),
        ("stalls (SIGSTOP) of the service beyond its leases, of Redis",
         f"{count_of(figures, ['stop'])}, {count_of(figures, REDIS_STALLS)}"),
        ("outages of SEEK, of its access tokens", f"{count_of(figures, OUTAGES)}, {count_of(figures, ['token-outage'])}"),
        ("applications that somebody damaged in Redis, set aside of them in the end",
         f"{figures['end']['damaged']}, {figures['end']['setAside']}"),
        ("other faults", count_of(figures, figures["faults"].keys() - HEADLINERS)),
        ("**lost**", f"**{figures['lost']}**"),
        ("**out of order**", f"**{figures['outOfOrder']}**"),
        ("duplicates", f"{sum(figures['duplicates'].values())}, {figures['unexplained']} of them unexplained"),
        *((f"duplicates: {cause}", number) for cause, number in figures["duplicates"].items()),
        ("older seek-tokens that were posted once more behind newer ones, and known", figures["late"]),
        ("pairs of calls in an order that nobody can know", figures["undecided"]),
        ("from acknowledgement to SEEK: median, 99 %, longest", f"{waits['median']} s, {waits['p99']} s, {waits['max']} s"),
        ("everything owed was delivered after the last fault's end in", f"{figures['drainSeconds']} s"),
        ("moments in which the machine itself stood still", figures["stalls"]),
        *((f"other findings: {kind}", number) for kind, number in figures["findings"].items()
          if kind not in ("lost", "out of order", "duplicate")),
    ]
    if figures["held"]:
        at = next(i for i, (what, _) in enumerate(rows) if "order" in what) + 1
        rows.insert(at, ("an older seek-token after a newer one, by a process that was stopped just before it sent", figures["held"]))
    if figures["spools"]:
        rows.insert(2, ("events acknowledged by a spool, Redis being away", figures["posts"]["durability"].get("spool", 0)))
    if figures["isCluster"]:
        rows.insert(6, ("slots moved, nodes added and removed", count_of(figures, MOVES)))
        rows.insert(6, ("masters cut off from the other nodes", count_of(figures, CUTS)))
    if figures["isForgetful"]:
        at = next(i for i, (what, _) in enumerate(rows) if "lost" in what) + 1
        rows[at:at] = [("applications of which a failover lost something acknowledged with `fsync`",
                        sum(figures["forgotten"].values())),
                       *((f"of them: {cause}", number) for cause, number in figures["forgotten"].items())]
    if switch["count"]:
        rows.insert(6, ("failovers", figures["failovers"]))
        rows.insert(7, ("until there was another master: median, longest", f"{switch['median']} s, {switch['max']} s"))
        rows.insert(-3, ("an older seek-token after a newer one, since a failover forgot it was out", figures["overtaken"]))
    return rows


def title(figures):
    spools = f" ({figures['spools']} with a spool)" if figures["spools"] else ""
    return (f"Seed {figures['seed']}, {figures['minutes']:g} min of posting ({figures['seconds']} s in all), "
            f"{figures['replicas']} replicas{spools} on {figures['world']}, "
            f"`DURABILITY={figures['durability']}`; {figures['cores']} cores, build `{figures['build']}`:")


def markdown(figures):
    lines = [title(figures), "", "| | |", "| --- | ---: |"]
    lines += [f"| {what} | {number} |" for what, number in headline(figures)]
    columns = {"again": "flows again after: median, longest", "normal": "nothing waits after: median, longest"}
    if figures["isCluster"]:
        columns["gap"] = "other shards took nothing for: median, longest"
    lines += ["", f"| fault | times | measured | {' | '.join(columns.values())} |", f"| --- | {' | '.join(['---:'] * (2 + len(columns)))} |"]
    for name, row in figures["faults"].items():
        shown = (f"{row[key]['median']} s, {row[key]['max']} s" if row[key]["count"] else "" for key in columns)
        counts = f"{row['count']} | {row['again']['count']}"
        lines.append(f"| `{name}`: {faults.BY_NAME[name].text} | {counts} | {' | '.join(shown)} |")
    return "\n".join(lines) + "\n"


def text(figures):
    lines = [f"{what.replace('*', '').replace('`', ''):72} {str(number).replace('*', '')}" for what, number in headline(figures)]
    lines += ["", f"{'fault':16} {'times':>5} {'measured':>8} {'flows again':>17} {'nothing waits':>17} {'others silent':>17}"]
    for name, row in figures["faults"].items():
        times = [row[key][value] for key in ("again", "normal", "gap") for value in ("median", "max")]
        shown = " ".join(f"{'' if s is None else s:>8}" for s in times)
        lines.append(f"{name:16} {row['count']:5} {row['again']['count']:8} {shown}")
    return "\n".join(lines)


def write(path, worlds):
    """FILE.json and FILE.md, whatever FILE ends with."""
    base = pathlib.Path(path)
    base = base.with_suffix("") if base.suffix in (".json", ".md") else base
    base.parent.mkdir(parents=True, exist_ok=True)
    base.with_name(base.name + ".json").write_text(json.dumps(worlds, indent=2) + "\n")
    base.with_name(base.name + ".md").write_text("\n".join(markdown(figures) for figures in worlds))
