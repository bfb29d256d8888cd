# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""`seek-signal move`: all that one Redis keeps comes to another, of any kind, beside running services; killed at any moment and run
again it loses and repeats nothing."""
import json
import os
import pty
import random
import re
import signal
import subprocess
import threading
import time

import pytest

from redis_cluster import RedisCluster
from redis_user_test import documented
from stand import SERVICE, event, eventually


def run_move(service, source, target, *arguments):
    return service.run("move", "--from", source, "--to", target, *arguments, timeout=120)


def must_move(service, source, target, *arguments):
    done = run_move(service, source, target, "--json", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert answer["complete"] and answer["held"] == 0 and answer["left"] == 0, answer
    return answer


def keys_of(node):
    return [key for key in node.cli("--raw", "KEYS", "*").splitlines() if "}:app:" in key]


def is_empty(*nodes):
    return not any(keys_of(node) for node in nodes)


def fill(service, sandbox):
    """Of each state some, with seek-tokens that were replaced."""
    for number in range(30):
        service.must_post(event(f"done-{number}", f"token-old-{number}"))
        service.must_become(f"done-{number}", "delivered")
        service.must_post(event(f"done-{number}", f"token-done-{number}"))
    for number in range(30):
        sandbox.must_receive(f"token-done-{number}")
        service.must_become(f"done-{number}", "delivered")
    sandbox.fault(on="graphql", kind="forbidden", count=10)
    service.must_post([event(f"dead-{number}", f"token-dead-{number}") for number in range(10)])
    eventually(lambda: service.get("/v1/status").json["signals"]["dead"] == 10, "ten are dead")
    for number in range(5):
        assert service.call("PUT", f"/v1/applications/draft-{number}/token", {"token": f"token-draft-{number}"}).status == 204
    sandbox.fault(on="graphql", kind="status", status=500, count=0)
    service.must_post([event(f"owed-{number}", f"token-owed-{number}" + "x" * 60 * (number % 2)) for number in range(300)])
    eventually(lambda: any(call["status"] == 500 for call in sandbox.calls("graphql")), "one was tried")


def must_be_whole(service, sandbox, dead_before):
    """What `fill` had put elsewhere is here, and goes on as it would have there."""
    sandbox.clear_faults()
    for number in range(300):
        sandbox.must_receive(f"token-owed-{number}" + "x" * 60 * (number % 2))
    listed = service.get("/v1/applications?state=dead&limit=100").json["applications"]
    assert sorted(listed, key=lambda one: one["applicationId"]) == dead_before
    for number in range(30):
        assert service.must_post(event(f"done-{number}", f"token-done-{number}"), status=200)["result"] == "duplicate"
        assert service.must_post(event(f"done-{number}", f"token-old-{number}"), status=200)["result"] == "duplicate"
        assert service.application(f"done-{number}")["attempts"] == 1
    for number in range(5):
        service.must_post({"applicationId": f"draft-{number}"})
        sandbox.must_receive(f"token-draft-{number}")


def dead_of(service):
    return sorted(service.get("/v1/applications?state=dead&limit=100").json["applications"], key=lambda one: one["applicationId"])


def it_moves_from_one_redis_to_a_cluster_and_back(stand, redis, sandbox):
    cluster = RedisCluster(stand, replicas=0)
    old = stand.service(sandbox, name="old", redis_url=redis.url).start()
    new = stand.service(sandbox, name="new", redis_url=cluster.url).start()
    fill(old, sandbox)
    dead = dead_of(old)
    assert must_move(new, redis.url, cluster.url)["moved"] == 345
    assert is_empty(redis)
    assert sum(len(keys_of(node)) for node in cluster.nodes) == 345 and all(keys_of(node) for node in cluster.nodes)
    assert old.get("/v1/status").json["sending"]["paused"] is True
    assert new.get("/v1/status").json["sending"]["paused"] is False
    must_be_whole(new, sandbox, dead)
    assert must_move(new, redis.url, cluster.url)["moved"] == 0
    # And back: what stopped sending there was the move.
    sandbox.fault(on="graphql", kind="status", status=500, count=0)
    new.must_post([event(f"owed-{number}", f"token-back-{number}") for number in range(50)])
    assert must_move(old, cluster.url, redis.url)["moved"] == 345
    assert is_empty(*cluster.nodes)
    sandbox.clear_faults()
    for number in range(50):
        sandbox.must_receive(f"token-back-{number}")
    assert dead_of(old) == dead
    old.must_stop()
    new.must_stop()


def it_moves_to_another_number_of_shards_and_another_prefix(stand, redis, sandbox):
    """On one Redis: the prefixes keep the two apart."""
    old = stand.service(sandbox, name="old", redis_url=redis.url, redis_shards="64").start()
    new = stand.service(sandbox, name="new", redis_url=redis.url, redis_shards="16", redis_prefix="other").start()
    fill(old, sandbox)
    dead = dead_of(old)
    answer = must_move(old, redis.url, redis.url, "--from-shards", "64", "--to-shards=16", "--to-prefix", "other")
    assert answer["moved"] == 345
    assert {key.split(":")[0] for key in keys_of(redis)} == {"other"}
    assert {key.split(":")[1] for key in keys_of(redis)} == {f"{{{shard}}}" for shard in range(16)}
    must_be_whole(new, sandbox, dead)
    old.must_stop()
    new.must_stop()


def it_finds_the_master_by_its_sentinels(stand, sandbox):
    master = stand.redis(name="master")
    stand.replica(master, "replica")
    sentinels = stand.sentinels(master, replicas=1)
    url = "redis+sentinel://" + ",".join(f"127.0.0.1:{one.port}" for one in sentinels) + "/applications"
    old = stand.service(sandbox, redis_url=url).start()
    for number in range(20):
        assert old.call("PUT", f"/v1/applications/A-{number}/token", {"token": f"token-{number}"}).status == 204
    target = stand.redis(name="target")
    assert must_move(old, url, f"unix://{target.socket}")["moved"] == 20
    assert is_empty(master) and len(keys_of(target)) == 20
    old.must_stop()


# --- the newest seek-token ---

def it_sends_the_newest_whichever_side_took_it(stand, redis, sandbox):
    target = stand.redis(name="target")
    old = stand.service(sandbox, name="old", redis_url=redis.url).start()
    new = stand.service(sandbox, name="new", redis_url=target.url).start()
    for service in (old, new):
        assert service.post("/v1/pause", {}).status == 204
    old.must_post(event("A-1", "token-a-1"))
    new.must_post(event("A-1", "token-a-2"))  # taken by the target later
    new.must_post(event("A-2", "token-b-1"))
    time.sleep(0.002)  # Redis's clock has a millisecond
    old.must_post(event("A-2", "token-b-2"))
    old.must_post(event("A-3", "token-c"))
    new.must_post(event("A-3", "token-c"))
    assert old.call("PUT", "/v1/applications/A-4/token", {"token": "token-d-1"}).status == 204
    old.must_post({"applicationId": "A-4"})
    assert new.call("PUT", "/v1/applications/A-4/token", {"token": "token-d-2"}).status == 204
    must_move(new, redis.url, target.url)
    assert new.post("/v1/resume", {}).status == 204
    for token in ("token-a-2", "token-b-2", "token-c", "token-d-2"):
        sandbox.must_receive(token)
    for token in ("token-a-1", "token-b-1", "token-d-1"):
        assert sandbox.signals(token) == []
    assert new.must_post(event("A-1", "token-a-1"), status=200)["result"] == "duplicate"
    assert new.must_post(event("A-2", "token-b-1"), status=200)["result"] == "duplicate"
    old.must_stop()
    new.must_stop()


def it_loses_nothing_when_the_source_was_set_back(stand, redis, sandbox):
    """A failover has lost the number of the last batch, and the clock of the new master is behind."""
    target = stand.redis(name="target")
    old = stand.service(sandbox, name="old", redis_url=redis.url).start()
    new = stand.service(sandbox, name="new", redis_url=target.url).start()
    must_move(new, redis.url, target.url)
    old.must_post([event(f"A-{number}", f"token-{number}") for number in range(300)])
    name = redis.cli("HGET", "seek-signal:{0}:move", "id").strip()
    target.cli("HSET", "seek-signal:{0}:move", f"from:{name}{{0}}", "8000000000000000")
    assert must_move(new, redis.url, target.url)["moved"] == 300
    for number in range(300):
        sandbox.must_receive(f"token-{number}")
    # It has lost the last one, and gives its number to others.
    last = int(redis.cli("HGET", "seek-signal:{0}:move", "last"))
    assert last > 8000000000000000 and target.cli("HGET", "seek-signal:{0}:move", f"from:{name}{{0}}").split("-")[0] == str(last)
    redis.cli("HSET", "seek-signal:{0}:move", "last", str(last - 1))
    old.must_post([event(f"B-{number}", f"token-b-{number}") for number in range(100)])
    assert must_move(new, redis.url, target.url)["moved"] == 100
    for number in range(100):
        sandbox.must_receive(f"token-b-{number}")
    old.must_stop()
    new.must_stop()


def it_takes_over_a_pause_of_before(stand, redis, sandbox):
    target = stand.redis(name="target")
    old = stand.service(sandbox, name="old", redis_url=redis.url).start()
    new = stand.service(sandbox, name="new", redis_url=target.url).start()
    assert old.post("/v1/pause", {}).status == 204
    old.must_post(event("A-1", "token-a"))
    must_move(new, redis.url, target.url)
    assert new.get("/v1/status").json["sending"]["paused"] is True
    assert new.post("/v1/resume", {}).status == 204
    sandbox.must_receive("token-a")
    must_move(new, redis.url, target.url)  # which does not bring the pause again
    assert new.get("/v1/status").json["sending"]["paused"] is False
    old.must_stop()
    new.must_stop()


def it_waits_for_an_attempt_that_is_out(stand, redis, sandbox):
    target = stand.redis(name="target")
    old = stand.service(sandbox, name="old", redis_url=redis.url).start()
    new = stand.service(sandbox, name="new", redis_url=target.url).start()
    sandbox.fault(on="graphql", kind="slow", latencyMs=3000, count=1)
    old.must_post(event("A-1", "token-a"))
    old.must_become("A-1", "sending")
    must_move(new, redis.url, target.url)
    assert new.application("A-1")["state"] == "delivered" and new.application("A-1")["attempts"] == 1
    sandbox.must_receive("token-a")
    old.must_stop()
    new.must_stop()


# --- killed ---

class Clients:
    """Post to `services` while they run: each application over and over, with ever newer seek-tokens, and note the newest that was
    acknowledged. `switch` lets them post elsewhere from then on."""

    def __init__(self, service, count):
        self.service, self.newest, self.is_over = service, {}, False
        self.name_of, self.number_of = {}, {}
        self.threads = [threading.Thread(target=self.post, args=(number,)) for number in range(count)]
        for thread in self.threads:
            thread.start()

    def post(self, client):
        luck, number = random.Random(client), 0
        while not self.is_over:
            name, token = f"C-{client}-{luck.randrange(40)}", f"token-{client}-{number}"
            self.name_of[token] = name
            while True:
                answer = self.service.post("/v1/events", event(name, token))
                if answer.status in (200, 202):
                    break
                time.sleep(0.01)
            self.newest[name], self.number_of[token] = token, number
            number += 1
            time.sleep(0.01)

    def end(self):
        self.is_over = True
        for thread in self.threads:
            thread.join()


def taken_by(sandbox):
    """The seek-tokens that SEEK has, in their order."""
    return [call["seekToken"] for call in sandbox.calls("graphql") if call["outcome"] == "delivered"]


@pytest.mark.parametrize("kinds", [("one", "cluster"), ("cluster", "one")])
def it_may_be_killed_at_any_moment(stand, sandbox, kinds):
    def redis_of(kind, name):
        return RedisCluster(stand, replicas=0).url if kind == "cluster" else stand.redis(name=name).url

    source, target = (redis_of(kind, kind) for kind in kinds)
    old = stand.service(sandbox, name="old", redis_url=source).start()
    new = stand.service(sandbox, name="new", redis_url=target).start()
    old.must_post([event(f"K-{number}", f"token-k-{number}") for number in range(800)])
    clients = Clients(old, 3)
    luck, kills = random.Random(7), 0
    arguments = [str(SERVICE), "move", "--from", source, "--to", target, "--follow"]

    def start():
        return subprocess.Popen(arguments, env=new.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    while kills < 24:
        mover = start()
        if kills == 12:
            assert "sending from --from has ended" in mover.stdout.readline()
            clients.service = new
        time.sleep(luck.uniform(0.05, 0.9))
        assert mover.poll() is None, mover.communicate()
        mover.kill()
        mover.communicate()
        kills += 1
    mover = start()
    clients.end()
    old.must_stop()
    time.sleep(1)
    mover.send_signal(signal.SIGTERM)
    out, _ = mover.communicate(timeout=60)
    assert mover.returncode == 0, out
    must_move(new, source, target)
    wanted = {*clients.newest.values(), *(f"token-k-{number}" for number in range(800))}
    eventually(lambda: wanted <= set(taken_by(sandbox)), "SEEK has the newest of each", patience=60)
    taken = taken_by(sandbox)
    assert len(taken) == len(set(taken)), "none is repeated"
    sent = {name: [clients.number_of[token] for token in taken if clients.name_of.get(token) == name] for name in clients.newest}
    assert all(numbers == sorted(numbers) for numbers in sent.values()), "nothing older is sent after something newer"
    new.must_stop()


def it_outlives_the_death_of_either_redis(stand, redis, sandbox):
    """Each comes back with what it had acknowledged; the mover goes on by itself. That a signal is repeated whose outcome a Redis did
    not live to see is no fault of the move's."""
    target = stand.redis(name="target")
    old = stand.service(sandbox, name="old", redis_url=redis.url).start()
    new = stand.service(sandbox, name="new", redis_url=target.url).start()
    old.must_post([event(f"K-{number}", f"token-k-{number}") for number in range(800)])
    clients = Clients(old, 2)
    mover = subprocess.Popen([SERVICE, "move", "--from", redis.url, "--to", target.url, "--follow"], env=new.environment(),
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    eventually(lambda: len(keys_of(target)) > 0, "it has begun")
    for victim in (redis, target, target, redis, target, redis):
        before = len(taken_by(sandbox))
        victim.kill()
        victim.start()
        eventually(lambda: len(taken_by(sandbox)) > before, "signals are sent again", patience=60)
    assert mover.poll() is None, mover.communicate()
    clients.end()
    old.must_stop()
    mover.send_signal(signal.SIGTERM)
    out, _ = mover.communicate(timeout=60)
    assert mover.returncode == 0, out
    must_move(new, redis.url, target.url)
    wanted = {*clients.newest.values(), *(f"token-k-{number}" for number in range(800))}
    eventually(lambda: wanted <= set(taken_by(sandbox)), "SEEK has the newest of each", patience=60)
    for name, newest in clients.newest.items():
        sent = [clients.number_of[token] for token in taken_by(sandbox) if clients.name_of.get(token) == name]
        assert sent == sorted(sent) and sent[-1] == clients.number_of[newest], (name, sent)
    new.must_stop()


def it_stops_where_nothing_is_on_its_way(stand, redis, sandbox):
    target = stand.redis(name="target")
    old = stand.service(sandbox, name="old", redis_url=redis.url).start()
    assert old.post("/v1/pause", {}).status == 204
    for batch in range(10):
        old.must_post([event(f"A-{batch}-{number}", f"token-{batch}-{number}") for number in range(1000)])
    mover = subprocess.Popen([SERVICE, "move", "--from", redis.url, "--to", target.url, "--json"], env=old.environment(),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    eventually(lambda: len(keys_of(target)) > 0, "it has begun")
    mover.send_signal(signal.SIGINT)
    out, err = mover.communicate(timeout=60)
    assert mover.returncode == 1, (out, err)
    answer = json.loads(out)
    assert "stopped before its end: run it again" in err
    assert err.endswith("move: sending at --from stays paused: run the move again, or give it up with --abandon\n")
    assert answer["held"] == 0 and not answer["complete"] and 0 < answer["moved"] < 10_000
    assert len(keys_of(redis)) + len(keys_of(target)) == 10_000
    assert answer["moved"] + must_move(old, redis.url, target.url)["moved"] == 10_000
    old.must_stop()


# --- what is said ---

def it_shows_on_a_terminal_how_far_it_has_come(stand, redis, sandbox):
    target = stand.redis(name="target")
    old = stand.service(sandbox, redis_url=redis.url).start()
    assert old.post("/v1/pause", {}).status == 204
    old.must_post([event(f"A-{number}", f"token-{number}") for number in range(900)])
    ours, theirs = pty.openpty()
    child = subprocess.Popen([SERVICE, "move", "--from", redis.url, "--to", target.url], stdout=subprocess.PIPE, stderr=theirs,
                             env=old.environment())
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 4096):
            shown += chunk
    except OSError:  # the other end was closed
        pass
    os.close(ours)
    assert child.communicate(timeout=60)[0] == b"900 applications are moved\n--from is empty\n"
    assert b"] 0 of 90" in shown and b"] 200 of 90" in shown
    old.must_stop()


def hold_some(service, source, target, *arguments):
    """A mover is killed with some of 50 applications on their way, which the target does not have yet."""
    mover = subprocess.Popen([SERVICE, "move", "--from", source.url, "--to", target.url, "--follow", *arguments],
                             env=service.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert "sending from --from has ended" in mover.stdout.readline()
    target.cli("CONFIG", "SET", "maxmemory", "1")
    service.must_post([event(f"H-{number}", f"token-h-{number}") for number in range(50)])
    eventually(lambda: "held:" in source.cli("HKEYS", "seek-signal:{0}:move"), "they are held")
    mover.kill()
    mover.communicate()
    target.cli("CONFIG", "SET", "maxmemory", "0")


def it_says_why_it_cannot(stand, redis, sandbox):
    target, third = stand.redis(name="target"), stand.redis(name="third")
    old = stand.service(sandbox, redis_url=redis.url).start()
    assert old.post("/v1/pause", {}).status == 204
    old.must_post([event(f"A-{number}", f"token-{number}") for number in range(50)])

    def must_fail(source, to, sentence, *arguments, status=1):
        done = run_move(old, source, to, *arguments)
        assert done.returncode == status and sentence in done.stderr, done
        assert len(keys_of(redis)) == 50

    must_fail(redis.url, redis.url, "--from and --to are the same Redis, under the same prefix")
    must_fail(third.url, target.url, "--from: there is no data of this version")
    must_fail(redis.url, target.url, "--from: the number of shards in Redis is 1, but REDIS_SHARDS is 64:", "--from-shards", "64")
    must_fail(redis.url, "redis://127.0.0.1:1", "--to: ")
    must_fail("http://127.0.0.1", target.url, "--from: ", status=2)
    must_fail(redis.url, target.url, "--to-prefix: expected 1 to 64", "--to-prefix", "{x}", status=2)
    must_fail(redis.url, target.url, "--to-shards: at most 256", "--to-shards", "257", status=2)
    done = old.run("move", "--from", redis.url, "--to", target.url, redis_prefix="{x}")
    assert done.returncode == 2 and "SEEK_SIGNAL_REDIS_PREFIX={x}: expected 1 to 64" in done.stderr, done
    done = old.run("move", "--from", redis.url, redis_cert_file="/dev/null/x", redis_key_file=None)
    assert done.returncode == 2 and "REDIS_KEY_FILE belong together" in done.stderr, done
    done = old.run("move", "--from", redis.url)
    assert done.returncode == 2 and "give --to URL, or --to-file FILE" in done.stderr
    # With a batch that is held: nobody sends it, and no other target gets it.
    hold_some(old, redis, target)
    must_fail(redis.url, third.url, "--from: an earlier move from there to another Redis is not finished: run that move again first, or give it up with --abandon")
    must_fail(target.url, redis.url, "--to: an earlier move from there to another Redis is not finished")
    assert must_move(old, redis.url, target.url)["moved"] == 50
    old.must_stop()


def it_mixes_no_two_environments_of_seek(stand, redis, sandbox):
    """Whichever side belongs to the other one, and whichever the command is told: nothing is written to either."""
    live = stand.redis(name="live")
    old = stand.service(sandbox, name="old", redis_url=redis.url, audience="https://test.example").start()
    new = stand.service(sandbox, name="new", redis_url=live.url, audience="https://live.example").start()
    assert old.post("/v1/pause", {}).status == 204
    old.must_post([event(f"A-{number}", f"token-{number}") for number in range(5)])
    fresh = stand.redis(name="fresh")
    for service, source, target, side in ((old, redis, live, "--to"), (new, redis, live, "--from"), (new, redis, fresh, "--from")):
        done = run_move(service, source.url, target.url)
        assert done.returncode == 1, done
        assert f"{side}: the signals in Redis belong to another GRAPHQL_URL and AUDIENCE" in done.stderr, done
        assert "set both to the values of the services on it, or set another REDIS_PREFIX" in done.stderr, done
        for audience in ("https://test.example", "https://live.example"):
            assert re.search(rf" {audience}(;|$)", done.stderr, re.MULTILINE), f"nothing is cut: {done.stderr}"
    assert len(keys_of(redis)) == 5 and is_empty(live)
    assert redis.cli("EXISTS", "seek-signal:{0}:move") == live.cli("EXISTS", "seek-signal:{0}:move") == "0"
    assert fresh.cli("DBSIZE") == "0", "nobody has claimed it"
    done = new.run("move", "--from", redis.url, "--abandon")
    assert done.returncode == 1 and "belong to another GRAPHQL_URL" in done.stderr, done
    assert must_move(old, redis.url, fresh.url)["moved"] == 5
    assert "https://test.example" in fresh.cli("GET", "seek-signal:{0}:environment")
    old.must_stop()
    new.must_stop()


def it_changes_nothing_where_it_is_refused(stand, redis, sandbox):
    """What was moved from once is named as a target by mistake: nothing is sent there, of any shard."""
    target, third = stand.redis(name="target"), stand.redis(name="third")
    old = stand.service(sandbox, name="old", redis_url=redis.url, redis_shards="4").start()
    new = stand.service(sandbox, name="new", redis_url=target.url, redis_shards="4").start()
    shards = ("--from-shards", "4", "--to-shards", "4")
    must_move(old, redis.url, target.url, *shards)
    target.cli("HSET", "seek-signal:{3}:move", "batch", "1", "to", "another")  # another move from there, of one shard

    def must_refuse(source, to, sentence):
        done = run_move(old, source.url, to.url, *shards)
        assert done.returncode == 1 and sentence in done.stderr, done
        for shard in range(4):
            assert redis.cli("EXISTS", f"seek-signal:{{{shard}}}:paused") == "1"
            assert redis.cli("HEXISTS", f"seek-signal:{{{shard}}}:move", "to") == "1"

    must_refuse(redis, redis, "--from and --to are the same Redis")
    must_refuse(third, redis, "--from: there is no data of this version")
    must_refuse(target, redis, "--from: an earlier move from there to another Redis is not finished")
    redis.cli("HSET", "seek-signal:{3}:move", "batch", "1")
    must_refuse(target, redis, "--to: an earlier move from there to another Redis is not finished")
    redis.cli("HDEL", "seek-signal:{3}:move", "batch")
    target.cli("HDEL", "seek-signal:{3}:move", "batch", "to")
    must_move(old, target.url, redis.url, *shards)
    eventually(lambda: old.get("/v1/status").json["sending"]["paused"] is False, "it sends again")
    old.must_stop()
    new.must_stop()


def it_leaves_what_is_not_ours_and_says_so(stand, redis, sandbox):
    target = stand.redis(name="target")
    old = stand.service(sandbox, redis_url=redis.url).start()
    assert old.post("/v1/pause", {}).status == 204
    old.must_post([event(f"A-{number}", f"token-{number}") for number in range(5)])
    redis.cli("SET", "seek-signal:{0}:app:A-3", "somebody else's")
    target.cli("SET", "seek-signal:{0}:app:A-1", "somebody else's")
    done = run_move(old, redis.url, target.url)
    assert done.returncode == 1
    assert done.stdout == "3 applications are moved\n2 keys cannot be moved: they hold something else\n"
    assert done.stderr == ("move: --to: 1 keys that applications need hold something else. These applications stay at --from: A-1. "
                           "Delete or rename the keys, and run the move again\n")
    target.cli("DEL", "seek-signal:{0}:app:A-1")
    done = run_move(old, redis.url, target.url)
    assert done.stdout == "1 applications are moved\n1 keys cannot be moved: they hold something else\n" and done.stderr == "", done
    assert len(keys_of(target)) == 4
    old.must_stop()


def it_lets_no_key_at_the_target_stop_the_others(stand, redis, sandbox):
    """Of each state, in several shards of a cluster: all others come, and these when there is a place for them."""
    cluster = RedisCluster(stand, replicas=0)
    old = stand.service(sandbox, name="old", redis_url=redis.url).start()
    new = stand.service(sandbox, name="new", redis_url=cluster.url).start()
    fill(old, sandbox)
    dead = dead_of(old)
    blocked = [f"{kind}-{number}" for kind in ("done", "dead", "draft", "owed") for number in range(4)]
    for id in blocked:  # whose keys are where these would be
        assert new.call("PUT", f"/v1/applications/{id}/token", {"token": "token"}).status == 204
    keys = [(node, key) for node in cluster.nodes for key in keys_of(node)]
    for node, key in keys:
        node.cli("SET", key, "somebody else's")
    done = run_move(new, redis.url, cluster.url, "--json")
    answer = json.loads(done.stdout)
    assert done.returncode == 1 and (answer["moved"], answer["left"], answer["held"], answer["complete"]) == (345 - 16, 16, 0, False), done
    assert "--to: 16 keys that applications need hold something else" in done.stderr and all(id in done.stderr for id in blocked), done
    assert len(keys_of(redis)) == 16
    for node, key in keys:
        node.cli("DEL", key)
    assert must_move(new, redis.url, cluster.url)["moved"] == 16
    must_be_whole(new, sandbox, dead)
    old.must_stop()
    new.must_stop()


def it_lets_nothing_odd_stop_the_others(stand, redis, sandbox):
    target = stand.redis(name="target")
    old = stand.service(sandbox, redis_url=redis.url).start()
    assert old.post("/v1/pause", {}).status == 204
    old.must_post([event(f"A-{number}", f"token-{number}") for number in range(50)])
    key = "seek-signal:{0}:app:"
    for id in ("x" * 300, ""):
        redis.cli("HSET", key + id, "state", "pending", "token", "t", "event", "e", "accepted", "1")
    redis.cli("EVAL", "for i = 1, 9000 do redis.call('HSET', KEYS[1], i, '1') end", "1", key + "A-3")
    redis.cli("EVAL", "redis.call('HSET', KEYS[1], 'x', ('y'):rep(20000000))", "1", key + "A-4")
    done = run_move(old, redis.url, target.url)
    assert done.returncode == 1
    assert done.stdout == "48 applications are moved\n4 keys cannot be moved: they hold something else\n"
    old.must_stop()


def it_empties_a_redis_that_is_full(stand, redis, sandbox):
    target = stand.redis(name="target")
    old = stand.service(sandbox, redis_url=redis.url).start()
    assert old.post("/v1/pause", {}).status == 204
    old.must_post([event(f"A-{number}", f"token-{number}") for number in range(500)])
    redis.cli("CONFIG", "SET", "maxmemory", "1")
    assert must_move(old, redis.url, target.url)["moved"] == 500
    redis.cli("CONFIG", "SET", "maxmemory", "0")
    old.must_stop()


def it_names_the_side_that_fails(stand, redis, sandbox):
    """While it runs, too: each side is full, or gone, behind its first batch."""
    target = stand.redis(name="target")
    old = stand.service(sandbox, redis_url=redis.url).start()
    mover = subprocess.Popen([SERVICE, "move", "--from", redis.url, "--to", target.url, "--follow"], env=old.environment(),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert "sending from --from has ended" in mover.stdout.readline()
    target.cli("CONFIG", "SET", "maxmemory", "1")
    old.must_post(event("A-1", "token-1"))
    eventually(lambda: "held:A-1" in redis.cli("HKEYS", "seek-signal:{0}:move"), "it is held")
    _, err = mover.communicate(timeout=90)
    assert mover.returncode == 1
    assert "move: --to: Redis is at its maxmemory" in err and "1 applications are in transit" in err, err
    target.cli("CONFIG", "SET", "maxmemory", "0")
    assert must_move(old, redis.url, target.url)["moved"] == 1
    old.must_stop()


def it_names_the_shard_that_is_away_though_others_go_on(stand, redis, sandbox):
    cluster = RedisCluster(stand, replicas=0)
    old = stand.service(sandbox, redis_url=cluster.url).start()
    mover = subprocess.Popen([SERVICE, "move", "--from", cluster.url, "--to", redis.url, "--follow"], env=old.environment(),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert "sending from --from has ended" in mover.stdout.readline()
    cluster.nodes[2].kill()
    _, err = mover.communicate(timeout=90)
    assert mover.returncode == 1 and err.startswith("move: --from: "), err
    cluster.nodes[2].start()
    old.must_stop()


def it_tells_at_the_source_where_it_was_moved_to(stand, redis, sandbox):
    cluster = RedisCluster(stand, replicas=0)
    old = stand.service(sandbox, name="old", redis_url=redis.url, redis_prefix="older").start()
    new = stand.service(sandbox, name="new", redis_url=cluster.url, redis_prefix="newer").start()
    there = ("--from-prefix", "older", "--to-prefix", "newer")

    def moved_to(service):
        return service.get("/v1/status").json["sending"]["movedTo"]

    def say(service):
        return service.run("status", listen=service.address).stdout

    assert moved_to(old) is None and "Moved" not in say(old)
    must_move(old, redis.url, cluster.url, *there)
    where = cluster.url + ", prefix newer"
    assert moved_to(old) == where and moved_to(new) is None
    assert say(old).startswith(f"Moved: the signals of this Redis are sent from {where} now.\n  Next: point clients and services to it.")
    done = old.run("resume", listen=old.address)
    assert done.returncode == 0 and done.stdout.startswith("sending is resumed\nMoved to " + where + ", but sending here was resumed: "), done
    assert moved_to(old) == where, "which no resume changes"
    eventually(lambda: say(old).startswith(f"Moved to {where}, but sending here was resumed: "), "status says so")
    must_move(old, cluster.url, redis.url, "--from-prefix", "newer", "--to-prefix", "older")
    assert old.run("resume", listen=old.address).stdout == "sending is resumed\n"
    assert moved_to(old) is None and moved_to(new) == f"redis://127.0.0.1:{redis.port}, prefix older"
    assert new.run("move", "--from", cluster.url, "--from-prefix", "newer", "--abandon").returncode == 0
    assert moved_to(new) is None
    must_move(old, redis.url, f"unix://{redis.socket}?db=3", "--from-prefix", "older")
    assert moved_to(old) == f"unix://{redis.socket}?db=3, prefix older"
    old.must_stop()
    new.must_stop()


def it_can_be_given_up(stand, redis, sandbox):
    """The target is lost for good, with a batch on its way."""
    target, third = stand.redis(name="target"), stand.redis(name="third")
    old = stand.service(sandbox, redis_url=redis.url, redis_shards="4").start()
    settings = ("--from-shards", "4")
    hold_some(old, redis, target, *settings)
    assert old.get("/v1/status").json["sending"]["paused"] is True
    assert redis.cli("EXISTS", *(f"seek-signal:{{{shard}}}:move" for shard in range(4))) == "4"
    # Not to be confused with a move.
    done = old.run("move", "--from", redis.url, *settings, "--to", target.url, "--abandon")
    assert done.returncode == 2 and done.stderr == "move: --abandon takes neither --to nor --follow\n"
    done = old.run("move", "--from", redis.url, "--abandon", *settings, "--json")
    answer = json.loads(done.stdout)
    assert done.returncode == 0 and answer["abandoned"] and answer["released"] > 0 and not answer["paused"], done
    for number in range(50):
        sandbox.must_receive(f"token-h-{number}")
    eventually(lambda: old.get("/v1/status").json["sending"]["paused"] is False, "it sends again")
    done = old.run("move", "--from", redis.url, "--abandon", *settings)
    assert done.returncode == 1 and done.stdout == "", done
    assert "--from: no move from there was under way, and nothing is changed" in done.stderr, done
    assert must_move(old, redis.url, third.url, *settings)["moved"] == 50
    done = old.run("move", "--from", redis.url, "--abandon", *settings)
    assert done.stdout == "the move is given up: --from sends again, and 0 applications that were in transit are due there\n", done
    old.must_stop()


def it_says_that_the_pause_of_before_stays(stand, redis, sandbox):
    target = stand.redis(name="target")
    old = stand.service(sandbox, redis_url=redis.url, redis_shards="2").start()
    settings = ("--from", redis.url, "--from-shards", "2", "--abandon")
    done = old.run("move", *settings, "--json")
    assert done.returncode == 1 and json.loads(done.stdout) == {"abandoned": False, "released": 0, "paused": False}, done
    assert old.post("/v1/pause", {}).status == 204
    must_move(old, redis.url, target.url, "--from-shards", "2")
    done = old.run("move", *settings)
    assert done.returncode == 0 and "--from stays paused, as before the move (`seek-signal resume` ends that)" in done.stdout, done
    assert old.get("/v1/status").json["sending"]["paused"] is True
    # Somebody has resumed since.
    must_move(old, redis.url, target.url, "--from-shards", "2")
    assert old.post("/v1/resume", {}).status == 204
    done = old.run("move", *settings)
    assert done.returncode == 0 and "--from sends again" in done.stdout, done
    old.must_stop()


def it_needs_no_more_rights_than_documented(stand, redis, sandbox, tmp_path):
    target = stand.redis(name="target")
    old = stand.service(sandbox, redis_url=redis.url).start()
    assert old.post("/v1/pause", {}).status == 204
    old.must_post([event(f"A-{number}", f"token-{number}") for number in range(50)])
    redis.cli("ACL", "SETUSER", *documented(), "+scan", "+dbsize", "+config|get")
    target.cli("ACL", "SETUSER", *documented(), "+config|get")
    for name, node in (("from", redis), ("to", target)):
        (tmp_path / name).write_text(f"redis://seek-signal:password-1@127.0.0.1:{node.port}\n")
    done = old.run("move", "--from-file", str(tmp_path / "from"), "--to-file", str(tmp_path / "to"))
    assert done.returncode == 0 and done.stdout == "50 applications are moved\n--from is empty\n", done
    assert redis.cli("ACL", "LOG") == "" and target.cli("ACL", "LOG") == ""
    # To whoever looks there it is told without user and password.
    assert redis.cli("HGET", "seek-signal:{0}:move", "where") == f"redis://127.0.0.1:{target.port}"
    old.must_stop()


def it_hides_the_passwords_of_its_arguments(stand, redis, sandbox):
    target = stand.redis(name="target")
    redis.cli("ACL", "SETUSER", *documented(), "+scan", "+dbsize")
    old = stand.service(sandbox, redis_url=redis.url).start()
    mover = subprocess.Popen([SERVICE, "move", "--from", f"redis://seek-signal:password-1@127.0.0.1:{redis.port}", "--to", target.url,
                              "--follow"], env=old.environment(), stdout=subprocess.PIPE, text=True)
    eventually(lambda: redis.cli("EXISTS", "seek-signal:{0}:move") == "1", "it has begun")
    with open(f"/proc/{mover.pid}/cmdline", "rb") as file:
        shown = file.read()
    assert b"password-1" not in shown and b"--from\0***" in shown, shown
    mover.send_signal(signal.SIGTERM)
    mover.communicate(timeout=30)
    assert mover.returncode == 0
    old.must_stop()
