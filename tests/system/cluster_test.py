# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The service on a Redis Cluster: everything as on one Redis, and a node that goes, comes or hands over stops nobody else."""
import collections
import threading
import time

import pytest

from redis_cluster import RedisCluster
from redis_tls_test import Authority
from redis_user_test import documented
from stand import event, eventually, free_port


@pytest.fixture
def cluster(stand):
    return RedisCluster(stand)


def numbered(count, first=0):
    return [(f"A-{n}", f"token-{n}") for n in range(first, first + count)]


def it_does_all_that_it_does_on_one_redis(stand, cluster, sandbox):
    service = stand.service(sandbox, redis_url=cluster.url).start()
    answer = service.must_post([event(*pair) for pair in numbered(50)])
    assert [result["applicationId"] for result in answer["results"]] == [name for name, _ in numbered(50)]
    assert {result["result"] for result in answer["results"]} == {"accepted"}
    assert {result["durability"] for result in answer["results"]} == {"fsync"}
    for _, token in numbered(50):
        sandbox.must_receive(token)
    assert service.post("/v1/events?wait=10s", event("W-1", "token-w")).json["state"] == "delivered"
    assert service.call("PUT", "/v1/applications/D-1/token", {"token": "token-d"}).status == 204
    assert service.post("/v1/events", {"applicationId": "D-1"}).status == 202
    sandbox.must_receive("token-d")
    assert service.post("/v1/pause", {}).status == 204
    service.must_post([event(name, token + "-newer") for name, token in numbered(20)])
    status = service.get("/v1/status").json
    assert status["signals"]["due"] == 20 and status["sending"]["paused"] is True
    assert status["store"]["shards"] == 64 and status["store"]["shardsReady"] == 64
    assert [node["shards"] > 10 for node in status["store"]["nodes"]] == [True] * 3
    seen, cursor = [], ""
    while True:
        page = service.get(f"/v1/applications?state=pending&limit=7{cursor}").json
        seen += [item["applicationId"] for item in page["applications"]]
        if not page.get("cursor"):
            break
        cursor = f"&cursor={page['cursor']}"
    assert sorted(seen) == sorted(name for name, _ in numbered(20))
    assert service.post("/v1/resume", {}).status == 204
    for _, token in numbered(20):
        sandbox.must_receive(token + "-newer")
    assert service.call("DELETE", "/v1/applications/A-1").status == 204
    assert service.get("/v1/applications/A-1").status == 404
    assert service.metric("seek_signal_shards_ready") == 64
    service.must_stop()


def it_replays_and_forgets_by_filter_in_all_shards(stand, cluster, sandbox):
    service = stand.service(sandbox, redis_url=cluster.url).start()
    sandbox.fault(on="graphql", kind="forbidden", count=40)
    service.must_post([event(*pair) for pair in numbered(40)])
    eventually(lambda: service.get("/v1/status").json["signals"]["dead"] == 40, "all are dead")
    assert service.get("/v1/status").json["signals"]["deadBy"] == [{"class": "refused", "code": "FORBIDDEN", "count": 40}]
    assert service.post("/v1/replay", {"state": "dead", "dryRun": True}).json["matched"] == 40
    first = service.post("/v1/replay", {"state": "dead", "limit": 15, "perSecond": 1000}).json
    assert first["replayed"] == 15 and first["more"]
    rest = service.post("/v1/replay", {"state": "dead", "limit": 15, "perSecond": 1000, "cursor": first["cursor"]}).json
    assert rest["replayed"] == 15
    eventually(lambda: service.get("/v1/status").json["signals"]["dead"] == 10, "thirty are sent")
    assert service.post("/v1/forget", {"state": "dead"}).json["forgotten"] == 10
    assert service.get("/v1/status").json["signals"]["dead"] == 0
    service.must_stop()


