# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""What happens to a single Redis."""
import signal
import threading

import stand
from injection import Fault

BYTES_PER_COMMAND = 250  # in the file, about
SLEEP_US = 55            # the shortest there is, about; on a busy machine many times that


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


def load_slowly(it):
    """After its death Redis reads its file for as long as the fault holds: every command is LOADING."""
    redis = it.world.redis
    with it.disturbance("redis"):
        redis.kill()
        size = sum(path.stat().st_size for path in (redis.directory / "appendonlydir").iterdir())
        delay_us = it.planned.duration_s * 1e6 / max(1, size / BYTES_PER_COMMAND)
        # A negative number: on the average one command of so many waits, for the shortest time there is.
        delay = int(delay_us - SLEEP_US) if delay_us > 2 * SLEEP_US else -max(1, round(SLEEP_US / delay_us))
        redis.arguments = "--key-load-delay", delay
        enough = threading.Timer(2 * it.planned.duration_s, redis.try_cli, ("CONFIG", "SET", "key-load-delay", 0))
        enough.start()
        redis.start()
        enough.cancel()
        redis.arguments = ()


def fail_to_save(it):
    """A snapshot that cannot be written: every write is MISCONF."""
    redis = it.world.redis
    obstacle = redis.directory / "dump.rdb"
    with it.disturbance("redis"):
        obstacle.mkdir()
        redis.cli("CONFIG", "SET", "save", "3600 1")
        redis.cli("BGSAVE", "SCHEDULE")
        stand.eventually(lambda: "rdb_last_bgsave_status:err" in redis.cli("INFO", "persistence"), "the snapshot fails")
        it.hold()
        redis.cli("CONFIG", "SET", "save", "")
        obstacle.rmdir()


def demand_replicas(it):
    """Of a Redis that has none: every write is NOREPLICAS."""
    with it.disturbance("redis"):
        it.world.redis.cli("CONFIG", "SET", "min-replicas-to-write", 1)
        it.hold()
        it.world.redis.cli("CONFIG", "SET", "min-replicas-to-write", 0)


FAULTS = [
    #     name              lane       inject             least most long
    Fault("redis-kill",     "redis",   kill_redis,         0.0,  1.5, 20, "kill -9 of Redis"),
    Fault("redis-tail",     "redis",   tear_redis_tail,    0.0,  0.5,  2, "kill -9 of Redis, its file ending in half a command"),
    Fault("redis-stop",     "redis",   stop_redis,         0.5,  5.0, 60, "SIGSTOP of Redis, then SIGCONT"),
    Fault("redis-clients",  "redis",   cut_redis_clients,  0.0,  0.0,  0, "CLIENT KILL of all connections"),
    Fault("redis-scripts",  "redis",   flush_scripts,      0.0,  0.0,  0, "SCRIPT FLUSH"),
    Fault("redis-memory",   "redis",   fill_redis,         0.5,  2.5, 20, "OOM: maxmemory reached"),
    Fault("redis-fsync",    "redis",   weaken_redis,       0.5,  2.0,  5, "appendfsync everysec where fsync is demanded"),
    Fault("redis-readonly", "redis",   demote_redis,       0.5,  2.5, 10, "READONLY: Redis is a replica"),
    Fault("redis-loading",  "redis",   load_slowly,        0.5,  3.0, 10, "LOADING: kill -9, then its file is read slowly"),
    Fault("redis-misconf",  "redis",   fail_to_save,       0.5,  2.5, 10, "MISCONF: Redis cannot write a snapshot"),
    Fault("redis-lonely",   "redis",   demand_replicas,    0.5,  2.5, 10, "NOREPLICAS: Redis wants a replica and has none"),
]
