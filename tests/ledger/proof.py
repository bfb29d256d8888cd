# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""One run, from the first process to the verdict."""
import contextlib
import copy
import threading
import time

import client
import cluster
import faults
import injection
import plan
import referee
import report
import stand
import stores
import witness
import world

LONG_MINUTES = 4        # from here on faults come alone first, and some last long
ALONE_SHARE = 0.6       # of a long run
LAST_WORD_S = 20        # for posts without an answer, once everything runs again
DRAIN_S = 120
LOOK_PATIENCE_S = 30
STORIES = 10            # findings told at length


class Watchdog(threading.Thread):
    """Notes when the machine stood still: its own sleep took much longer than asked for."""

    STEP_S, STALL_S = 0.05, 0.5

    def __init__(self, stopping):
        super().__init__(name="watchdog", daemon=True)
        self.stopping, self.stalls = stopping, []

    def run(self):
        while not self.stopping.is_set():
            began = time.monotonic()
            self.stopping.wait(self.STEP_S)
            ended = time.monotonic()
            if ended - began > self.STALL_S:
                self.stalls.append((began, ended))


class Run:
    def __init__(self, kind, options):
        self.kind, self.options = kind, options
        self.findings = []
        self.is_over = threading.Event()     # of the whole run, before its time
        self.stopping = threading.Event()    # no more new posts
        self.giving_up = threading.Event()   # nor repetitions
        self.probing = threading.Event()     # set: no more probes
        self.clients, self.probers = [], []
        self.drain_s, self.look_patience_s = DRAIN_S, LOOK_PATIENCE_S

    def find(self, kind, text):
        self.findings.append((kind, text))

    def prepare(self):
        self.world = world.World(self.kind, self.options, self.find)
        self.world.witness = self.witness = witness.Witness(self.world)
        self.record = client.Record(self.world.directory / "history.jsonl")
        self.watchdog = Watchdog(self.probing)
        self.clients = [client.Client(self.world, self.record, plan.Posts(self.options.seed, number), self.options.seed, number,
                                      self.options.pace, self.stopping, self.giving_up)
                        for number in range(self.options.clients)]
        self.probers = [client.Prober(self.world, self.record, replica, self.probing, group)
                        for replica in self.world.replicas for group in [*range(len(self.world.store.groups))] or [None]]
        alone_s = self.options.minutes * 60 * ALONE_SHARE if self.options.minutes >= LONG_MINUTES else 0
        self.injector = injection.Injector(self.world, self.options, alone_s, self.probers, self.is_over)

    def post(self):
        """The main part: everything posts, everything breaks."""
        for thread in (self.witness, self.watchdog, *self.clients, *self.probers):
            thread.start()
        stand.eventually(lambda: self.world.ask("GET", "/readyz", LOOK_PATIENCE_S).status == 200, "a replica is ready")
        self.injector.start()
        deadline = time.monotonic() + self.options.minutes * 60
        while time.monotonic() < deadline and not self.is_over.wait(0.5):
            self.world.watch()

    def end(self):
        """Everything is mended, the last posts get their answers, and what is owed is delivered."""
        self.injector.stop()
        self.world.heal()
        healed = time.monotonic()
        self.stopping.set()
        stop = time.monotonic() + LAST_WORD_S
        for thread in self.clients:
            thread.join(max(0.0, stop - time.monotonic()))
        self.giving_up.set()
        self.probing.set()
        for thread in (*self.clients, *self.probers, self.watchdog):
            thread.join(client.ANSWER_PATIENCE_S * 2)
        self.drain()
        self.drained_after = time.monotonic() - healed
        self.world.watch()
        self.look_for_leaks()
        self.witness.stop()

    def drain(self):
        try:
            stand.eventually(self.world.is_drained, "everything that is due is sent", self.drain_s)
        except AssertionError as error:
            self.find("drain", str(error))

    def look_for_leaks(self):
        """A lease runs out where a process died or stood still, or Redis did; where nothing was disturbed, somebody forgot it."""
        if self.world.disturbances or self.watchdog.stalls:
            return
        for replica in self.world.replicas:
            count = replica.service.metric("seek_signal_leases_expired_total")
            if count:
                self.find("leak", f"{replica.name}: {count:.0f} leases ran out, and nothing had happened")

    def look(self, application):
        try:
            answer = self.world.ask("GET", f"/v1/applications/{application}", self.look_patience_s)
        except AssertionError as error:
            self.look_patience_s = 0  # for the others, too
            self.find("unreachable", f"{application}: {error}")
            return None
        return answer.json if answer.status == 200 else None

    def judge(self):
        self.referee = referee.Referee(
            self.record.posts, self.record.never, self.witness.calls, self.world.disturbances, self.look,
            stalls=self.watchdog.stalls, timeout_s=world.TIMEOUT_MS / 1000,
            lease_s=world.LEASE_S, damaged=frozenset(self.world.damaged), failures=self.world.all_failures(),
            senders=world.WORKERS,
            durable=self.world.store.durable, is_forgetful=self.world.store.is_forgetful,
            spooling={replica.name for replica in self.world.replicas if replica.spool})
        self.verdict = self.referee.judge()
        self.findings += self.record.problems + self.verdict.findings

    def stop_all(self):
        """SIGTERM ends each replica with 0, without a word from a sanitizer."""
        for replica in self.world.replicas:
            replica.stop()

    def figures(self, seconds):
        return report.summary(self, seconds)


@contextlib.contextmanager
def running(options, kind=stores.Single):
    """A prepared run; its processes and files are gone afterwards."""
    run_ = Run(kind, options)
    run_.prepare()
    try:
        yield run_
    finally:
        for event in (run_.stopping, run_.giving_up, run_.probing, run_.injector.stopping):
            event.set()
        run_.witness.stopping.set()
        run_.record.close()
        run_.world.close()


def tell(findings, stories=()):
    for index, (kind, text) in enumerate(findings):
        print(f"FOUND {kind}: {text}", *(stories[index] if index < len(stories) else ()), sep="\n      ")


def run_one(kind, options):
    """Its figures, and whether nothing was found."""
    print(f"{kind.text}, seed {options.seed}: {options.minutes:g} min, {options.replicas} replicas, "
          f"faults: {', '.join(fault.name for fault in options.fault_rows) or 'none'}", flush=True)
    began = time.monotonic()
    with running(options, kind) as run_:
        try:
            run_.post()
            run_.end()
        except AssertionError:  # the stand does not come back: what was found before says why
            tell(run_.findings)
            raise
        run_.judge()
        stories = [run_.referee.story(text) for _, text in run_.findings[:STORIES]]
        run_.stop_all()
        figures = run_.figures(time.monotonic() - began)
    print(report.text(figures))
    tell(run_.findings[:4 * STORIES], stories)
    print(f"{len(run_.findings)} findings" if run_.findings else "nothing was found", flush=True)
    return figures, not run_.findings


def run(options):
    """The worlds in turn."""
    results = []
    worlds = ((stores.Single, faults.SINGLE, options.minutes), (stores.Team, faults.SENTINEL, options.sentinel),
              (cluster.Cluster, faults.CLUSTER, options.cluster),
              (cluster.ForgetfulCluster, faults.CLUSTER, options.cluster_fsync))
    for kind, rows, minutes in worlds:
        if minutes > 0:
            part = copy.copy(options)
            part.minutes = minutes
            part.fault_rows = [row for row in rows if options.faults is None or row.name in options.faults]
            print("\n" if results else "", end="")
            results.append(run_one(kind, part))
    if options.report:
        report.write(options.report, [figures for figures, _ in results])
    return 0 if all(is_fine for _, is_fine in results) else 1
