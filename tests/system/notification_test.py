# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""NOTIFY_URL is told of each death, and when sending stands still and goes on: signed, once, and whatever dies in between."""
import datetime
import json
import math
import re
import threading
import time
import urllib.parse

import pytest

from redis_cluster import RedisCluster
from stand import TOKEN, event, eventually
from straight_test import shard_of
from tls_front import TlsFront
from webhook_receiver import SECRET, WebhookReceiver, tls_context


@pytest.fixture
def receiver():
    receiver = WebhookReceiver()
    yield receiver
    receiver.close()


def start(stand, redis, sandbox, receiver, **settings):
    return stand.service(sandbox, redis_url=redis.url,
                         **{"notify_url": receiver.url, "notify_secret": SECRET} | settings).start()


def refuse(sandbox, **more):
    sandbox.fault(**{"on": "graphql", "kind": "forbidden"} | more)


# One, and many as on a cluster, of which the notifier asks the first alone while nothing happens.
SHARDS = pytest.mark.parametrize("shards", ["1", "64"])


def must_die(service, sandbox, *ids):
    for each in ids:
        refuse(sandbox, count=1)
        service.must_post(event(each, f"token-of-{each}"))
        service.must_become(urllib.parse.quote(each), "dead")


def it_tells_of_a_death_in_a_signed_cloud_event(stand, redis, sandbox, receiver):
    service = start(stand, redis, sandbox, receiver)
    must_die(service, sandbox, "Ä-1")
    told, = receiver.must_take("application.dead")
    shown = service.application("%C3%84-1")
    headers = receiver.requests[0][0]
    assert headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert headers["webhook-id"] == told["id"]
    died = datetime.datetime.fromisoformat(told["time"]).timestamp()
    assert told == {
        "specversion": "1.0", "id": f"{shown['eventId']}-{round(died * 1000)}", "source": "urn:seek-signal:seek-signal",
        "type": "application.dead", "time": shown["diedAt"], "datacontenttype": "application/json", "subject": "Ä-1",
        "data": {"applicationId": "Ä-1", "eventId": shown["eventId"], "state": "dead", "attempts": 1,
                 "acceptedAt": shown["acceptedAt"], "completedAt": shown["completedAt"], "diedAt": shown["diedAt"],
                 "lastError": shown["lastError"]}}
    assert "token-of-" not in json.dumps(receiver.requests)
    assert SECRET.removeprefix("whsec_") not in service.text() + json.dumps(receiver.requests) + service.get("/v1/status").body.decode()
    service.must_show('seek_signal_notifications_total{result="delivered"}', 1)
    status = eventually(lambda: (s := service.get("/v1/status").json["notifications"])["waiting"] == 0 and s, "all is told")
    assert status["telling"] and status["reason"] is None and status["lastDeliveredAt"]
    service.must_stop()


@SHARDS
def it_tells_each_death_once_over_restarts_and_again_when_it_dies_again(stand, redis, sandbox, receiver, shards):
    service = start(stand, redis, sandbox, receiver, redis_shards=shards)
    must_die(service, sandbox, "A-1", "A-2")
    receiver.must_take("application.dead", 2)
    service.must_stop()
    service.start()
    eventually(lambda: service.get("/v1/status").json["notifications"]["waiting"] == 0, "nothing is left to tell")
    receiver.must_take("application.dead", 2)
    refuse(sandbox, count=1)
    assert service.post("/v1/applications/A-1/replay", {}).status == 202
    told = receiver.must_take("application.dead", 3)
    assert told[2]["subject"] == "A-1" and len({each["id"] for each in told}) == 3
    service.must_stop()


def it_leaves_out_who_died_before_it_was_wanted(stand, redis, sandbox, receiver):
    service = stand.service(sandbox, redis_url=redis.url).start()
    must_die(service, sandbox, "A-1")
    service.must_stop()
    service.settings |= {"notify_url": receiver.url, "notify_secret": SECRET}
    service.start()
    must_die(service, sandbox, "A-2")
    told, = receiver.must_take("application.dead")
    assert told["subject"] == "A-2"
    service.must_stop()


def it_keeps_what_a_receiver_that_is_away_does_not_take(stand, redis, sandbox, receiver):
    receiver.close()
    service = start(stand, redis, sandbox, receiver)
    must_die(service, sandbox, "A-1", "A-2")
    waits = eventually(lambda: (s := service.get("/v1/status").json["notifications"])["waiting"] == 2 and s["reason"] and s,
                       "both wait, with the reason")
    assert waits["oldestAgeMs"] > 0
    eventually(lambda: service.metric('seek_signal_notifications_total{result="failed"}') >= 1, "it is counted")
    service.must_show("seek_signal_notifications_waiting", 2)
    receiver.start(receiver.port)
    told = receiver.must_take("application.dead", 2)
    assert [each["subject"] for each in told] == ["A-1", "A-2"]
    service.must_stop()
    service.must_log("notifications_failing")
    service.must_log("notifications_taken")