def it_refuses_no_more_than_a_lost_master_had(stand, cluster, sandbox):
    """Those of its shards are refused until its replica has taken over, the others go on; no restart, no person."""
    service = stand.service(sandbox, redis_url=cluster.url, durability="replicas:1", intake_threads=1).start()
    service.must_post([event(*pair) for pair in numbered(60)])
    cluster.masters[1].kill()
    answer = service.post("/v1/events", [event(*pair) for pair in numbered(60, first=100)]).json
    codes = {result.get("code", result.get("result")) for result in answer["results"]}
    assert "accepted" in codes and len(codes) == 2, codes
    ready = eventually(lambda: (a := service.get("/readyz")).json.get("warning") and a, "each thread notices by itself")
    assert ready.status == 200 and "shards are away, of 127.0.0.1:" in ready.json["warning"], ready
    eventually(lambda: service.metric("seek_signal_shards_ready") < 64, "and the metric")
    answers = [service.post("/v1/events", event(*pair)).status for pair in numbered(30, first=200)]
    assert set(answers) == {202, 503}
    assert len(service.logs("intake_unavailable")) == 1 and service.logs("intake_available") == []
    service.must_stop()


def it_goes_on_by_itself_after_a_failover(stand, cluster, sandbox):
    service = stand.service(sandbox, redis_url=cluster.url).start()
    service.must_post([event(*pair) for pair in numbered(60)])
    for master, replica in zip(cluster.masters, cluster.nodes[3:]):
        eventually(lambda m=master, r=replica: m.cli("DBSIZE") == r.cli("DBSIZE"), "the replica has all: a failover loses the rest")
    cluster.masters[2].kill()
    left = dict(numbered(60, first=100))
    deadline = time.monotonic() + 30
    while left:
        answer = service.post("/v1/events", [event(*pair) for pair in left.items()])
        for result in answer.json.get("results", []):  # none where all are refused
            if result.get("result") in ("accepted", "duplicate"):
                left.pop(result["applicationId"])
        assert time.monotonic() < deadline, f"{len(left)} are not taken"
    eventually(lambda: service.metric("seek_signal_shards_ready") == 64, "all shards are there again")
    for _, token in numbered(60) + numbered(60, first=100):
        sandbox.must_receive(token)
    cluster.masters[2].start()
    service.must_post(event("B-1", "token-b"))
    sandbox.must_receive("token-b")
    service.must_stop()


def it_records_beside_outcomes_for_a_lost_node(stand, sandbox):
    """A worker that has more of them than a batch has room for records what SEEK has taken of the others."""
    cluster = RedisCluster(stand, replicas=0)
    service = stand.service(sandbox, redis_url=cluster.url, workers=1, max_in_flight=1024).start()
    eventually(lambda: service.metric("seek_signal_shards_ready") == 64, "it has reached all nodes")
    service.must_post(event("first", "first"))
    service.must_become("first", "delivered")
    sandbox.settings(latencyMs=4000)
    for first in range(0, 1000, 200):
        service.must_post([event(*pair) for pair in numbered(200, first)])
    eventually(lambda: service.get("/v1/status").json["sending"]["inFlight"] == 1000, "all are on their way")
    cluster.masters[2].kill()
    sandbox.settings(latencyMs=0)
    eventually(lambda: service.get("/v1/status").json["sending"]["inFlight"] == 0, "all are back")
    eventually(lambda: service.get("/v1/status").json["store"]["shardsReady"] < 64, "a third of the shards is away")
    taken = [pair for pair in numbered(60, first=2000) if service.post("/v1/events", event(*pair)).status == 202]
    assert len(taken) > 20
    for name, _ in taken:
        service.must_become(name, "delivered")
    cluster.masters[2].start()
    for name, _ in numbered(1000):
        service.must_become(name, "delivered")
    sent = collections.Counter(call["seekToken"] for call in sandbox.calls("graphql"))
    assert {token: sent[token] for _, token in taken + numbered(1000) if sent[token] != 1} == {}
    service.must_stop()


