# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""`seek-signal move` from a cluster and to one, while that changes under it."""
import signal
import subprocess

import pytest

from move_test import Clients, keys_of, must_move, taken_by
from redis_cluster import RedisCluster
from stand import SERVICE, event, eventually


def key_shards(nodes):
    """Of each application that they have: its shard's name."""
    return {key.split(":app:")[1]: key.split(":")[1] for node in nodes if node.is_running() for key in keys_of(node)}


def take(service, left):
    """Posts them once, and leaves those that are not taken."""
    answer = service.post("/v1/events", [event(*pair) for pair in left.items()])
    for result in answer.json.get("results", []):  # none where all are refused
        if result.get("result") in ("accepted", "duplicate"):
            left.pop(result["applicationId"])
    return not left


@pytest.mark.parametrize("side", ["from", "to"])
def it_outlives_slots_that_move_and_a_failover(stand, sandbox, side):
    """Of what was acknowledged nothing is lost, and of each application the newest comes last. Nothing is sent twice but what a master
    had not told its replica of when it died: outcomes do not wait for it (docs/scaling.md)."""
    cluster, other = RedisCluster(stand, replicas=1), stand.redis(name="other")
    source, target = (cluster.url, other.url) if side == "from" else (other.url, cluster.url)
    levels = ("replicas:1", "fsync") if side == "from" else ("fsync", "replicas:1")
    old = stand.service(sandbox, name="old", redis_url=source, durability=levels[0]).start()
    new = stand.service(sandbox, name="new", redis_url=target, durability=levels[1]).start()
    old.must_post([event(f"K-{number}", f"token-k-{number}") for number in range(300)])
    clients = Clients(old, 2)
    mover = subprocess.Popen([SERVICE, "move", "--from", source, "--to", target, "--follow"], env=new.environment(),
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def must_go_on(what):
        known = set(clients.number_of)
        eventually(lambda: len(set(taken_by(sandbox)) & set(clients.number_of) - known) > 20, what, patience=60)

    assert "sending from --from has ended" in mover.stdout.readline()
    single = {f"L-{number}": f"token-l-{number}" for number in range(600)}
    left = [dict(list(single.items())[first:first + 50]) for first in range(0, 600, 50)]  # no later one makes up for one of these
    for shard in range(6):
        eventually(lambda some=left.pop(): take(old, some), "all are taken")
        slot = cluster.slot(f"{{{shard}}}")
        cluster.move(slot, cluster.masters[(cluster.masters.index(cluster.owner(slot)) + 1) % 3])
    must_go_on("signals are sent behind the slots")
    taken = taken_by(sandbox)
    assert len(taken) == len(set(taken)), "none is repeated"

    victim, replica = cluster.masters[0], cluster.nodes[3]
    concerned = set(key_shards([victim]).values())
    victim.kill()
    for some in left:
        take(old, some)
    eventually(lambda: "role:master" in replica.try_cli("INFO", "replication"), "the replica takes over", patience=60)
    victim.start()
    for some in left:
        eventually(lambda some=some: take(old, some), "all are taken", patience=60)
    eventually(lambda: victim.is_replica_of(replica), "and gets a replica", patience=60)
    must_go_on("signals are sent behind the failover")
    assert mover.poll() is None, mover.communicate()
    clients.end()
    old.must_stop()
    mover.send_signal(signal.SIGTERM)
    out, _ = mover.communicate(timeout=90)
    assert mover.returncode == 0, out
    must_move(new, source, target)
    wanted = {*single.values(), *clients.newest.values(), *(f"token-k-{number}" for number in range(300))}
    eventually(lambda: wanted <= set(taken_by(sandbox)), "SEEK has the newest of each", patience=60)
    taken = taken_by(sandbox)
    for name, newest in clients.newest.items():
        sent = [clients.number_of[token] for token in taken if clients.name_of.get(token) == name]
        assert sent == sorted(sent) and sent[-1] == clients.number_of[newest], (name, sent)
    shards = key_shards([cluster.masters[1], cluster.masters[2], replica])
    name_of = clients.name_of | {f"token-k-{number}": f"K-{number}" for number in range(300)}
    name_of |= {token: name for name, token in single.items()}
    for token in {token for token in taken if taken.count(token) > 1}:
        assert side == "to" and shards[name_of[token]] in concerned, token
    new.must_stop()