def it_tells_again_under_the_same_id_what_a_crash_left_open(stand, redis, sandbox, receiver):
    receiver.status = 503
    service = start(stand, redis, sandbox, receiver)
    must_die(service, sandbox, "A-1")
    eventually(lambda: len(receiver.requests) >= 2, "it is repeated")
    service.kill()
    receiver.status = 200
    service.start()
    receiver.must_take("application.dead")
    assert len({headers["webhook-id"] for headers, _, _ in receiver.requests}) == 1
    service.must_stop()


def it_goes_on_after_what_the_receiver_refuses_for_good(stand, redis, sandbox, receiver):
    receiver.status = 422
    service = start(stand, redis, sandbox, receiver)
    must_die(service, sandbox, "A-1")
    service.must_log("notification_refused")
    assert len(receiver.requests) == 5
    receiver.status = 200
    must_die(service, sandbox, "A-2")
    told, = receiver.must_take("application.dead")
    assert told["subject"] == "A-2"
    assert service.metric('seek_signal_notifications_total{result="refused"}') == 1
    service.must_stop()


def it_sends_nothing_more_to_who_is_gone(stand, redis, sandbox, receiver):
    receiver.status = 410
    service = start(stand, redis, sandbox, receiver)
    must_die(service, sandbox, "A-1", "A-2")
    service.must_log("notifications_unwanted")
    eventually(lambda: service.get("/v1/status").json["notifications"]["waiting"] == 2, "both are kept")
    assert len(receiver.requests) == 1
    receiver.status = 200
    service.must_stop()
    service.start()
    receiver.must_take("application.dead", 2)
    service.must_stop()


def it_keeps_the_pause_that_the_receiver_asks_for(stand, redis, sandbox, receiver):
    receiver.status, receiver.headers = 429, {"Retry-After": "3"}
    service = start(stand, redis, sandbox, receiver)
    must_die(service, sandbox, "A-1")
    eventually(lambda: receiver.requests, "it is asked once")
    receiver.status, receiver.headers = 200, {}
    receiver.must_take("application.dead")
    first, second = (int(headers["webhook-timestamp"]) for headers, _, _ in receiver.requests)
    assert second - first >= 2
    service.must_stop()


@SHARDS
def it_says_when_sending_stands_still_and_goes_on(stand, redis, sandbox, receiver, shards):
    service = start(stand, redis, sandbox, receiver, redis_shards=shards)
    service.must_post(event("A-1"))
    service.must_become("A-1", "delivered")
    assert service.post("/v1/pause", {}).status == 204
    stalled, = receiver.must_take("sending.stalled")
    assert stalled["data"] == {"state": "stalled", "reason": "paused",
                               "detail": "an operator has paused it, or a run of refusals has"}
    service.kill()
    service.start()
    assert service.post("/v1/resume", {}).status == 204
    resumed, = receiver.must_take("sending.resumed")
    assert resumed["data"] == {"state": "resumed"} and resumed["id"] != stalled["id"]
    # Killed between the answer and its recording, it tells the same once more, under the same id.
    assert receiver.distinct("sending.stalled") == [stalled]
    assert receiver.taken("application.dead") == []
    service.must_stop()


@SHARDS
def it_says_why_nothing_is_delivered_and_when_it_is_again(stand, redis, sandbox, receiver, shards):
    service = start(stand, redis, sandbox, receiver, redis_shards=shards)
    sandbox.fault(on="graphql", kind="status", status=503, count=0)
    service.must_post([event(f"A-{number}", f"t-{number}") for number in range(20)])
    stalled = eventually(lambda: receiver.taken("sending.stalled"), "it is told that SEEK fails", patience=90)[0]
    assert stalled["data"]["reason"] == "seek-fails" and "503" in stalled["data"]["detail"]
    sandbox.clear_faults()
    receiver.must_take("sending.resumed")
    assert len(receiver.taken("sending.stalled")) == 1
    service.must_stop()