def it_spools_what_a_lost_master_would_have_taken(stand, cluster, sandbox, tmp_path):
    service = stand.service(sandbox, redis_url=cluster.url, spool_dir=tmp_path / "spool").start()
    eventually(lambda: service.metric("seek_signal_shards_ready") == 64, "it has reached all nodes")
    for replica in cluster.nodes[3:]:
        replica.kill()
    cluster.masters[0].kill()
    answer = service.must_post([event(*pair) for pair in numbered(60, first=100)])
    levels = [result["durability"] for result in answer["results"]]
    assert set(levels) == {"fsync", "spool"}
    assert service.get("/readyz").status == 200
    cluster.masters[0].start()
    for _, token in numbered(60, first=100):
        sandbox.must_receive(token)
    service.must_stop()


def it_lets_sending_be_resumed_while_a_node_is_away(stand, sandbox):
    """What made it pause does not make it pause again: only another run of refusals would."""
    cluster = RedisCluster(stand, replicas=0)
    service = stand.service(sandbox, redis_url=cluster.url, pause_after_refusals="5").start()
    living = cluster.masters[:2]

    def paused():
        return sum(len(node.cli("--raw", "KEYS", "seek-signal:*:paused").split()) for node in living)

    cluster.masters[2].kill()
    eventually(lambda: service.get("/v1/status").json["store"]["shardsReady"] < 64, "its shards are away")
    sandbox.fault(on="graphql", kind="forbidden", count=0)
    for pair in numbered(60):
        service.post("/v1/events", event(*pair))
    eventually(lambda: paused() > 40, "the shards that can be reached are paused")
    sandbox.clear_faults()
    eventually(lambda: service.get("/v1/status").json["sending"]["inFlight"] == 0, "nothing more is refused")
    eventually(lambda: service.post("/v1/resume", {}).status == 503 and paused() == 0, "resumed, as far as it goes")
    accepted = [name for name, token in numbered(90, first=60) if service.post("/v1/events", event(name, token)).status == 202]
    for name in accepted:
        service.must_become(name, "delivered")
    time.sleep(1.5)  # the brake asked each second
    assert accepted and paused() == 0


def it_knows_that_sending_was_resumed_while_a_node_is_away(stand, sandbox):
    """Of whose shards nobody can say whether they are still paused."""
    cluster = RedisCluster(stand, replicas=0)
    service = stand.service(sandbox, redis_url=cluster.url).start()
    eventually(lambda: service.metric("seek_signal_shards_ready") == 64, "it has reached all nodes")
    assert service.post("/v1/pause", {}).status == 204
    service.must_post([event(*pair) for pair in numbered(200)])
    service.must_log("sending_paused")
    eventually(lambda: service.metric("seek_signal_due") == 200, "all wait")
    time.sleep(3)  # in which each shard is claimed from: the oldest first, eight at a time
    cluster.masters[2].kill()
    eventually(lambda: service.get("/v1/status").json["store"]["shardsReady"] < 64, "its shards are away")
    assert service.post("/v1/resume", {}).status == 503  # they are not resumed
    service.must_log("sending_resumed")
    cluster.masters[2].start()
    eventually(lambda: service.post("/v1/resume", {}).status == 204, "now they are")
    for name, _ in numbered(200):
        service.must_become(name, "delivered")
    service.must_stop()


def it_drains_past_a_shard_that_is_away(stand, sandbox, tmp_path):
    """Two masters are lost; the one that is back gets what was spooled for it, behind and between what waits for the other."""
    cluster = RedisCluster(stand, masters=5, replicas=0)  # two of three would be no majority
    service = stand.service(sandbox, redis_url=cluster.url, spool_dir=tmp_path / "spool").start()
    eventually(lambda: service.metric("seek_signal_shards_ready") == 64, "it has reached all nodes")
    everybody = numbered(60)
    for name, token in everybody:
        assert service.call("PUT", f"/v1/applications/{name}/token", {"token": token}).status == 204
    there = [{key.split(":app:")[1] for key in master.cli("--raw", "KEYS", "*:app:A-*").splitlines()} for master in cluster.masters]
    assert all(there)
    for master in cluster.masters[:2]:
        master.kill()
    for generation in ("older", "newer"):
        for name, _ in everybody:  # one by one, so that they stand mixed in the spool
            service.must_post(event(name, f"{generation}-{name}"))
    assert service.get("/v1/status").json["spool"]["records"] == 2 * len(there[0] | there[1])
    for name in there[2] | there[3] | there[4]:  # nothing of it is in the spool
        sandbox.must_receive(f"newer-{name}")
        assert service.call("DELETE", f"/v1/applications/{name}").status == 204
    assert service.call("DELETE", f"/v1/applications/{min(there[0])}").status == 503
    cluster.masters[1].start()
    for name in there[1]:
        sandbox.must_receive(f"newer-{name}")
    eventually(lambda: service.get("/v1/status").json["spool"]["records"] == 2 * len(there[0]), "the others wait")
    service.kill()  # what is in Redis by then is known again
    service.start()
    cluster.masters[0].start()
    for name in there[0]:
        sandbox.must_receive(f"newer-{name}")
    eventually(lambda: service.get("/v1/status").json["spool"]["records"] == 0, "all is drained")
    sent = [call["seekToken"] for call in sandbox.calls("graphql") if call["outcome"] == "delivered"]
    for name, _ in everybody:
        assert sent.count(f"newer-{name}") == 1, name
        assert f"older-{name}" not in sent[sent.index(f"newer-{name}"):], name
    service.must_stop()


