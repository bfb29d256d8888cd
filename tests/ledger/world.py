# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The processes of a run: one Redis, the sandbox, and replicas of the service that live again and again.

Whatever happens to them is written down as a disturbance, for the referee.
"""
import dataclasses
import math
import pathlib
import random
import shutil
import signal
import socket
import tempfile
import threading
import time

import stand

TIMEOUT_MS = 2000                         # of an attempt: setting REQUEST_TIMEOUT_MS
LEASE_S = (2 * TIMEOUT_MS + 5000) / 1000  # as service/app.c has it
# Of the sandbox's answers without a fault: some attempts are always on their way when something dies.
CALM = {"latencyMs": 5, "latencyJitterMs": 50}


def steady_port():
    """A port below the ephemeral ones: no outgoing connection may take it while its owner is dead."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


stand.free_port = steady_port


@dataclasses.dataclass
class Disturbance:
    fault: str
    target: str               # redis, seek, clients, replica-N
    began: float              # time.monotonic()
    ended: float = math.inf
    user_agents: tuple = ()   # the lives of replicas that it hit
    lane: str = ""


class Sandbox(stand.Sandbox):
    """Keeps its address when it comes again."""

    def start(self):
        self.port = self.port or steady_port()
        super().start()
        self.settings(**CALM)


class Replica:
    """A place where a service runs: the same address in each of its lives."""

    def __init__(self, world, index, has_spool):
        self.world, self.index, self.name = world, index, f"replica-{index}"
        self.spool = world.directory / f"{self.name}.spool" if has_spool else None
        self.address, self.ops = (f"127.0.0.1:{steady_port()}" for _ in range(2))
        self.lock = threading.Lock()  # held by the fault that has it in hand
        self.life = 0
        self.service = None
        self.is_expected_dead = True

    @property
    def user_agent(self):
        return f"{self.name}/{self.life}"

    def start(self):
        self.life += 1
        self.service = stand.Service(
            self.world.directory, self.world.sandbox, name=f"{self.name}.{self.life}", redis_url=self.world.redis.url,
            listen=self.address, ops_listen=self.ops, user_agent=self.user_agent, durability="fsync", workers=2,
            spool_dir=self.spool, intake_threads=1, request_timeout_ms=TIMEOUT_MS, retry_base_ms=20, retry_max_ms=500)
        self.service.start(is_ready=False)
        self.is_expected_dead = False

    def kill(self):
        self.is_expected_dead = True
        self.service.kill()
        self.retire(-signal.SIGKILL)

    def stop(self):
        self.is_expected_dead = True
        self.service.send(signal.SIGTERM)
        self.retire(self.service.child.wait(timeout=90), 0)

    def retire(self, status, expected=None):
        """The end of a life. What its log says of memory errors or a wrong exit is a finding."""
        text = self.service.text()
        is_broken = any(word in text for word in ("AddressSanitizer", "ThreadSanitizer", "runtime error:", "Assertion"))
        if is_broken or (expected is not None and status != expected):
            self.world.find("broken", f"{self.service.name} ended with {status}: {text[-2000:]}")
        else:
            self.service.log_path.unlink(missing_ok=True)

    def watch(self):
        if not self.is_expected_dead and not self.service.is_running():
            self.is_expected_dead = True
            status = self.service.child.returncode
            self.world.find("broken", f"{self.service.name} ended by itself with {status}: {self.service.text()[-2000:]}")
            self.start()


class World:
    def __init__(self, replicas, spools, seed, find):
        self.find = find  # (kind, text): something that must not happen
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="seek-signal-ledger-"))
        self.programs = stand.SERVICE, stand.SANDBOX
        self.disturbances = []
        self.processes = []
        self.redis = self.sandbox = None
        self.replicas = []
        try:
            self.copy_programs()
            self.redis = stand.Redis(self.directory)
            self.sandbox = Sandbox(self.directory, "--quiet", "--seed", seed % (1 << 31))
            self.rules()
            for index in range(replicas):
                self.replicas.append(Replica(self, index, index < spools))
                self.replicas[-1].start()
        except BaseException:
            self.close()
            raise

    def copy_programs(self):
        """The replicas are to start again and again, also when somebody builds meanwhile."""
        stand.SERVICE, stand.SANDBOX = (pathlib.Path(shutil.copy2(program, self.directory)) for program in self.programs)

    def rules(self):
        """What the sandbox always refuses, and all that is left of its faults."""
        self.sandbox.clear_faults()
        self.sandbox.fault(kind="forbidden", seekTokenContains="refused", count=0)

    def disturb(self, fault, target, user_agents=(), lane=""):
        disturbance = Disturbance(fault, target, time.monotonic(), user_agents=tuple(user_agents), lane=lane)
        self.disturbances.append(disturbance)
        return disturbance

    def watch(self):
        """Called now and then: nobody may die but by our hand."""
        for replica in self.replicas:
            if replica.lock.acquire(blocking=False):
                try:
                    replica.watch()
                finally:
                    replica.lock.release()

    def heal(self):
        """The end of all faults: everything runs, and nothing is left over from any."""
        self.redis.send(signal.SIGCONT)
        if not self.redis.is_running():
            self.redis.start()
        for setting in (("maxmemory", 0), ("appendfsync", "always")):
            self.redis.cli("CONFIG", "SET", *setting)
        self.redis.cli("REPLICAOF", "NO", "ONE")
        if not self.sandbox.is_running():
            self.sandbox.start()
        self.sandbox.settings(**CALM, expiresIn=1800)
        self.rules()
        for replica in self.replicas:
            if replica.service.is_running():
                replica.service.send(signal.SIGCONT)
            else:
                replica.start()

    def ask(self, method, path, patience=30):
        """One question to whichever replica answers it."""
        def answer():
            for replica in self.replicas:
                try:
                    got = stand.call(replica.address, method, path, timeout=10)
                except OSError:
                    continue
                if got.status != 503:
                    return got
            return None
        return stand.eventually(answer, f"an answer to {method} {path}", patience)

    def is_drained(self):
        """Nothing is owed, and nothing waits in a spool."""
        try:
            documents = [stand.call(replica.address, "GET", "/v1/status", timeout=10).json for replica in self.replicas]
        except OSError:  # it was started a moment ago
            return False
        return all(d["signals"]["due"] == 0 and d.get("spool", {"records": 0})["records"] == 0 for d in documents)

    def close(self):
        for process in [r.service for r in self.replicas] + [self.sandbox, self.redis]:
            if process is None or process.child is None:
                continue
            if process.is_running():
                process.send(signal.SIGCONT)
            process.kill()
        stand.SERVICE, stand.SANDBOX = self.programs
        shutil.rmtree(self.directory, ignore_errors=True)
