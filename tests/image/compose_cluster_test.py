# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""docker/compose.cluster.yaml, run as its head says: it delivers, and goes on when a node is lost."""
import pytest

from composing import Composed, key
from containers import docker, inspect
from stand import call, eventually

COMPOSED = Composed("compose.cluster.yaml", "seek-signal-test-cluster")
compose, container_of = COMPOSED.compose, COMPOSED.container_of
NODES = [f"node-{number}" for number in range(1, 7)]


@pytest.fixture(scope="module")
def services():
    with COMPOSED.up() as wanted:
        yield wanted


def store():
    return call("127.0.0.1:8787", "GET", "/v1/status", headers=key()).json["store"]


def post(*names):
    events = [{"applicationId": name, "token": f"token-of-{name}"} for name in names]
    return call("127.0.0.1:8787", "POST", "/v1/events", events, key())


def must_be_delivered(*names):
    eventually(lambda: all(call("127.0.0.1:8787", "GET", f"/v1/applications/{name}", headers=key()).json.get("state") == "delivered"
                           for name in names), f"{names} are delivered", 60)


def it_takes_an_event_by_one_curl_and_delivers_it(services):
    answer = eventually(COMPOSED.type_the_curl, "the service takes it", 120)
    assert answer["applicationId"] == "A-1001" and answer["durability"] == "fsync", answer
    must_be_delivered("A-1001")


def it_spreads_the_shards_over_three_masters(services):
    eventually(lambda: store()["shardsReady"] == 64, "all shards can be written", 60)
    nodes = store()["nodes"]
    assert len(nodes) == 3 and sum(node["shards"] for node in nodes) == 64, nodes
    assert all(node["ready"] and node["durability"] == "fsync" for node in nodes)


def it_survives_the_loss_of_a_node_that_the_status_shows(services):
    """As the head of the file says: `kill node-2`, a master, while one looks at /v1/status."""
    def master_of(node):
        return docker("exec", container_of(node), "redis-cli", "role").split("\n")[0] == "master"
    assert master_of("node-2")
    names = [f"B-{number}" for number in range(30)]
    compose("kill", "node-2")
    eventually(lambda: store()["shardsReady"] < 64, "it shows that shards are away", 30)
    assert call("127.0.0.1:8788", "GET", "/readyz").status == 200
    taken = set()

    def take_the_rest():
        left = [name for name in names if name not in taken]
        taken.update(name for name, result in zip(left, post(*left).json.get("results", [])) if result["status"] in (200, 202))
        return len(taken) == len(names)
    take_the_rest()
    assert taken, "those of the other masters are taken meanwhile"
    eventually(take_the_rest, "its replica has taken over", 60)
    must_be_delivered(*names)
    assert store()["shardsReady"] == 64
    compose("start", "node-2")
    eventually(lambda: not master_of("node-2"), "it comes back as a replica", 60)
    must_be_delivered(*names)


def it_is_confined(services):
    for name in ("seek-signal", "sandbox", *NODES):
        host = inspect("container", container_of(name))["HostConfig"]
        assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"], name