def it_keeps_only_those_waiting_whose_seek_token_the_spool_may_hold(stand, sandbox, tmp_path):
    """An event without a seek-token of its own goes on where its shard has nothing in the spool."""
    cluster = RedisCluster(stand, replicas=0)
    service = stand.service(sandbox, redis_url=cluster.url, spool_dir=tmp_path / "spool").start()
    eventually(lambda: service.metric("seek_signal_shards_ready") == 64, "it has reached all nodes")
    for name, token in numbered(30):
        assert service.call("PUT", f"/v1/applications/{name}/token", {"token": token}).status == 204
    lost = {key.split(":app:")[1] for key in cluster.masters[0].cli("--raw", "KEYS", "*:app:A-*").splitlines()}
    assert 0 < len(lost) < 30
    cluster.masters[0].kill()
    spooled = service.must_post([event(name, f"newer-{name}") for name in lost])
    assert {result["durability"] for result in spooled["results"]} == {"spool"}
    for name, token in numbered(30):
        answer = service.post("/v1/events", {"applicationId": name})
        assert answer.status == (503 if name in lost else 202), (name, answer.json)
        if name not in lost:
            sandbox.must_receive(token)
    service.kill()  # what an earlier life left is known, too
    service.start()
    other = next(name for name, _ in numbered(30) if name not in lost)
    eventually(lambda: service.post("/v1/events", {"applicationId": other}).status == 200, "it waits no longer for the node")
    for name, _ in numbered(30):
        assert service.post("/v1/events", {"applicationId": name}).status == (503 if name in lost else 200), name
    cluster.masters[0].start()
    for name in lost:
        sandbox.must_receive(f"newer-{name}")
    eventually(lambda: service.post("/v1/events", {"applicationId": min(lost)}).status == 200, "nothing is held any more")
    service.must_stop()


def it_follows_a_slot_that_moves_under_load(stand, cluster, sandbox):
    service = stand.service(sandbox, redis_url=cluster.url).start()
    taken, stop = [], threading.Event()

    def post():
        while not stop.is_set():
            number = len(taken)
            while service.post("/v1/events", event(f"M-{number}", f"token-m-{number}")).status not in (200, 202):
                time.sleep(0.01)
            taken.append(number)

    client = threading.Thread(target=post)
    client.start()
    for shard in range(0, 64, 8):
        slot = cluster.slot(f"seek-signal:{{{shard}}}:due")
        others = [node for node in cluster.masters if node is not cluster.owner(slot)]
        cluster.move(slot, others[0], meanwhile=lambda: time.sleep(0.05))
        cluster.move(slot, others[1])
    stop.set()
    client.join()
    assert len(taken) > 50
    expected = {f"token-m-{number}" for number in taken}
    eventually(lambda: expected <= {call["seekToken"] for call in sandbox.calls("graphql") if call["outcome"] == "delivered"},
               "all are sent")
    assert service.get("/readyz").json.get("warning", "") == ""
    service.must_stop()


