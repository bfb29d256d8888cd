# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""A real Redis Cluster for a test: masters that share the slots evenly, and replicas that take over a second after theirs has gone."""
import json

from stand import eventually, free_port

SLOTS = 16384


class RedisCluster:
    def __init__(self, stand, masters=3, replicas=1, arguments=lambda: ()):
        self.nodes = [self.make(stand, f"node-{n}", *arguments()) for n in range(masters * (1 + replicas))]
        self.masters = self.nodes[:masters]
        for n, node in enumerate(self.masters):
            node.cli("CLUSTER", "ADDSLOTSRANGE", n * SLOTS // masters, (n + 1) * SLOTS // masters - 1)
            node.cli("CLUSTER", "SET-CONFIG-EPOCH", n + 1)
        for node in self.nodes[1:]:
            node.cli("CLUSTER", "MEET", self.nodes[0].host, self.nodes[0].port, self.nodes[0].bus_port)
        self.wait()
        for n, node in enumerate(self.nodes[masters:]):
            master = self.masters[n // replicas].cli("CLUSTER", "MYID")
            eventually(lambda r=node, m=master: r.try_cli("CLUSTER", "REPLICATE", m) == "OK", f"{node.name} becomes a replica")
        for n, node in enumerate(self.nodes[masters:]):
            eventually(lambda r=node, m=self.masters[n // replicas]: r.is_replica_of(m), f"{node.name} follows")
        self.wait()

    @staticmethod
    def make(stand, name, *arguments):
        bus_port = free_port()
        node = stand.redis("--cluster-enabled", "yes", "--cluster-port", bus_port, "--cluster-node-timeout", "1000",
                           "--cluster-require-full-coverage", "no", "--cluster-replica-validity-factor", "0",
                           "--repl-diskless-sync-delay", "0", *arguments, name=name)
        node.host, node.bus_port = "127.0.0.1", bus_port
        return node

    @property
    def url(self):
        return "redis+cluster://" + ",".join(f"{node.host}:{node.port}" for node in self.nodes)

    def wait(self):
        for node in self.nodes:
            if node.is_running():
                eventually(lambda n=node: f"cluster_known_nodes:{len(self.nodes)}" in n.try_cli("CLUSTER", "INFO")
                           and "cluster_state:ok" in n.try_cli("CLUSTER", "INFO"), f"{node.name} is well", patience=30)

    def slot(self, key):
        return int(self.nodes[0].cli("CLUSTER", "KEYSLOT", key))

    def owner(self, slot):
        """As the first node that runs sees it."""
        node = next(node for node in self.nodes if node.is_running())
        for first, last, master, *_ in json.loads(node.cli("--json", "CLUSTER", "SLOTS")):
            if first <= slot <= last:
                return next(node for node in self.nodes if node.port == master[1])
        return None

    def begin_move(self, slot, to):
        source = self.owner(slot)
        to.cli("CLUSTER", "SETSLOT", slot, "IMPORTING", source.cli("CLUSTER", "MYID"))
        source.cli("CLUSTER", "SETSLOT", slot, "MIGRATING", to.cli("CLUSTER", "MYID"))

    def move(self, slot, to, meanwhile=lambda: None):
        """A slot to another node, key by key; `meanwhile` is called between its steps."""
        source = self.owner(slot)
        self.begin_move(slot, to)
        meanwhile()
        while keys := source.cli("--raw", "CLUSTER", "GETKEYSINSLOT", slot, 10).splitlines():
            for key in keys:
                source.cli("MIGRATE", to.host, to.port, key, 0, 5000)
            meanwhile()
        for node in [to, *(node for node in self.masters if node is not to)]:
            node.cli("CLUSTER", "SETSLOT", slot, "NODE", to.cli("CLUSTER", "MYID"))