@SHARDS
def it_tells_from_one_of_two_processes(stand, redis, sandbox, receiver, shards):
    first = start(stand, redis, sandbox, receiver, redis_shards=shards, name="first")
    second = start(stand, redis, sandbox, receiver, redis_shards=shards, name="second")
    must_die(first, sandbox, "A-1", "A-2", "A-3")
    receiver.must_take("application.dead", 3)
    telling = [each for each in (first, second) if each.get("/v1/status").json["notifications"]["telling"]]
    assert len(telling) == 1
    other = second if telling[0] is first else first
    assert math.isnan(other.metric("seek_signal_notifications_waiting"))
    telling[0].kill()
    must_die(other, sandbox, "A-4")
    told = eventually(lambda: len(found := receiver.distinct("application.dead")) == 4 and found, "the other one tells")
    assert [each["subject"] for each in told] == ["A-1", "A-2", "A-3", "A-4"]
    other.must_stop()


def it_tells_once_what_a_node_of_a_cluster_could_not_hear(stand, sandbox, receiver):
    """It goes away while the receiver has the notification, and others are told meanwhile."""
    cluster = RedisCluster(stand, replicas=0)
    service = start(stand, cluster, sandbox, receiver)
    node = cluster.masters[1]  # the first shard lies elsewhere

    def lies_there(name):
        return cluster.owner(cluster.slot(f"seek-signal:{{{shard_of(name, 64)}}}:due")) is node

    names = [f"A-{number}" for number in range(64)]
    [there, later, *_], elsewhere = list(filter(lies_there, names)), next(name for name in names if not lies_there(name))
    take, may_answer = receiver.take, threading.Event()
    receiver.take = lambda *request: (take(*request), may_answer.wait(30))
    must_die(service, sandbox, there)
    eventually(lambda: receiver.requests, "it has come to the receiver")
    node.kill()
    eventually(lambda: service.get("/v1/status").json["store"]["shardsReady"] < 64, "the shard is away")
    may_answer.set()
    must_die(service, sandbox, elsewhere)
    eventually(lambda: len(receiver.requests) == 2, "the other one is told")
    node.start()
    eventually(lambda: service.get("/v1/status").json["store"]["shardsReady"] == 64, "the shard is back")
    must_die(service, sandbox, later)
    eventually(lambda: len(receiver.requests) >= 3, "it is told of the next death")
    assert [told["subject"] for _, told, _ in receiver.requests] == [there, elsewhere, later]
    service.must_stop()


@SHARDS
def it_hands_over_at_once_when_it_stops(stand, redis, sandbox, receiver, shards):
    first = start(stand, redis, sandbox, receiver, redis_shards=shards, name="first")
    eventually(lambda: first.get("/v1/status").json["notifications"]["telling"], "the first one tells")
    second = start(stand, redis, sandbox, receiver, redis_shards=shards, name="second")
    first.must_stop()
    eventually(lambda: second.get("/v1/status").json["notifications"]["telling"], "the second one tells", patience=12)  # below the lease
    second.must_stop()


def scripts_per_second(redis, seconds=2):
    def run():
        return int(re.search(r"cmdstat_evalsha:calls=(\d+)", redis.cli("INFO", "commandstats"))[1])
    before = run()
    time.sleep(seconds)
    return (run() - before) / seconds


def it_asks_little_of_many_shards_while_nothing_happens_and_overlooks_nothing(stand, redis, sandbox, receiver):
    """Also what another process did, in a shard that is not asked just then, and in the order of the deaths."""
    teller = start(stand, redis, sandbox, receiver, name="teller", redis_shards="64", workers="1")
    eventually(lambda: teller.get("/v1/status").json["notifications"]["telling"], "it tells")
    other = stand.service(sandbox, name="other", redis_url=redis.url, redis_shards="64").start()
    names = [f"A-{number}" for number in range(6)]
    for round_of in ("first", "second"):
        eventually(lambda: scripts_per_second(redis) < 20, "it asks little", 90)
        must_die(other, sandbox, *(f"{round_of}-{name}" for name in names))
    told = receiver.must_take("application.dead", 2 * len(names))
    assert [each["subject"] for each in told] == [f"{round_of}-{name}" for round_of in ("first", "second") for name in names]
    other.must_stop()
    teller.must_stop()


def it_trusts_who_CA_FILE_trusts(stand, redis, sandbox):
    front = TlsFront(stand.directory, sandbox.address)
    receiver = WebhookReceiver(tls=tls_context(front.directory / "next.pem", front.directory / "key.pem"))
    service = start(stand, redis, sandbox, receiver, ca_file=front.ca)
    must_die(service, sandbox, "A-1")
    receiver.must_take("application.dead")
    service.must_stop()
    stranger = start(stand, redis, sandbox, receiver, name="stranger")
    must_die(stranger, sandbox, "A-2")
    eventually(lambda: stranger.logs("notifications_failing"), "it does not trust the certificate")
    receiver.must_take("application.dead")
    stranger.must_stop()
    receiver.close()


