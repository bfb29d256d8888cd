# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""What the replicas of the service keep everything in: a Redis Cluster of three masters with a replica each, set up as
docs/scaling.md says."""
import dataclasses
import shutil
import signal
import subprocess
import threading
import time

import network
import redis_cluster
import stand
import stores
from shards import COUNT, SLOTS, slot_of

MASTERS = 3
NODE_TIMEOUT_MS = 2000
KEYS_AT_ONCE = 20  # of a slot that moves
SETTINGS = ("--cluster-enabled", "yes", "--cluster-node-timeout", NODE_TIMEOUT_MS, "--cluster-require-full-coverage", "no",
            "--cluster-allow-replica-migration", "no", "--repl-diskless-sync-delay", "0")


class Node(stand.Redis):
    """In its place of the network. Its socket is a file, so that it can be asked when it is cut off."""

    def __init__(self, directory, name, place):
        self.place, self.host, self.bus_port, self.is_stopped = place, place.address, stand.free_port(), False
        super().__init__(directory, *SETTINGS, "--bind", place.address, "--protected-mode", "no", "--cluster-port",
                         self.bus_port, "--cluster-announce-ip", place.address, name=name)

    def spawn(self, arguments, environment=None):
        super().spawn([*self.place.enter, *arguments], environment)

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    def send(self, number):
        self.is_stopped = number == signal.SIGSTOP
        super().send(number)

    def kill(self):
        super().kill()
        self.is_stopped = False

    def ask(self, *words):
        """"" where it cannot answer."""
        return stores.ask(self.socket, *words) if self.is_running() and not self.is_stopped else ""


def must(node, *command):
    """NOKEY: those keys have gone meanwhile."""
    told = node.try_cli(*command)
    if told not in ("OK", "NOKEY"):
        raise AssertionError(f"{node.name}: {' '.join(map(str, command[:4]))}: {told}")


class Team(redis_cluster.RedisCluster):
    """The test's cluster, with nodes in a network."""

    def __init__(self, stand_, network_):
        self.network = network_
        super().__init__(stand_, masters=MASTERS)

    def make(self, stand_, name, *_arguments):
        return stand_.add(Node(stand_.directory, name, self.network.add()))


@dataclasses.dataclass(frozen=True)
class Member:
    """A line of CLUSTER NODES."""
    ident: str
    address: str
    flags: tuple
    master: str
    epoch: int
    slots: tuple

    @property
    def is_master(self):
        return "master" in self.flags

    @property
    def is_well(self):
        return not {"fail", "fail?", "handshake", "noaddr"} & set(self.flags)


def members(text):
    lines = [line.split() for line in text.splitlines()]
    return [Member(words[0], words[1].split("@")[0], tuple(words[2].split(",")), words[3], int(words[6]), tuple(words[8:]))
            for words in lines if len(words) >= 8]


def ranges(slots):
    """[12->-id] and [12-<-id] are on their way; they are told beside the ranges."""
    for word in slots:
        if not word.startswith("["):
            first, _, last = word.partition("-")
            yield int(first), int(last or first)


