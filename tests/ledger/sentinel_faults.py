# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""What happens to a master, its replicas and its sentinels. A disturbance ends when the master has all its replicas again. One
that may end in a failover `forgets`: only what replicas were waited for survives it."""
import contextlib
import signal

import stores
from injection import Fault


@contextlib.contextmanager
def around(it, forgets=False):
    """The fault, and then the time until the sentinels are ready for another one."""
    team = it.world.store
    with it.disturbance("redis", forgets=forgets) as disturbance:
        yield team, disturbance
        team.await_whole()
    team.await_content()


def kill_master(it):
    with around(it, forgets=True) as (team, disturbance):
        old = team.redis
        old.kill()
        disturbance.switched = team.await_other(old)
        it.hold()
        team.bring_back(old, as_follower=it.random.random() < 0.5)


def restart_master(it):
    """Mostly before anybody misses it."""
    with around(it, forgets=True) as (team, _):
        master = team.redis
        master.kill()
        it.hold()
        team.bring_back(master, as_follower=False)


def stop_master(it):
    """Cut off from everybody until there is another one, and back with what it knew."""
    with around(it, forgets=True) as (team, disturbance):
        old = team.redis
        old.send(signal.SIGSTOP)
        disturbance.switched = team.await_other(old)
        it.hold()
        old.send(signal.SIGCONT)


def pause_master(it):
    with around(it, forgets=True) as (team, _):
        master = team.redis
        master.send(signal.SIGSTOP)
        it.hold()
        master.send(signal.SIGCONT)


def fail_over(it):
    """While the master lives: for a moment there are two."""
    with around(it, forgets=True) as (team, disturbance):
        old, sentinel = team.redis, it.random.choice(team.sentinels)
        stores.wait_until(lambda: stores.ask(sentinel.port, "SENTINEL FAILOVER applications").startswith("+OK")
                          or team.master() not in (None, old), "a sentinel begins a failover")
        disturbance.switched = team.await_other(old)


def kill_follower(it):
    with around(it) as (team, _):
        follower = it.random.choice(team.followers())
        follower.kill()
        it.hold()
        team.bring_back(follower, as_follower=True)


def stop_follower(it):
    with around(it) as (team, _):
        follower = it.random.choice(team.followers())
        follower.send(signal.SIGSTOP)
        it.hold()
        follower.send(signal.SIGCONT)


def kill_sentinel(it):
    with around(it) as (team, _):
        sentinel = it.random.choice(team.sentinels)
        sentinel.kill()
        it.hold()
        sentinel.start()


def stop_sentinel(it):
    with around(it) as (team, _):
        sentinel = it.random.choice(team.sentinels)
        sentinel.send(signal.SIGSTOP)
        it.hold()
        sentinel.send(signal.SIGCONT)


def cut_master_clients(it):
    with around(it) as (team, _):
        team.redis.try_cli("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


FAULTS = [
    #     name              lane     inject              least most long
    Fault("master-kill",    "redis", kill_master,        0.0,  2.0, 20, "kill -9 of the master until after the failover", 3),
    Fault("master-restart", "redis", restart_master,     0.0,  0.2,  0, "kill -9 of the master, and its next start"),
    Fault("master-stop",    "redis", stop_master,        0.0,  2.0, 20, "SIGSTOP of the master until after the failover", 2),
    Fault("master-pause",   "redis", pause_master,       0.1,  0.4,  0, "SIGSTOP of the master, hardly noticed"),
    Fault("failover",       "redis", fail_over,          0.0,  0.0,  0, "SENTINEL FAILOVER: the master lives", 2),
    Fault("follower-kill",  "redis", kill_follower,      0.0,  2.0, 10, "kill -9 of a replica of Redis"),
    Fault("follower-stop",  "redis", stop_follower,      0.5,  3.0, 10, "SIGSTOP of a replica of Redis, then SIGCONT"),
    Fault("sentinel-kill",  "redis", kill_sentinel,      0.5,  2.0,  5, "kill -9 of a sentinel"),
    Fault("sentinel-stop",  "redis", stop_sentinel,      0.5,  2.0,  5, "SIGSTOP of a sentinel, then SIGCONT"),
    Fault("master-clients", "redis", cut_master_clients, 0.0,  0.0,  0, "CLIENT KILL of all connections of the master"),
]
