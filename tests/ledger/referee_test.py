# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The referee by itself: what it must find, and what it may not hold against the service."""
import collections

import pytest

from client import Post
from referee import Referee, fingerprint
from shards import shard_of
from witness import Call
from world import Disturbance


class Case:
    """Records of one application, written down in the order in which things happened: one second each."""

    def __init__(self):
        self.now, self.posts, self.calls, self.disturbances, self.documents = 100.0, [], [], [], {}

    def tick(self):
        self.now += 1.0
        return self.now

    def wait(self, seconds):
        self.now += seconds
        return self

    def post(self, token, answer=202, form="event", result="accepted", durability="fsync", loose=False, has_token=True):
        began = self.tick()
        post = Post("A", token, form, len(self.posts), began, has_token=has_token)
        if answer is None or loose:
            post.loose.append(("replica-0", began + 0.1))
        if answer is not None:
            post.answer, post.ended, post.answered_from, post.replica = answer, began + 0.2, began, "replica-0"
            post.result, post.durability = result, durability
        self.posts.append(post)
        return self

    def call(self, token, outcome="delivered", fault=None, after=None, request_id=None, timestamp="T", user_agent="replica-0/1",
             event="event-1"):
        self.now += after if after is not None else 1.0
        order = len(self.calls)
        request_id = request_id or f"{event}-{order:08}"
        self.calls.append(Call(order, self.now, token, outcome, fault, user_agent, request_id, timestamp))
        return self

    def disturb(self, fault, target, ended, user_agents=(), **members):
        self.disturbances.append(Disturbance(fault, target, self.now, self.now + ended, user_agents, **members))
        return self

    def fail_over(self, ended=1.5, **members):
        return self.disturb("master-kill", "redis", ended, forgets=True, **members)

    def state(self, state, token, **members):
        self.documents["A"] = {"state": state, "tokenFingerprint": fingerprint(token), **members}
        return self

    def judge(self, never=(), **members):
        posts = collections.defaultdict(list, {"A": self.posts} if self.posts else {})
        return Referee(posts, set(never), self.calls, self.disturbances, self.documents.get, **members).judge()


REFUSED = {"lastError": {"class": "refused", "code": "FORBIDDEN"}}


def stopped():
    """Just before it sent `t1`, beyond the lease."""
    return Case().post("t1").disturb("stop", "replica-0", 10, ("replica-0/1",))


def sent_by_another(case, after=1.1, **members):
    """And sends it when it runs again: the first attempt, after the second."""
    return case.call("t1", after=9, user_agent="replica-1/1", request_id="event-1-00000002") \
        .call("t1", after=after, **{"request_id": "event-1-00000001", **members})


FINE = {
    "delivered": Case().post("t1").call("t1"),
    "replaced before it was sent": Case().post("t1").post("t2").call("t2"),
    "dead with SEEK's refusal": Case().post("t1").call("t1", "FORBIDDEN", "forbidden").state("dead", "t1", **REFUSED),
    "never answered and never sent": Case().post("t1", None),
    "never answered and sent": Case().post("t1", None).call("t1"),
    "overtaken by one that was never answered": Case().post("t1").post("t2", None).call("t2").state("delivered", "t2"),
    "the older one was never answered, and may have come late": Case().post("t1", None).post("t2").call("t2").call("t1"),
    "put and never completed": Case().post("t1", 204, "draft", None, None).state("draft", "t1"),
    "put after a delivery": Case().post("t1").call("t1").post("t2", 204, "draft", None, None).state("draft", "t2"),
    "put twice, the first time in place of what was owed": Case().post("t1").post("t2", 204, "draft", None, None).call("t2")
        .post("t3", 204, "draft", None, None).state("draft", "t3"),
    "a failover forgot that the older one was out":
        Case().post("t1").post("t2").fail_over(3).call("t2").call("t1", "x", "reset"),
    "a failover forgot a newer one that was not acknowledged":
        Case().post("t1").call("t2").fail_over().call("t1", after=8).post("t2", loose=True).call("t2", event="event-2"),
    "the older one's process was stopped just before it sent": stopped().post("t2").call("t2", after=8, user_agent="replica-1/1")
        .call("t1", after=1.2),
    "an older one is posted again behind a newer one, and known":
        Case().post("t1").call("t1").post("t2").post("t1", 200, result="duplicate").call("t2"),
    "an older one is posted again, and only another spool knew it":
        Case().post("t1", durability="spool").post("t2").call("t2").post("t1", 202, result="replaced").call("t1"),
    "completed without a seek-token, and the one put was never answered":
        Case().post("t1").call("t1").post("t2", None, "draft").post("t2", 200, result="duplicate", has_token=False)
        .state("delivered", "t1"),
}

