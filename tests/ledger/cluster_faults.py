# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""What happens to the nodes of a cluster. A disturbance says which shards it hits, and ends when each master has its replica
again. One that may end in a failover `forgets`: only what replicas were waited for survives it."""
import contextlib
import signal

from injection import Fault
from shards import COUNT

SHARDS_MOVED = 4


@contextlib.contextmanager
def around(it, shards, forgets=False):
    """The fault, and then the time until the cluster is ready for another one."""
    cluster = it.world.store
    with it.disturbance("redis", shards=frozenset(shards), forgets=forgets) as disturbance:
        yield disturbance
        cluster.await_whole()


def one_master(it):
    """And its shards."""
    cluster = it.world.store
    (master,) = cluster.pick_masters(it.random)
    return cluster, master, cluster.shards_of(master)


def kill_master(it):
    cluster, master, shards = one_master(it)
    with around(it, shards, forgets=True) as disturbance:
        master.kill()
        disturbance.switched = cluster.await_other(master)
        it.hold()
        master.start()


def restart_master(it):
    """Mostly before anybody misses it."""
    _, master, shards = one_master(it)
    with around(it, shards, forgets=True):
        master.kill()
        it.hold()
        master.start()


def stop_master(it):
    """Beyond the node time-out, so until there is another one, and back with what it knew."""
    cluster, master, shards = one_master(it)
    with around(it, shards, forgets=True) as disturbance:
        master.send(signal.SIGSTOP)
        disturbance.switched = cluster.await_other(master)
        it.hold()
        master.send(signal.SIGCONT)


def pause_master(it):
    _, master, shards = one_master(it)
    with around(it, shards, forgets=True):
        master.send(signal.SIGSTOP)
        it.hold()
        master.send(signal.SIGCONT)


def cut_master(it):
    """Off from all other nodes; who sends to it, still reaches it."""
    cluster, master, shards = one_master(it)
    with around(it, shards, forgets=True) as disturbance:
        cluster.network.cut(master.place)
        try:
            disturbance.switched = cluster.await_other(master)
            it.hold()
        finally:
            cluster.network.join(master.place)


def replace_master(it):
    """While it lives: its replica takes over, with a handshake or without."""
    cluster, master, shards = one_master(it)
    with around(it, shards, forgets=True) as disturbance:
        follower = cluster.follower_of(master)
        follower.cli("CLUSTER", "FAILOVER", *it.random.choice(((), ("FORCE",))))
        disturbance.switched = cluster.await_other(master)


def kill_two_masters(it):
    """No majority is left to agree on others: the cluster is down until one is back."""
    cluster = it.world.store
    masters = cluster.pick_masters(it.random, 2)
    with around(it, range(COUNT), forgets=True):
        for master in masters:
            master.kill()
        it.hold()
        for master in masters:
            master.start()


def kill_follower(it):
    """With `replicas:1` the shards of its master take nothing meanwhile."""
    cluster, master, shards = one_master(it)
    with around(it, shards):
        follower = cluster.follower_of(master)
        follower.kill()
        it.hold()
        follower.start()


def stop_follower(it):
    cluster, master, shards = one_master(it)
    with around(it, shards):
        follower = cluster.follower_of(master)
        follower.send(signal.SIGSTOP)
        it.hold()
        follower.send(signal.SIGCONT)


def note_asking(it):
    for name in it.world.store.who_was_asked():
        it.world.find("asking", f"{name}: somebody said ASKING, and so would work on one half of a shard's keys")


def move_slots(it):
    """Of some shards, to another master and back."""
    cluster = it.world.store
    source, target = cluster.pick_masters(it.random, 2)
    shards = cluster.shards_of(source)
    moved = it.random.sample(sorted(shards), min(SHARDS_MOVED, len(shards)))
    with around(it, moved):
        for shard in moved:
            cluster.move(shard, target)
        it.hold()
        for shard in moved:
            cluster.move(shard, source)
    note_asking(it)


def give_slots(it):
    """Of one shard, for good."""
    cluster = it.world.store
    source, target = cluster.pick_masters(it.random, 2)
    shard = it.random.choice(sorted(cluster.shards_of(source)))
    with around(it, [shard]):
        cluster.move(shard, target)
    note_asking(it)


def add_nodes(it):
    """A master more with its replica, which get some shards of each other, and go again."""
    cluster = it.world.store
    home = {shard: master for master in cluster.pick_masters(it.random, 3)
            for shard in it.random.sample(sorted(cluster.shards_of(master)), 2)}
    with around(it, home):
        added = cluster.add_nodes()
        for shard in home:
            cluster.move(shard, added[0])
        it.hold()
        for shard, master in home.items():
            cluster.move(shard, master)
        cluster.remove_nodes(added)
    note_asking(it)


def cut_clients(it):
    _, master, shards = one_master(it)
    with around(it, shards):
        master.try_cli("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


FAULTS = [
    #     name              lane     inject            least most long
    Fault("node-kill",      "redis", kill_master,       0.0,  2.0, 20, "kill -9 of a master until after the failover", 3),
    Fault("node-restart",   "redis", restart_master,    0.0,  0.5,  0, "kill -9 of a master, and its next start"),
    Fault("node-stop",      "redis", stop_master,       0.0,  2.0, 20, "SIGSTOP of a master until after the failover", 2),
    Fault("node-pause",     "redis", pause_master,      0.1,  1.0,  0, "SIGSTOP of a master within the node time-out"),
    Fault("node-cut",       "redis", cut_master,        0.0,  2.0, 20, "a master cut off from all other nodes, not from clients", 2, True),
    Fault("node-replace",   "redis", replace_master,    0.0,  0.0,  0, "CLUSTER FAILOVER: the master lives", 2),
    Fault("nodes-kill",     "redis", kill_two_masters,  3.0,  5.0, 20, "kill -9 of two masters: no majority"),
    Fault("copy-kill",      "redis", kill_follower,     0.0,  2.0, 10, "kill -9 of a master's replica"),
    Fault("copy-stop",      "redis", stop_follower,     0.5,  3.0, 10, "SIGSTOP of a master's replica, then SIGCONT"),
    Fault("slots-move",     "redis", move_slots,        0.0,  1.0,  5, "four shards' slots moved to another master and back", 2),
    Fault("slots-give",     "redis", give_slots,        0.0,  0.0,  0, "a shard's slot moved to another master"),
    Fault("nodes-add",      "redis", add_nodes,         0.0,  1.0,  5, "a master and its replica added, given slots, and removed"),
    Fault("node-clients",   "redis", cut_clients,       0.0,  0.0,  0, "CLIENT KILL of all connections of a master"),
]