def it_signs_with_both_keys_while_they_change(stand, redis, sandbox, receiver):
    receiver.key = b"another key of the receiver's"
    file = stand.directory + "/notify-secret"
    with open(file, "w") as secret:
        secret.write(SECRET + "\n" + receiver.key.decode() + "\n")
    service = start(stand, redis, sandbox, receiver, notify_secret=None, notify_secret_file=file)
    must_die(service, sandbox, "A-1")
    receiver.must_take("application.dead")
    assert len(receiver.requests[0][0]["webhook-signature"].split(" ")) == 2
    service.must_stop()


@pytest.mark.parametrize("settings, said", [
    ({"notify_url": "https://hooks.example"}, "belong together"),
    ({"notify_secret": SECRET}, "belong together"),
    ({"notify_url": "http://hooks.example", "notify_secret": SECRET}, "expected https://"),
    ({"notify_url": "https://user:word@hooks.example", "notify_secret": SECRET}, "remove them"),
    ({"notify_url": "https://hooks.example", "notify_secret": "whsec_not*base64"}, "is not Base64"),
    ({"notify_url": "https://hooks.example", "notify_secret": "too-short"}, "can be guessed"),
])
def it_refuses_settings_that_cannot_work(stand, settings, said):
    done = stand.service(redis_url="redis://127.0.0.1:1").run("check", **settings)
    assert done.returncode == 2 and said in done.stderr, done
    assert done.stderr.count("SEEK_SIGNAL_NOTIFY_SECRET") == (said in ("belong together", "is not Base64", "can be guessed")), done


def it_is_tried_by_check_with_an_event_of_its_own_type(stand, redis, sandbox, receiver):
    check = stand.service(sandbox, redis_url=redis.url, notify_url=receiver.url, notify_secret=SECRET)
    done = check.run("check")
    assert done.returncode == 0 and f"ok    notifications {receiver.url} took a notification.test" in done.stdout, done
    told, = receiver.must_take("notification.test")
    assert receiver.requests[0][0]["webhook-id"] == told["id"]
    assert told["source"] == "urn:seek-signal:seek-signal" and told["data"] == {"sentBy": "seek-signal check"}
    assert redis.cli("KEYS", "*notif*") == "", "nothing is left behind"
    assert check.run("check").returncode == 0
    assert len({event["id"] for event in receiver.must_take("notification.test", 2)}) == 2


@pytest.mark.parametrize("status", [302, 400, 401, 410, 503])
def it_fails_the_check_when_the_receiver_does_not_take_it(stand, redis, sandbox, receiver, status):
    receiver.status, receiver.headers = status, {"Location": receiver.url, "Retry-After": "60"}
    done = stand.service(sandbox, redis_url=redis.url, notify_url=receiver.url, notify_secret=SECRET).run("check")
    assert done.returncode == 1 and f"FAIL  notifications {receiver.url}: the receiver answers HTTP {status}" in done.stdout, done
    assert len(receiver.requests) == 1, "one try, not followed elsewhere"


def it_fails_the_check_when_nobody_listens(stand, redis, sandbox, receiver):
    receiver.close()
    done = stand.service(sandbox, redis_url=redis.url, notify_url=receiver.url, notify_secret=SECRET).run("check")
    assert done.returncode == 1 and f"FAIL  notifications {receiver.url}: " in done.stdout, done
    receiver.start()


def it_tells_nothing_without_a_receiver(service, sandbox):
    assert "notifications" not in service.get("/v1/status").json
    assert service.metric("seek_signal_notifications_waiting") is None
    assert TOKEN not in service.text()


def it_tells_of_a_pause_while_a_node_of_a_cluster_is_away(stand, sandbox, receiver):
    cluster = RedisCluster(stand, replicas=0)
    service = start(stand, cluster, sandbox, receiver, pause_after_refusals="5")
    eventually(lambda: service.metric("seek_signal_shards_ready") == 64, "it has reached all nodes")
    cluster.masters[1].kill()  # the first shard lies elsewhere
    eventually(lambda: service.get("/v1/status").json["store"]["shardsReady"] < 64, "its shards are away")
    refuse(sandbox, count=0)
    for number in range(60):
        service.post("/v1/events", event(f"A-{number}", f"token-{number}"))
    eventually(lambda: service.logs("refusals_braked"), "sending is paused")
    told, = eventually(lambda: receiver.taken("sending.stalled"), "it is told soon", patience=10)
    assert told["data"]["reason"] == "paused"
    cluster.masters[1].start()
    eventually(lambda: service.get("/v1/status").json["store"]["shardsReady"] == 64, "the node is back")
    sandbox.clear_faults()
    assert service.post("/v1/resume", {}).status == 204
    receiver.must_take("sending.resumed")
    service.must_stop()
