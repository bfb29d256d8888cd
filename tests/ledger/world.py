# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The processes of a run: Redis, the sandbox, and replicas of the service that live again and again.

Whatever happens to them is written down as a disturbance, for the referee.
"""
import contextlib
import dataclasses
import json
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
import stores

TIMEOUT_MS = 2000                         # of an attempt: setting REQUEST_TIMEOUT_MS
LEASE_S = (2 * TIMEOUT_MS + 5000) / 1000  # as service/serve/app.c has it
WORKERS = 2                               # of a replica: threads that send
CONNECTIONS_MAX = 160                     # less than the clients of a fault may open
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
stand.Redis.patience = 300  # seconds: its file is long, and others may have the machine; its death is noticed at once


@dataclasses.dataclass
class Disturbance:
    fault: str
    target: str               # redis, seek, clients, replica-N
    began: float              # time.monotonic()
    ended: float = math.inf
    user_agents: tuple = ()   # the lives of replicas that it hit
    lane: str = ""
    forgets: bool = False     # what Redis was not waited for may be gone: a failover
    switched: float = None    # the moment at which there was another master
    shards: frozenset = None  # of a cluster: those that it hits; None: all there are


class Sandbox(stand.Sandbox):
    """Spoken to over TLS. Keeps its addresses when it comes again."""

    def __init__(self, directory, seed):
        self.tls_port = steady_port()
        super().__init__(directory, "--quiet", "--seed", seed % (1 << 31), "--tls-listen", f"127.0.0.1:{self.tls_port}",
                         "--tls-dir", directory / "tls")
        self.urls = {"graphql_url": f"https://127.0.0.1:{self.tls_port}/graphql",
                     "token_url": f"https://127.0.0.1:{self.tls_port}/oauth/token", "ca_file": self.ready["ca"]}

    def start(self):
        self.port = self.port or steady_port()
        super().start()
        self.settings(**CALM)

    @contextlib.contextmanager
    def started_with(self, *arguments):
        saved, self.arguments = self.arguments, (*self.arguments, *arguments)
        try:
            yield
        finally:
            self.arguments = saved


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
            self.world.directory, self.world.sandbox, name=f"{self.name}.{self.life}", redis_url=self.world.store.url,
            listen=self.address, ops_listen=self.ops, user_agent=self.user_agent, durability=self.world.store.durability,
            spool_dir=self.spool, workers=WORKERS, intake_threads=1, max_connections=CONNECTIONS_MAX, request_timeout_ms=TIMEOUT_MS,
            retry_base_ms=20, retry_max_ms=500, **self.world.sandbox.urls)
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
        self.world.note_failures(text)
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
    def __init__(self, kind, options, find):
        self.find = find  # (kind, text): something that must not happen
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="seek-signal-ledger-"))
        self.programs = stand.SERVICE, stand.SANDBOX
        self.disturbances = []
        self.failures = {}  # of attempts, as the services tell them: request id: (code, seconds that it took)
        self.store = self.sandbox = None
        self.replicas = []
        self.damaged = set()  # applications that somebody else has written to
        try:
            self.copy_programs()
            self.store = kind(self.directory, options.durability)
            self.sandbox = Sandbox(self.directory, options.seed)
            self.rules()
            for index in range(options.replicas):
                self.replicas.append(Replica(self, index, self.store.may_spool and index < options.spools))
                self.replicas[-1].start()
        except BaseException:
            self.close()
            raise

    @property
    def redis(self):
        """That one which is written to."""
        return self.store.redis

    def copy_programs(self):
        """The replicas are to start again and again, also when somebody builds meanwhile."""
        stand.SERVICE, stand.SANDBOX = (pathlib.Path(shutil.copy2(program, self.directory)) for program in self.programs)

    def rules(self, *first):
        """What the sandbox always refuses, and all that is left of its faults; `first` comes before that."""
        self.sandbox.clear_faults()
        self.sandbox.control("POST", "/faults", [*first, {"kind": "forbidden", "seekTokenContains": "refused", "count": 0}])

    def disturb(self, fault, target, user_agents=(), **members):
        disturbance = Disturbance(fault, target, time.monotonic(), user_agents=user_agents, **members)
        self.disturbances.append(disturbance)
        return disturbance

    def note_failures(self, log):
        for line in log.splitlines():
            if '"signal_retry"' in line and line.startswith("{") and line.endswith("}"):
                said = json.loads(line)
                self.failures[said["request_id"]] = said["code"], said["duration_ms"] / 1000

    def all_failures(self):
        for replica in self.replicas:
            self.note_failures(replica.service.text())
        return self.failures

    def watch(self):
        """Called now and then: nobody may die but by our hand. Others may find a master slow, and take another."""
        if self.store.watch() and not any(d.forgets and d.ended == math.inf for d in self.disturbances):
            self.disturb("failover", "redis", forgets=True).ended = time.monotonic()
        for replica in self.replicas:
            if replica.lock.acquire(blocking=False):
                try:
                    replica.watch()
                finally:
                    replica.lock.release()

    def heal(self):
        """The end of all faults: everything runs, and nothing is left over from any."""
        self.store.heal()
        if not self.sandbox.is_running():
            self.sandbox.start()
        self.sandbox.settings(**CALM, expiresIn=1800)
        self.rules()
        for replica in self.replicas:
            if replica.service.is_running():
                replica.service.send(signal.SIGCONT)
            else:
                replica.start()

    def ask(self, method, path, patience):
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
        return all(d["signals"].get("due") == 0 and d.get("spool", {"records": 0})["records"] == 0 for d in documents)

    def close(self):
        for process in [*(replica.service for replica in self.replicas), self.sandbox]:
            stores.end(process)
        if self.store is not None:
            self.store.close()
        stand.SERVICE, stand.SANDBOX = self.programs
        shutil.rmtree(self.directory, ignore_errors=True)