def it_says_once_that_a_shard_is_on_its_way(stand, sandbox):
    """Its events are refused all the time, and those of all other shards are taken between them."""
    cluster = RedisCluster(stand, replicas=0)
    service = stand.service(sandbox, redis_url=cluster.url, intake_threads=1, workers=1).start()
    eventually(lambda: service.metric("seek_signal_shards_ready") == 64, "it has reached all nodes")
    service.must_post(event("M-1", "token-m"))
    sandbox.must_receive("token-m")
    shard = next(key.split(":")[1] for node in cluster.nodes for key in node.cli("--raw", "KEYS", "*:app:M-1").splitlines())
    slot, answers = cluster.slot(f"seek-signal:{shard}:due"), []

    def post():
        if not answers:
            for name, token in numbered(20):
                answers.append(service.post("/v1/events", event("M-1", "token-m")).status)
                assert service.post("/v1/events", event(name, token)).status in (202, 503)

    cluster.move(slot, next(node for node in cluster.masters if node is not cluster.owner(slot)), meanwhile=post)
    assert set(answers) == {503}
    eventually(lambda: service.post("/v1/events", event("M-1", "token-m")).status == 200, "it is there")
    (moving,) = (line for line in service.logs("shard_moving") if line["role"] == "intake-0")
    assert moving["shard"] == int(shard.strip("{}"))
    assert [line["shard"] for line in service.logs("shard_moved") if line["role"] == "intake-0"] == [moving["shard"]]
    assert service.logs("redis_refuses") == []
    assert len(service.logs("intake_unavailable")) == 1
    service.must_stop()


def it_starts_while_a_move_is_left_half_way(stand, sandbox, tmp_path):
    """The shard of the open slot waits, its events get 503 or are spooled; all others of its node are there as ever."""
    cluster = RedisCluster(stand, replicas=0)
    service = stand.service(sandbox, redis_url=cluster.url, intake_threads=1).start()
    everybody = numbered(60)
    service.must_post([event(*pair) for pair in everybody])
    for _, token in everybody:
        sandbox.must_receive(token)
    shard = next(key.split(":")[1] for node in cluster.nodes for key in node.cli("--raw", "KEYS", "*:app:A-1").splitlines())
    slot = cluster.slot(f"seek-signal:{shard}:due")
    source, to = cluster.owner(slot), next(node for node in cluster.masters if node is not cluster.owner(slot))
    held = {key.split(":app:")[1] for key in source.cli("--raw", "KEYS", f"*:{shard}:app:A-*").splitlines()}
    cluster.begin_move(slot, to)
    service.must_stop()
    service.start()
    eventually(lambda: service.metric("seek_signal_shards_ready") == 63, "all others are there")
    reason = f"1 of 64 shards are away, of 127.0.0.1:{source.port}: the data is being moved to another node of the cluster"
    assert service.get("/readyz").json["warning"] == reason
    (moving,) = (line for line in service.logs("shard_moving") if line["role"] == "intake-0")
    assert moving["shard"] == int(shard.strip("{}"))
    done = service.run("check")
    assert done.returncode == 1 and "the data is being moved to another node" in done.stdout, done.stdout + done.stderr
    answers = {name: service.post("/v1/events", event(name, f"newer-{name}")).status for name, _ in everybody}
    assert answers == {name: 503 if name in held else 202 for name, _ in everybody}
    for name in answers.keys() - held:
        sandbox.must_receive(f"newer-{name}")
    service.kill()
    service = stand.service(sandbox, name="spooling", redis_url=cluster.url, spool_dir=tmp_path / "spool").start()
    eventually(lambda: service.get("/readyz").json.get("warning") == reason, "after a crash, too; until then all is spooled")
    answer = service.must_post([event(name, f"newest-{name}") for name, _ in everybody])
    assert {result["applicationId"] for result in answer["results"] if result["durability"] == "spool"} == held
    cluster.move(slot, to)
    for name, _ in everybody:
        sandbox.must_receive(f"newest-{name}")
    eventually(lambda: service.metric("seek_signal_shards_ready") == 64, "the slot has found its node")
    assert "warning" not in service.get("/readyz").json
    service.must_stop()


