# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""What the replicas keep everything in: one Redis, or a master with two replicas and three sentinels."""
import collections
import contextlib
import signal
import socket
import threading
import time

import stand

WHOLE_PATIENCE_S = 120
TURN_S = 0.02  # between two looks


class Single:
    """One Redis that syncs each write."""

    text = "one Redis"
    durable = {"fsync", "spool"}  # what an answer may say where fsync is demanded
    durability = "fsync"
    may_spool = True
    may_cut = is_forgetful = False
    groups = failovers = ()

    def __init__(self, directory, _durability):
        self.redis = stand.Redis(directory)
        self.url = self.redis.url

    def heal(self):
        self.redis.send(signal.SIGCONT)
        if not self.redis.is_running():
            self.redis.start()
        for setting in (("maxmemory", 0), ("appendfsync", "always"), ("save", ""), ("min-replicas-to-write", 0)):
            self.redis.cli("CONFIG", "SET", *setting)
        self.redis.cli("REPLICAOF", "NO", "ONE")

    @staticmethod
    def watch():
        return False

    def close(self):
        end(self.redis)


class Team:
    """Set up as docs/durability.md says. With `replicas:2`, all of them, nothing acknowledged may be lost."""

    text = "a master with two replicas and three sentinels"
    may_spool = may_cut = is_forgetful = False
    groups = ()
    SETTINGS = "--repl-diskless-sync-delay", "0", "--min-replicas-to-write", "1"

    def __init__(self, _directory, durability):
        self.durability, self.durable = durability or "replicas:2", {durability or "replicas:2"}
        self.lock = threading.Lock()
        self.stand = stand.Stand()
        try:
            master = self.stand.redis(*self.SETTINGS, name="redis-0")
            others = [self.stand.redis(*self.SETTINGS, "--replicaof", "127.0.0.1", master.port, name=f"redis-{n}")
                      for n in (1, 2)]
            self.redises = {redis.port: redis for redis in (master, *others)}
            self.sentinels = self.stand.sentinels(master, replicas=2)
            self.known = master
            self.failovers = []  # moments at which another master was seen
            self.await_whole()
        except BaseException:
            self.close()
            raise
        self.url = "redis+sentinel://" + ",".join(f"127.0.0.1:{s.port}" for s in self.sentinels) + "/applications"

    @property
    def redis(self):
        """The master, as far as anybody knows."""
        return self.master() or self.known

    def master(self):
        """Whom most sentinels name."""
        named = collections.Counter()
        for sentinel in self.sentinels:
            words = ask(sentinel.port, "SENTINEL GET-MASTER-ADDR-BY-NAME applications").split()
            if len(words) == 5:
                named[int(words[4])] += 1
        port, count = named.most_common(1)[0] if named else (None, 0)
        return self.redises[port] if 2 * count > len(self.sentinels) else None

    def watch(self):
        """Notes a failover; whether there was one."""
        master = self.master()
        with self.lock:
            if master in (None, self.known):
                return False
            self.known = master
            self.failovers.append(time.monotonic())
            return True

    def followers(self):
        return [redis for redis in self.redises.values() if redis is not self.redis]

    def await_other(self, old):
        wait_until(lambda: self.master() not in (None, old), f"another master than {old.name}")
        self.watch()
        return time.monotonic()

    def is_whole(self):
        """The master has all its replicas, so that it can acknowledge again."""
        self.watch()
        text = ask(self.known.port, "INFO replication")
        return "role:master" in text and text.count("state=online") == len(self.redises) - 1

    def are_sentinels_content(self):
        """They agree, and each would find a replica to promote: before, another fault would only be the same one."""
        for sentinel in self.sentinels:
            told = ask(sentinel.port, "SENTINEL REPLICAS applications").split()
            flags = [told[i + 2] for i, word in enumerate(told) if word == "flags"]
            if flags != ["slave"] * (len(self.redises) - 1):
                return False
        return len({ask(s.port, "SENTINEL GET-MASTER-ADDR-BY-NAME applications") for s in self.sentinels}) == 1

    def await_whole(self):
        wait_until(self.is_whole, "the master has its replicas")

    def await_content(self):
        wait_until(lambda: self.is_whole() and self.are_sentinels_content(), "the sentinels are content")

    def bring_back(self, redis, as_follower):
        """As a replica, as Sentinel would have written into its file; or as if nothing had been: a master with the past."""
        redis.arguments = self.SETTINGS + (("--replicaof", "127.0.0.1", self.redis.port) if as_follower else ())
        redis.start()

    def heal(self):
        for process in (*self.redises.values(), *self.sentinels):
            if process.is_running():
                process.send(signal.SIGCONT)
        for sentinel in self.sentinels:
            if not sentinel.is_running():
                sentinel.start()
        for redis in self.redises.values():
            if not redis.is_running():
                self.bring_back(redis, as_follower=redis is not self.redis)
        self.await_whole()

    def close(self):
        self.stand.close()


def end(process):
    if process is not None and process.is_running():
        process.send(signal.SIGCONT)
        process.kill()


def wait_until(condition, what):
    deadline = time.monotonic() + WHOLE_PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {WHOLE_PATIENCE_S} s: {what}")
        time.sleep(TURN_S)


def dial(where):
    """A port of this host, or the path of a socket."""
    if isinstance(where, int):
        return socket.create_connection(("127.0.0.1", where), timeout=1)
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(1)
        connection.connect(str(where))
    except OSError:
        connection.close()
        raise
    return connection


def ask(where, *words):
    """The answer of a Redis or a sentinel as it came; "" when it gives none. Faster than a process of redis-cli."""
    with contextlib.suppress(OSError), dial(where) as connection:
        connection.sendall(f"{' '.join(words)}\r\nPING\r\n".encode())
        answer = b""
        while not answer.endswith(b"+PONG\r\n"):
            piece = connection.recv(65536)
            if not piece:
                return ""
            answer += piece
        return answer[:-len(b"+PONG\r\n")].decode(errors="replace")
    return ""
