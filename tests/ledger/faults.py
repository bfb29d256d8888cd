# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The faults: a table, and the lanes in which they happen. A lane has one fault at a time; several lanes are a mixture."""
import contextlib
import dataclasses
import random
import signal
import socket
import threading
import time

import plan
from world import CALM

JOIN_PATIENCE_S = 120


class Injection:
    """One fault at work: what it needs to begin, hold and end."""

    def __init__(self, world, planned, stopping, lane):
        self.world, self.planned, self.stopping, self.lane = world, planned, stopping, lane
        self.random = random.Random(planned.draw)

    def hold(self):
        self.stopping.wait(self.planned.duration_s)

    @contextlib.contextmanager
    def disturbance(self, target, user_agents=()):
        """From its begin to the moment at which what was broken runs again."""
        disturbance = self.world.disturb(self.planned.fault.name, target, user_agents, self.lane)
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


# --- the service --------------------------------------------------------------------------------------------------

def kill_replica(it):
    with it.replica() as replica, it.disturbance(replica.name, [replica.user_agent]):
        replica.kill()
        it.hold()
        replica.start()


def kill_all_replicas(it):
    with contextlib.ExitStack() as stack:
        held = [replica for replica in it.world.replicas if replica.lock.acquire(timeout=0.05)]
        for replica in held:
            stack.callback(replica.lock.release)
        with it.disturbance("replicas", [replica.user_agent for replica in held]):
            for replica in held:
                replica.kill()
            it.hold()
            for replica in held:
                replica.start()


def stop_replica(it):
    with it.replica() as replica, it.disturbance(replica.name, [replica.user_agent]):
        replica.service.send(signal.SIGSTOP)
        it.hold()
        replica.service.send(signal.SIGCONT)


def restart_replica(it):
    with it.replica() as replica, it.disturbance(replica.name, [replica.user_agent]):
        replica.stop()
        replica.start()


# --- Redis --------------------------------------------------------------------------------------------------------

def kill_redis(it):
    with it.disturbance("redis"):
        it.world.redis.kill()
        it.hold()
        it.world.redis.start()


def tear_redis_tail(it):
    """The machine died while Redis wrote: the last command in its file is half a command."""
    with it.disturbance("redis"):
        it.world.redis.kill()
        files = sorted((it.world.redis.directory / "appendonlydir").glob("*.incr.aof"),
                       key=lambda path: int(path.name.split(".")[-3]))
        with open(files[-1], "ab") as file:
            file.write(b"*3\r\n$3\r\nSET\r\n$9\r\nseek-sig"[:it.random.randint(1, 29)])
        it.hold()
        it.world.redis.start()


def stop_redis(it):
    with it.disturbance("redis"):
        it.world.redis.send(signal.SIGSTOP)
        it.hold()
        it.world.redis.send(signal.SIGCONT)