def it_works_on_a_cluster_of_one_node(stand, sandbox):
    cluster = RedisCluster(stand, masters=1, replicas=0)
    service = stand.service(sandbox, redis_url=cluster.url).start()
    service.must_post([event(*pair) for pair in numbered(20)])
    for _, token in numbered(20):
        sandbox.must_receive(token)
    service.must_stop()


def it_says_which_url_is_right(stand, sandbox):
    cluster = RedisCluster(stand, masters=1, replicas=0)
    service = stand.service(sandbox, redis_url=cluster.nodes[0].url).start(is_ready=False)
    eventually(lambda: "redis+cluster://" in service.get("/readyz").json["detail"], "it names the right one")
    service.must_stop()
    alone = stand.redis(name="alone")
    service = stand.service(sandbox, name="other", redis_url=f"redis+cluster://127.0.0.1:{alone.port}").start(is_ready=False)
    eventually(lambda: "this Redis is not a cluster: begin REDIS_URL with redis://" in service.get("/readyz").json["detail"], "it says that this is none")
    service.must_stop()


def it_says_once_that_no_node_answers(stand, sandbox):
    """Nobody has to ask for it: there is no link yet that could be lost."""
    cluster = RedisCluster(stand, replicas=0)
    for node in cluster.nodes:
        node.kill()
    service = stand.service(sandbox, redis_url=cluster.url).start(is_ready=False)
    line = eventually(lambda: service.logs("cluster_lost"), "the log says it", patience=2)[0]
    assert line["level"] == "warn" and "Connection refused" in line["message"], line
    assert sorted(line["addresses"].split(",")) == sorted(f"127.0.0.1:{node.port}" for node in cluster.nodes)
    time.sleep(10)  # many more rounds
    assert len(service.logs("cluster_lost")) == 1
    for node in cluster.nodes:
        node.start()
    eventually(lambda: service.metric("seek_signal_shards_ready") == 64, "it has reached all nodes")
    assert len(service.logs("cluster_lost")) == len(service.logs("cluster_found")) == 1
    service.must_stop()


def it_does_without_a_node_that_has_lost_its_address(stand, sandbox):
    """A node that starts without its files is another one, at the address where the others look for the first: `:0@0 noaddr`."""
    cluster = RedisCluster(stand, replicas=0)
    lost = cluster.masters[1]
    lost.kill()
    for file in lost.directory.glob("nodes*.conf"):
        file.unlink()
    lost.start()
    eventually(lambda: all(":0@0" in node.cli("CLUSTER", "NODES") for node in (cluster.masters[0], cluster.masters[2])), "it has no address")
    url = "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in cluster.masters if node is not lost)
    service = stand.service(sandbox, redis_url=url).start()
    ready = eventually(lambda: (a := service.get("/readyz")).json.get("warning") and a, "the others are there")
    assert ready.status == 200 and "shards are away: no node of the cluster has their slots" in ready.json["warning"], ready.json
    answer = service.post("/v1/events", [event(*pair) for pair in numbered(60)])
    results = [result.get("result", result.get("code")) for result in answer.json["results"]]
    assert 20 < results.count("accepted") < 60, results
    lost.kill()
    service.must_stop()


def it_stays_with_a_node_that_announces_no_name(stand, sandbox):
    """Of the others it is "?" then, which means an address that only the metadata has, and not the node that was asked."""
    names = iter((("--cluster-announce-hostname", "localhost"), ("--cluster-announce-hostname", "localhost"), ()))
    cluster = RedisCluster(stand, replicas=0, arguments=lambda: ("--cluster-preferred-endpoint-type", "hostname", *next(names)))
    eventually(lambda: all(node.cli("CLUSTER", "SLOTS").count("localhost") == 2 for node in cluster.nodes), "they know the names")
    service = stand.service(sandbox, redis_url=cluster.url, intake_threads=1).start()
    eventually(lambda: service.metric("seek_signal_shards_ready") == 64, "it has reached all nodes")
    connects = service.metric("seek_signal_intake_redis_connects_total")
    for pair in numbered(40):  # more than the time in which the map is asked for anew
        service.must_post(event(*pair))
        time.sleep(0.1)
    nodes = sorted(node["address"] for node in service.get("/v1/status").json["store"]["nodes"])
    assert nodes == sorted(f"{host}:{node.port}" for host, node in zip(("localhost", "localhost", "127.0.0.1"), cluster.nodes))
    assert service.metric("seek_signal_intake_redis_connects_total") == connects
    assert service.logs("redis_lost") == []
    service.must_stop()


