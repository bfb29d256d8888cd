# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""A network of their own for the nodes of a cluster: a namespace for each, a bridge in one more, where no rule of this host
reaches it, and a way from here. A node can be cut off from all others, in both directions, and clients still reach it. That
takes root; where it is not allowed, all nodes are on this host."""
import os
import random
import subprocess


class Host:
    """Without a network: all nodes are at one address, and nobody can be cut off."""

    may_cut = False

    def add(self):
        return Place("127.0.0.1")

    def close(self):
        pass


class Place:
    def __init__(self, address, namespace=None):
        self.address, self.namespace = address, namespace

    @property
    def enter(self):
        return ("ip", "netns", "exec", self.namespace) if self.namespace else ()


class Network:
    may_cut = True

    def __init__(self):
        self.name = f"sl{random.randrange(1 << 24):06x}"
        self.subnet = f"10.{random.randrange(200, 250)}.{random.randrange(256)}"
        self.places, self.count = [], 0
        self.hub = Place(None, self.name)
        try:
            ip(f"netns add {self.name}")
            ip("link add hub type bridge", "link set hub up", within=self.hub)
            ip(f"link add {self.name} type veth peer name host netns {self.name}", f"link set {self.name} up",
               f"addr add {self.subnet}.1/24 dev {self.name}")
            ip("link set host master hub", "link set host up", within=self.hub)
            self.remove(self.add())  # whether it may be done at all
        except BaseException:
            self.close()
            raise

    def add(self):
        self.count += 1
        name = f"n{self.count}"
        place = Place(f"{self.subnet}.{self.count + 1}", f"{self.name}-{self.count}")
        self.places.append(place)
        ip(f"netns add {place.namespace}")
        ip(f"link add {name} type veth peer name eth0 netns {place.namespace}", f"link set {name} master hub",
           f"link set {name} up", within=self.hub)
        ip("link set lo up", "link set eth0 up", f"addr add {place.address}/24 dev eth0", within=place)
        return place

    def remove(self, place):
        self.places.remove(place)
        ip(f"netns del {place.namespace}")

    def cut(self, place):
        self.change("add", place)

    def join(self, place):
        self.change("del", place)

    def change(self, verb, place):
        """Packets are swallowed, as by a switch: nobody is told."""
        others = [other for other in self.places if other is not place]
        ip(*(f"route {verb} blackhole {other.address}/32" for other in others), within=place)
        for other in others:
            ip(f"route {verb} blackhole {place.address}/32", within=other)

    def close(self):
        for place in list(self.places):
            self.remove(place)
        subprocess.run(["ip", "netns", "del", self.name], stderr=subprocess.DEVNULL, check=False)


def ip(*commands, within=None):
    where = ("-n", within.namespace) if within else ()
    done = subprocess.run(["ip", *where, "-batch", "-"], input="\n".join(commands) + "\n", capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise OSError(f"ip {'; '.join(commands)}: {done.stderr.strip()}")


def create():
    """A network, or the host itself with one line that says why."""
    try:
        if os.geteuid() != 0:
            raise OSError("not root")
        return Network()
    except (OSError, FileNotFoundError) as error:
        print(f"no node will be cut off from the others, since network namespaces cannot be made here: {error}", flush=True)
        return Host()
