# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""How faults strike: what one is, one at work, and the lanes. A lane has one at a time; several lanes are a mixture."""
import contextlib
import dataclasses
import random
import threading
import time

import flow
import plan

JOIN_PATIENCE_S = 180
FLOW_PATIENCE_S = 60  # whatever it was: that long after its end nothing flows only if something is broken


@dataclasses.dataclass(frozen=True)
class Fault:
    name: str
    lane: str
    inject: object  # called with an Injection
    least_s: float
    most_s: float
    long_s: float   # now and then, in long runs
    text: str
    weight: int = 1
    is_cut: bool = False  # where nodes have a network of their own


class Injection:
    """One fault at work: what it needs to begin, hold and end."""

    def __init__(self, world, planned, stopping, lane):
        self.world, self.planned, self.stopping, self.lane = world, planned, stopping, lane
        self.random = random.Random(planned.draw)

    def hold(self):
        self.stopping.wait(self.planned.duration_s)

    @contextlib.contextmanager
    def disturbance(self, target, user_agents=(), **members):
        """From its begin to the moment at which what was broken runs again."""
        disturbance = self.world.disturb(self.planned.fault.name, target, tuple(user_agents), lane=self.lane, **members)
        try:
            yield disturbance
        finally:
            disturbance.ended = time.monotonic()

    @contextlib.contextmanager
    def replica(self):
        """One that no other lane has in hand."""
        order = self.random.sample(self.world.replicas, len(self.world.replicas))
        for replica in order * 1000:
            if replica.lock.acquire(timeout=0.05):
                try:
                    yield replica
                finally:
                    replica.lock.release()
                return


class Injector:
    """Runs the lanes. For the first `alone_s` all faults share one, and each waits until everything flows again."""

    GAP_ALONE_S = (0.5, 1.5)
    GAP_MIXED_S = (0.5, 3.0)

    def __init__(self, world, options, alone_s, probers, is_over):
        self.world, self.seed, self.alone_s = world, options.seed, alone_s
        self.faults = [fault for fault in options.fault_rows if world.store.may_cut or not fault.is_cut]
        self.probers = probers
        self.stopping = threading.Event()
        self.is_over = is_over
        self.threads = []

    def start(self):
        self.threads = [threading.Thread(target=self.run, name="faults", daemon=True)]
        self.threads[0].start()

    def run(self):
        if self.alone_s > 0:
            self.run_lane("alone", self.faults, self.GAP_ALONE_S, time.monotonic() + self.alone_s)
        lanes = {}
        for fault in self.faults:
            lanes.setdefault(fault.lane, []).append(fault)
        threads = [threading.Thread(target=self.run_lane, args=(lane, faults, self.GAP_MIXED_S, None), name=lane, daemon=True)
                   for lane, faults in lanes.items()]
        self.threads += threads
        for thread in threads:
            thread.start()

    def run_lane(self, lane, faults, gap_s, until):
        for planned in plan.schedule(self.seed, lane, faults, gap_s, is_long=self.alone_s > 0):
            if self.stopping.wait(planned.pause_s) or (until is not None and time.monotonic() > until):
                return
            try:
                planned.fault.inject(Injection(self.world, planned, self.stopping, lane))
            except Exception as error:  # the stand is broken: the run proves nothing any more
                self.world.find("stand", f"{planned.fault.name}: {error!r}")
                self.is_over.set()
                return
            if lane == "alone":
                self.await_flow(planned.fault.name, time.monotonic())

    def await_flow(self, name, ended):
        while not self.stopping.wait(0.1):
            if flow.is_normal_since(ended, self.probers, self.world.witness.arrived):
                return
            if time.monotonic() > ended + FLOW_PATIENCE_S:
                self.world.find("flow", f"{FLOW_PATIENCE_S} s after the end of {name} nothing flows")
                return

    def stop(self):
        """Ends what is at work, and waits for it."""
        self.stopping.set()
        for thread in list(self.threads):
            thread.join(JOIN_PATIENCE_S)
        for thread in list(self.threads):
            thread.join(JOIN_PATIENCE_S)