FOUND = {
    "nobody knows it": ("lost", Case().post("t1")),
    "it is still pending": ("lost", Case().post("t1").state("pending", "t1")),
    "it says delivered, and SEEK has nothing": ("lost", Case().post("t1").state("delivered", "t1")),
    "it is dead without a reason": ("lost", Case().post("t1").state("dead", "t1")),
    "it is dead, and SEEK never refused": ("lost", Case().post("t1").state("dead", "t1", **REFUSED)),
    "an older one is there": ("lost", Case().post("t1").call("t1").post("t2").state("delivered", "t1")),
    "a completed one became a draft": ("lost", Case().post("t1").state("draft", "t1")),
    "a draft took the place of what was owed": ("lost", Case()
        .post("t1").post("t2", 204, "draft", None, None).state("draft", "t2")),
    "a draft was gone": ("lost", Case().post("t1", 204, "draft", None, None)
        .post("t1", 409, result=None, has_token=False).state("draft", "t1")),
    "the same is accepted twice": ("lost", Case().post("t1").post("t1").call("t1")),
    "an older one is taken again behind a newer one": ("lost", Case().post("t1").call("t1").post("t2").call("t2")
        .post("t1", result="replaced")),
    "an older one is sent again behind a newer one": ("out of order", Case().post("t1").post("t2").call("t2")
        .post("t1", 200, result="duplicate").call("t1", "x", "reset")),
    "the newest is lost behind a repetition of an older one": ("lost", Case().post("t1").call("t1").post("t2")
        .post("t1", 200, result="duplicate").state("delivered", "t1")),
    "a replay is never sent": ("lost", Case().post("t1").call("t1", "FORBIDDEN", "forbidden").post("", 202, "replay")
        .state("dead", "t1", **REFUSED)),
    "the older one is sent after the newer": ("out of order", Case().post("t1").call("t1").post("t2")
        .call("t2").call("t1", "x", "reset")),
    "twice without a cause": ("duplicate", Case().post("t1").call("t1").call("t1", after=60)),
    "twice long before a lease could have ended": ("duplicate", Case().post("t1").call("t1")
        .disturb("kill", "replica-0", 1, ("replica-0/1",)).call("t1", after=0.5)),
    "twice after the death of another replica": ("duplicate", Case().post("t1").call("t1")
        .disturb("kill", "replica-1", 1, ("replica-1/1",)).call("t1", after=9)),
    "twice after an outage of Redis alone": ("duplicate", Case().post("t1").call("t1")
        .disturb("redis-kill", "redis", 20).call("t1", after=20)),
    "accepted a second time": ("duplicate", Case().post("t1").call("t1", fault="reset-after").call("t1", event="event-2")),
    "another timestamp": ("timestamp", Case().post("t1").call("t1", fault="reset-after").call("t1", timestamp="U")),
    "one request id for two calls": ("request id", Case().post("t1")
        .call("t1", fault="reset-after", request_id="event-1-00000001").call("t1", request_id="event-1-00000001")),
    "the older one is sent long after a failover": ("out of order", Case().post("t1").post("t2").fail_over()
        .call("t2").call("t1", "x", "reset", after=9)),
    "accepted a second time, and a failover may forget only what had no answer": ("duplicate", Case()
        .post("t1").call("t1").fail_over().call("t1", event="event-2")),
    "the older one is sent long after its process ran again": ("out of order", stopped().post("t2")
        .call("t2", after=8, user_agent="replica-1/1").call("t1", after=9)),
    "the older one is sent after another process was stopped": ("out of order", stopped().post("t2")
        .call("t2", after=8, user_agent="replica-1/1").call("t1", after=1.2, user_agent="replica-2/1")),
    "twice, long after its process ran again": ("duplicate", sent_by_another(stopped(), after=9)),
    "twice, and it is another process's": ("duplicate", sent_by_another(stopped(), user_agent="replica-2/1")),
    "twice, and it is a later attempt": ("duplicate", sent_by_another(stopped(), request_id="event-1-00000003")),
    "the same is accepted again after a failover": ("lost", Case().post("t1").fail_over().post("t1").call("t1")),
    "a seek-token of nobody": ("unknown", Case().call("t9")),
    "less durable than asked for": ("durability", Case().post("t1", durability="redis").call("t1")),
    "an answer that may not be": ("refused", Case().post("t1", 422)),
}


@pytest.mark.parametrize("name", FINE)
def it_finds_nothing_where(name):
    assert FINE[name].judge().findings == []


@pytest.mark.parametrize("name", FOUND)
def it_finds_that(name):
    kind, case = FOUND[name]
    assert [found for found, _ in case.judge().findings] == [kind]


@pytest.mark.parametrize("seconds, is_found", [(2.0, False), (1.0, True)])
def it_believes_in_a_time_out_that_took_its_time(seconds, is_found):
    case = Case().post("t1").call("t1").call("t1", after=0.3)
    assert bool(case.judge(failures={case.calls[0].request_id: ("TIMEOUT", seconds)}).findings) == is_found