def cut_redis_clients(it):
    with it.disturbance("redis"):
        it.world.redis.cli("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


def flush_scripts(it):
    with it.disturbance("redis"):
        it.world.redis.cli("SCRIPT", "FLUSH")


def fill_redis(it):
    with it.disturbance("redis"):
        it.world.redis.cli("CONFIG", "SET", "maxmemory", 1)
        it.hold()
        it.world.redis.cli("CONFIG", "SET", "maxmemory", 0)


def weaken_redis(it):
    """Less than DURABILITY asks for. The connections are cut, so that the service looks again."""
    with it.disturbance("redis"):
        it.world.redis.cli("CONFIG", "SET", "appendfsync", "everysec")
        it.world.redis.cli("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        it.hold()
        it.world.redis.cli("CONFIG", "SET", "appendfsync", "always")


def demote_redis(it):
    """A replica of nobody: every write is READONLY."""
    with it.disturbance("redis"):
        it.world.redis.cli("REPLICAOF", "127.0.0.1", 1)
        it.hold()
        it.world.redis.cli("REPLICAOF", "NO", "ONE")


# --- SEEK ---------------------------------------------------------------------------------------------------------

SLOW_MS = 5000  # longer than an attempt may take

ERRORS = [{"kind": "unauthenticated"}, {"kind": "rate-limited"}, {"kind": "internal"}, {"kind": "unknown-code"},
          {"kind": "missing-code"}, {"kind": "garbage"}, {"kind": "empty"}, {"kind": "content-type"},
          {"kind": "graphql-error", "code": "SOMETHING_NEW", "message": "new"}]
CUTS = [{"kind": "reset"}, {"kind": "reset-after"}, {"kind": "cut-body"}, {"kind": "truncated-json"}]
DELAYS = [{"kind": "slow", "latencyMs": SLOW_MS}, {"kind": "hang"}, {"kind": "timeout-after"}]
STATUSES = [{"kind": "status", "status": 503}, {"kind": "status", "status": 429, "retryAfter": 1},
            {"kind": "status", "status": 504, "taken": True}, {"kind": "status", "status": 502, "body": "none"},
            {"kind": "status", "status": 404}]
REFUSALS = [{"kind": "bad-user-input"}, {"kind": "forbidden"}]


def spoil(kinds, probability):
    def inject(it):
        chosen = it.random.sample(kinds, it.random.randint(1, len(kinds)))
        with it.disturbance("seek"):
            it.world.sandbox.control("POST", "/faults", [kind | {"probability": probability} for kind in chosen])
            it.hold()
            it.world.rules()
    return inject


def restart_seek(it):
    """Refused connections. First everything fails, so that the ledger, which ends with the process, can be read."""
    with it.disturbance("seek"):
        it.world.sandbox.fault(kind="status", status=503, count=0)
        with it.world.witness.closing():
            it.world.sandbox.must_stop()
            it.hold()
            it.world.sandbox.start()
        it.world.rules()


def fail_seek(it):
    with it.disturbance("seek"):
        it.world.sandbox.fault(**it.random.choice([{"kind": "status", "status": 503}, {"kind": "reset"},
                                                   {"kind": "hang"}]), count=0)
        it.hold()
        it.world.rules()


def slow_seek(it):
    """Within the time that an attempt has: what dies now dies in the middle of one."""
    with it.disturbance("seek"):
        it.world.sandbox.settings(latencyMs=100, latencyJitterMs=600)
        it.hold()
        it.world.sandbox.settings(**CALM)


def fail_tokens(it):
    kind = it.random.choice([{"kind": "hang"}, {"kind": "status", "status": 503}, {"kind": "reset"}, {"kind": "garbage"},
                             {"kind": "slow", "latencyMs": SLOW_MS}, {"kind": "status", "status": 401}])
    with it.disturbance("seek"):
        it.world.sandbox.fault(on="token", count=0, **kind)
        it.world.sandbox.control("POST", "/revoke")
        it.hold()
        it.world.rules()


def revoke_tokens(it):
    with it.disturbance("seek"):
        it.world.sandbox.control("POST", "/revoke")


def expire_tokens(it):
    with it.disturbance("seek"):
        it.world.sandbox.settings(expiresIn=1)
        it.world.sandbox.control("POST", "/revoke")
        it.hold()
        it.world.sandbox.settings(expiresIn=1800)
        it.world.sandbox.control("POST", "/revoke")


# --- clients ------------------------------------------------------------------------------------------------------

def crowd(it):
    """Connections that begin a request and never end it, then all go at once."""
    head = b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    with it.replica() as replica, it.disturbance("clients"), contextlib.ExitStack() as stack:
        host, port = replica.address.split(":")
        for _ in range(it.random.randint(20, 200)):
            with contextlib.suppress(OSError):
                connection = stack.enter_context(socket.create_connection((host, int(port)), timeout=1))
                connection.sendall(head[:it.random.randint(1, len(head))])
        it.hold()


# --- the table ----------------------------------------------------------------------------------------------------

@dataclasses.dataclass(frozen=True)
class Fault:
    name: str
    lane: str
    inject: object
    least_s: float
    most_s: float
    long_s: float   # now and then, in long runs
    text: str
    weight: int = 1


FAULTS = [
    #     name              lane       inject             least most long
    Fault("kill",           "deaths",  kill_replica,       0.0,  2.0, 10, "kill -9 of a replica", 3),
    Fault("kill-all",       "deaths",  kill_all_replicas,  0.0,  1.0,  5, "kill -9 of all replicas at once"),
    Fault("restart",        "deaths",  restart_replica,    0.0,  0.0,  0, "SIGTERM of a replica, and its next start", 2),
    Fault("stop",           "stops",   stop_replica,      10.0, 12.0, 30, "SIGSTOP of a replica beyond its leases, then SIGCONT"),
    Fault("pause",          "stops",   stop_replica,       0.3,  3.0,  6, "SIGSTOP of a replica within its leases, then SIGCONT"),
    Fault("redis-kill",     "redis",   kill_redis,         0.0,  1.5, 20, "kill -9 of Redis"),
    Fault("redis-tail",     "redis",   tear_redis_tail,    0.0,  0.5,  2, "kill -9 of Redis, its file ending in half a command"),
    Fault("redis-stop",     "redis",   stop_redis,         0.5,  5.0, 60, "SIGSTOP of Redis, then SIGCONT"),
    Fault("redis-clients",  "redis",   cut_redis_clients,  0.0,  0.0,  0, "CLIENT KILL of all connections"),
    Fault("redis-scripts",  "redis",   flush_scripts,      0.0,  0.0,  0, "SCRIPT FLUSH"),
    Fault("redis-memory",   "redis",   fill_redis,         0.5,  2.5, 20, "maxmemory reached"),
    Fault("redis-fsync",    "redis",   weaken_redis,       0.5,  2.0,  5, "appendfsync everysec where fsync is demanded"),
    Fault("redis-readonly", "redis",   demote_redis,       0.5,  2.5, 10, "Redis is a replica"),
    Fault("seek-errors",    "seek",    spoil(ERRORS, 0.5), 1.0,  2.5, 10, "GraphQL errors, answers that are none"),
    Fault("seek-cuts",      "seek",    spoil(CUTS, 0.3),   1.0,  2.5, 10, "resets before and after the signal was taken"),
    Fault("seek-delays",    "seek",    spoil(DELAYS, 0.1), 1.0,  2.5, 10, "no answer in time, the signal taken or not"),
    Fault("seek-statuses",  "seek",    spoil(STATUSES, 0.5), 1.0, 2.5, 10, "429 with Retry-After, 404, 502, 503, 504 (taken)"),
    Fault("seek-refusals",  "seek",    spoil(REFUSALS, 0.2), 0.5, 1.5,  5, "refusals, which no repetition mends"),
    Fault("seek-restart",   "seek",    restart_seek,       0.5,  2.0, 60, "nobody listens at SEEK's address"),
    Fault("seek-outage",    "seek",    fail_seek,          1.0,  3.0, 60, "every call fails"),
    Fault("seek-slow",      "seek",    slow_seek,          2.0,  4.0, 20, "slow answers, within the time-out"),
    Fault("token-outage",   "seek",    fail_tokens,        1.0,  3.0, 30, "no access token can be had"),
    Fault("token-revoked",  "seek",    revoke_tokens,      0.0,  0.0,  0, "the access tokens are revoked"),
    Fault("token-expiry",   "seek",    expire_tokens,      2.0,  4.0, 10, "access tokens live for a second"),
    Fault("clients",        "clients", crowd,              0.5,  2.0, 10, "connections that never finish their request"),
]
BY_NAME = {fault.name: fault for fault in FAULTS}


class Injector:
    """Runs the lanes. `alone_until`: before that moment all faults share one lane."""

    GAP_ALONE_S = (4.0, 6.0)  # enough to see normal flow again
    GAP_MIXED_S = (0.5, 3.0)

    def __init__(self, world, seed, faults, is_long, alone_s, is_over):
        self.world, self.seed, self.faults, self.is_long, self.alone_s = world, seed, faults, is_long, alone_s
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
        for planned in plan.schedule(self.seed, lane, faults, gap_s, self.is_long):
            if self.stopping.wait(planned.pause_s) or (until is not None and time.monotonic() > until):
                return
            try:
                planned.fault.inject(Injection(self.world, planned, self.stopping, lane))
            except Exception as error:  # the stand is broken: the run proves nothing any more
                self.world.find("stand", f"{planned.fault.name}: {error!r}")
                self.is_over.set()
                return

    def stop(self):
        """Ends what is at work, and waits for it."""
        self.stopping.set()
        for thread in list(self.threads):
            thread.join(JOIN_PATIENCE_S)
        for thread in list(self.threads):
            thread.join(JOIN_PATIENCE_S)