def it_uses_no_shard_while_one_node_has_another_number_of_them(stand, sandbox):
    """A node that had none of two shards has nothing against sixty-four: what it took would be found by nobody else."""
    cluster = RedisCluster(stand, replicas=0)
    first = stand.service(sandbox, redis_url=cluster.url, redis_shards="2").start()
    first.must_post([event(*pair) for pair in numbered(60)])
    service = stand.service(sandbox, name="other", redis_url=cluster.url).start(is_ready=False)
    eventually(lambda: "REDIS_SHARDS is 64" in service.get("/readyz").json.get("detail", ""), "it says what differs")
    time.sleep(4)  # longer than a node is waited for at the start
    ready = service.get("/readyz")
    assert ready.status == 503 and "REDIS_SHARDS is 64" in ready.json["detail"], ready.json
    assert service.metric("seek_signal_shards_ready") == 0
    answer = service.post("/v1/events", [event(name, token + "-newer") for name, token in numbered(60)])
    assert {result.get("result") for result in answer.json.get("results", [])} <= {None}, answer.json
    used = {cluster.owner(cluster.slot(f"seek-signal:{{{shard}}}:due")) for shard in (0, 1)}
    marks = [key for node in used for key in node.cli("--raw", "KEYS", "seek-signal:*:shards").splitlines()]
    assert sorted(marks) == ["seek-signal:{0}:shards", "seek-signal:{1}:shards"]
    first.must_post([event(name, token + "-newest") for name, token in numbered(60)])
    service.must_stop()
    first.must_stop()


def it_speaks_tls_as_a_user_with_just_the_rights_of_the_document(stand, sandbox, tmp_path):
    """The nodes have a plain port too: over TLS they announce the other one."""
    authority, ports = Authority(tmp_path, "authority"), []

    def arguments():
        ports.append(free_port())
        certificate, key = authority.sign(f"node-{len(ports)}")
        return ("--tls-port", ports[-1], "--tls-cert-file", certificate, "--tls-key-file", key,
                "--tls-ca-cert-file", authority.certificate, "--tls-auth-clients", "yes", "--tls-cluster", "yes")

    cluster = RedisCluster(stand, replicas=0, arguments=arguments)
    for node in cluster.nodes:
        node.cli("ACL", "SETUSER", *documented(), "+cluster|info", "+cluster|slots", "+config|get")
        node.cli("ACL", "SETUSER", "default", "resetpass", ">geheim")
    certificate, key = authority.sign("ours")
    url = "rediss+cluster://seek-signal:password-1@" + ",".join(f"127.0.0.1:{port}" for port in ports)
    service = stand.service(sandbox, redis_url=url, redis_ca_file=authority.certificate, redis_cert_file=certificate,
                            redis_key_file=key).start()
    service.must_post([event(*pair) for pair in numbered(60)])
    for _, token in numbered(60):
        sandbox.must_receive(token)
    nodes = service.get("/v1/status").json["store"]["nodes"]
    assert sorted(node["address"] for node in nodes) == sorted(f"127.0.0.1:{port}" for port in ports)
    assert service.metric("seek_signal_shards_ready") == 64
    assert service.get("/v1/applications?state=dead").json["applications"] == []
    service.must_stop()


def it_is_checked_node_by_node(stand, cluster, sandbox):
    service = stand.service(sandbox, redis_url=cluster.url)
    done = service.run("check")
    assert done.returncode == 0, done.stdout + done.stderr
    for node in cluster.masters:
        assert f"127.0.0.1:{node.port}, with" in done.stdout