@pytest.mark.parametrize("case, kind", [
    (sent_by_another(stopped()), "duplicate"),
    (FINE["the older one's process was stopped just before it sent"], "out of order"),
])
def it_excuses_one_signal_of_each_thread_that_was_stopped(case, kind):
    assert case.judge(senders=1).findings == []
    assert [found for found, _ in case.judge(senders=0).findings] == [kind]


def it_finds_that_half_a_request_was_taken():
    assert [kind for kind, _ in Case().call("t1").judge(never=["t1"]).findings] == ["taken"]


@pytest.mark.parametrize("case, cause", [
    (Case().post("t1").call("t1", fault="reset-after").call("t1", after=0.1), "SEEK's answer spoiled: reset-after"),
    (Case().post("t1").call("t1").disturb("kill", "replica-0", 1, ("replica-0/1",)).call("t1", after=9), "kill"),
    (Case().post("t1").call("t1").disturb("stop", "replica-0", 10, ("replica-0/1",)).call("t1", after=9), "stop"),
    (Case().post("t1").disturb("pause", "replica-0", 3, ("replica-0/1",)).call("t1", after=3.1)
        .disturb("kill", "replica-0", 1, ("replica-0/1",)).call("t1", after=0.5), "kill"),
    (Case().post("t1").call("t1").disturb("redis-stop", "redis", 20).call("t1", after=20), "redis-stop"),
    (Case().post("t1").call("t1").disturb("redis-kill", "redis", 20).disturb("start", "replica-1", 1, ("replica-1/1",)).call("t1", after=20),
     "redis-kill"),
    (Case().post("t1").call("t1").disturb("seek-restart", "seek", 1).call("t1", after=1.5),
     "SEEK's answer spoiled: seek-restart"),
    (Case().post("t1", durability="spool", loose=True).post("t2").call("t1").call("t2").call("t1", event="event-2"),
     "posted again after a newer seek-token"),
    (Case().post("t1").call("t1").fail_over().call("t1", after=0.5), "master-kill"),
    (Case().post("t1", loose=True).call("t1").fail_over().call("t1", event="event-2"),
     "taken and not acknowledged by a master that another one replaced"),
    (sent_by_another(stopped()), "its process was stopped just before it sent"),
])
def it_knows_the_cause_of_a_duplicate(case, cause):
    verdict = case.judge()
    assert verdict.findings == [] and dict(verdict.duplicates) == {cause: 1}


@pytest.mark.parametrize("case", [
    Case().post("t1").fail_over(),
    Case().fail_over().post("t1"),
    Case().post("t1").call("t1").post("t2").fail_over().state("delivered", "t1"),
    Case().post("t1").fail_over().post("t1").call("t1"),
    Case().post("t1").call("t1").fail_over().post("t1").call("t1", event="event-2"),
    Case().post("t1", durability="spool").wait(5).fail_over(),
])
def it_counts_what_a_failover_forgets_that_nobody_waited_for(case):
    verdict = case.judge(is_forgetful=True)
    assert verdict.findings == []
    assert sum(verdict.forgotten.values()) + sum(verdict.duplicates.values()) >= 1
    assert case.judge().findings != []


@pytest.mark.parametrize("case", [
    Case().post("t1"),
    Case().fail_over(0.5).post("t1"),
    Case().post("t1").wait(5).fail_over(),
    Case().fail_over(0.5).post("t1", durability="spool"),
    Case().post("t1", durability="spool").fail_over(shards=frozenset(range(64)) - {shard_of("A")}),
    Case().post("t1").fail_over(shards=frozenset(range(64)) - {shard_of("A")}),
    Case().post("t1").fail_over().state("pending", "t1"),
])
def it_excuses_no_loss_that_is_not_a_failover_s(case):
    assert "lost" in [kind for kind, _ in case.judge(is_forgetful=True).findings]


DAMAGED = {"lastError": {"class": "damaged", "code": "DAMAGED"}}


@pytest.mark.parametrize("case", [
    Case().post("t1").state("dead", "t1", **DAMAGED),
    Case().post("t1").state("dead", "", **DAMAGED),
    Case().post("t1").post("t1", 409, result=None).state("dead", "t1", **DAMAGED),
    Case().post("t1").call("t1").call("t1", after=0.1).state("delivered", "t1"),
    Case().post("t1").post("t2").call("t2").call("t1").state("delivered", "t2"),
])
def it_holds_nothing_against_what_somebody_else_has_damaged(case):
    assert case.judge(damaged={"A"}).findings == []


@pytest.mark.parametrize("case", [
    Case().post("t1").state("pending", "t1"),
    Case().post("t1").state("sending", "t1"),
    Case().post("t1").state("dead", "t1", lastError={"class": "transient", "code": "LEASE_EXPIRED"}),
    Case().post("t1"),
])
def it_finds_what_was_damaged_and_not_seen_to(case):
    assert [kind for kind, _ in case.judge(damaged={"A"}).findings] == ["lost"]
    assert case.judge().findings != []