class Cluster:
    """`replicas:1` is all of them, so nothing acknowledged may be lost."""

    text = "three masters with a replica each (Redis Cluster, 64 shards)"
    durability = "replicas:1"
    durable = {"replicas:1"}
    may_spool = False
    is_forgetful = False  # an asynchronous failover may lose what is acknowledged

    def __init__(self, _directory, _durability):
        self.lock = threading.Lock()
        self.network, self.stand = network.create(), stand.Stand()
        self.failovers, self.followers, self.extra = [], set(), 0
        try:
            self.team = Team(self.stand, self.network)
            self.nodes = list(self.team.nodes)
            self.await_whole()
        except BaseException:
            self.close()
            raise
        self.url = "redis+cluster://" + ",".join(node.address for node in self.nodes)
        self.groups = [frozenset(self.shards_of(node)) for node in self.team.masters]

    @property
    def may_cut(self):
        return self.network.may_cut

    # --- what the nodes say ---

    def views(self):
        return {node: members(node.ask("CLUSTER", "NODES")) for node in self.nodes}

    def node_at(self, address):
        return next((node for node in self.nodes if node.address == address), None)

    def owners(self):
        """By shard: its node, as the one says that has the highest epoch."""
        claims = {}
        for view in self.views().values():
            for member in view:
                for first, last in ranges(member.slots) if member.is_master else ():
                    for shard in range(COUNT):
                        if first <= slot_of(shard) <= last:
                            claims[shard] = max(claims.get(shard, (-1, "")), (member.epoch, member.address))
        return {shard: self.node_at(address) for shard, (_, address) in claims.items()}

    def shards_of(self, *nodes):
        return frozenset(shard for shard, node in self.owners().items() if node in nodes)

    def pick_masters(self, random_, count=1):
        chosen = sorted({node for node in self.owners().values() if node is not None}, key=lambda node: node.name)
        return random_.sample(chosen, count)

    def follower_of(self, master):
        view = members(master.ask("CLUSTER", "NODES"))
        mine = next(member.ident for member in view if "myself" in member.flags)
        return self.node_at(next(member.address for member in view if member.master == mine))

    def watch(self):
        """Notes a failover; whether there was one: a node has slots that was a replica when it was looked at last."""
        is_new = False
        with self.lock:
            for node, view in self.views().items():
                for me in (member for member in view if "myself" in member.flags):
                    is_new |= me.is_master and bool(me.slots) and node in self.followers
                    (self.followers.discard if me.is_master else self.followers.add)(node)
            if is_new:
                self.failovers.append(time.monotonic())
        return is_new

    def await_other(self, old):
        stores.wait_until(lambda: not self.shards_of(old), f"the shards of {old.name} have another master")
        self.watch()
        return time.monotonic()

    def is_whole(self):
        """All agree, all slots have a master, and each master has its replica, so that it can acknowledge again."""
        if not all(node.is_running() and not node.is_stopped for node in self.nodes):
            return False
        tellings = set()
        for view in self.views().values():
            if len(view) != len(self.nodes) or not all(member.is_well for member in view):
                return False
            tellings.add(frozenset((m.ident, m.master, frozenset(s for s in m.slots)) for m in view))
        return len(tellings) == 1 and self.is_complete(tellings.pop())

    def is_complete(self, telling):
        masters = {ident: slots for ident, _, slots in telling if slots}
        count = sum(last - first + 1 for slots in masters.values() for first, last in ranges(slots))
        if count != SLOTS or any(slot.startswith("[") for slots in masters.values() for slot in slots):
            return False
        followed = [master for _, master, _ in telling if master != "-"]
        return all(followed.count(ident) == 1 for ident in masters) and all(self.is_content(node) for node in self.nodes)

    @staticmethod
    def is_content(node):
        """Its replica is there and has everything; of a replica its master says that."""
        told = dict(line.split(":", 1) for line in node.ask("INFO", "replication").splitlines() if ":" in line)
        if "cluster_state:ok" not in node.ask("CLUSTER", "INFO"):
            return False
        if told.get("role") != "master":
            return told.get("master_link_status") == "up"
        copies = [dict(part.split("=") for part in value.split(",")) for name, value in told.items() if name[:5] == "slave"]
        return bool(copies) and all(copy["state"] == "online" for copy in copies)

    def await_whole(self):
        try:
            stores.wait_until(self.is_whole, "the cluster is whole")
        except AssertionError as error:
            raise AssertionError(f"{error}\n" + "\n".join(self.told_by(node) for node in self.nodes)) from error
        self.watch()

    @staticmethod
    def told_by(node):
        """For who has to find out what the cluster lacks."""
        state = "stopped" if node.is_stopped else "running" if node.is_running() else "dead"
        link = [line for line in node.ask("INFO", "replication").splitlines() if line.startswith(("role", "master_link_s", "slave"))]
        return f"{node.name}, {node.address}, {state}, {', '.join(link)}:\n{node.ask('CLUSTER', 'NODES')}"

    # --- what is done with it ---

    def move(self, shard, to):
        """A slot to another node, key by key, as redis-cli does it."""
        slot, source = slot_of(shard), self.owners()[shard]
        ids = {node: node.cli("CLUSTER", "MYID") for node in (source, to)}
        must(to, "CLUSTER", "SETSLOT", slot, "IMPORTING", ids[source])
        must(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", ids[to])
        while keys := source.cli("--raw", "CLUSTER", "GETKEYSINSLOT", slot, KEYS_AT_ONCE).splitlines():
            must(source, "MIGRATE", to.host, to.port, "", 0, 5000, "REPLACE", "KEYS", *keys)
        others = {node for node in self.owners().values() if node not in (source, to)}
        for node in (to, source, *others):
            must(node, "CLUSTER", "SETSLOT", slot, "NODE", ids[to])

    def tool(self, *words):
        done = subprocess.run(["redis-cli", "--cluster", *map(str, words), "--cluster-yes"], capture_output=True, text=True,
                              timeout=stores.WHOLE_PATIENCE_S, check=False)
        if done.returncode != 0:
            raise AssertionError(f"redis-cli --cluster {words[0]}: {done.stdout[-500:]} {done.stderr[-500:]}")

    def add_nodes(self):
        """A master without slots, and its replica."""
        first, added = self.nodes[0], []
        for options in ((), ("--cluster-slave", "--cluster-master-id")):
            self.extra += 1
            node = self.team.make(self.stand, f"extra-{self.extra}")
            self.tool("add-node", node.address, first.address,
                      *(options and (*options, added[0].cli("CLUSTER", "MYID"))))
            added.append(node)
            self.nodes.append(node)
            stores.wait_until(lambda: all(len(view) == len(self.nodes) for view in self.views().values()), "all know the new node")
        stores.wait_until(lambda: all(self.is_content(node) for node in added), "the new nodes take keys, and the replica follows")
        return added

    def remove_nodes(self, nodes):
        for node in reversed(nodes):
            self.tool("del-node", self.nodes[0].address, node.cli("CLUSTER", "MYID"))
            self.nodes.remove(node)
            self.followers.discard(node)
            node.kill()
            shutil.rmtree(node.directory)
            self.stand.processes.remove(node)
            if node.place.namespace:
                self.network.remove(node.place)

    def who_was_asked(self):
        """The nodes to which somebody has said ASKING since they began to run."""
        return [node.name for node in self.nodes if "cmdstat_asking:" in node.ask("INFO", "commandstats")]

    def heal(self):
        for node in self.nodes:
            if node.is_running():
                node.send(signal.SIGCONT)
            else:
                node.start()
        self.await_whole()

    def close(self):
        self.stand.close()
        self.network.close()


class ForgetfulCluster(Cluster):
    """Each write is on the disk of its master, and nobody waits for the replica."""

    durability = "fsync"
    durable = {"fsync", "spool"}
    may_spool = True
    is_forgetful = True
