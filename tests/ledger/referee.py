# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Compares what was acknowledged with what SEEK got. Pure: records in, verdict out; referee_test.py shows each finding.

Time decides the order of posts. An answered post took effect between its request and its answer. A request without an
answer, or answered 503, may have taken effect, also later than its client gave up: bytes may lie in a stopped process.
So each seek-token has an interval, and only intervals that do not touch are in a definite order. What is not definite
is not held against the service; it is counted.

The service knows an application's seek-tokens again that newer ones replaced, the last few of them. So one that an event has
surely brought took effect before that event's answer, however often it comes again; a repetition changes nothing.
"""
import collections
import dataclasses
import hashlib
import math

from shards import shard_of

LATE_S = 10.0     # a request without an answer takes effect within this, counted from when all it needs runs again
REMEMBERED = 5    # so many replaced seek-tokens of an application are known again
RECORD_S = 5.0    # within this, an answer of SEEK is recorded; as much again after Redis was away
LAG_S = 2.0       # so far a replica that nobody waits for may be behind
WOKEN_S = 2.0     # within this, a process that runs again has sent what it was about to send

# Faults of the sandbox after which SEEK has the signal and the service cannot know it.
SPOILED = {"status", "reset-after", "cut-body", "truncated-json", "timeout-after", "slow"}
STOPS = {"stop", "pause"}
STALLS = {*STOPS, "redis-stop"}
# After these, an answer may have died with the process that gave it.
RESTARTS = {"seek-restart", "seek-expired"}
# One that only a draft had brought, or that another replica's spool had, came again after a newer one: it cannot be known.
AGAIN = "posted again after a newer seek-token"
# The master that took a post died before it acknowledged it, and before its replicas had it: posted again, it was new.
FORGOTTEN = "taken and not acknowledged by a master that another one replaced"
LOST_AND_POSTED_AGAIN = "acknowledged with fsync, lost with its master, and posted again"
TOO_LATE = "SEEK's answer read after the time of the attempt"
# Between the last look at the clock and the system call that sends: each thread has at most one such signal.
ABOUT_TO_SEND = "its process was stopped just before it sent"
REFUSALS = {"forbidden", "bad-user-input"}


def fingerprint(token):
    return hashlib.sha256(token.encode()).hexdigest()[:16]


@dataclasses.dataclass
class Verdict:
    findings: list = dataclasses.field(default_factory=list)  # (kind, text)
    duplicates: collections.Counter = dataclasses.field(default_factory=collections.Counter)  # by cause
    late: int = 0        # seek-tokens that were posted again behind newer ones, and known
    unseen: int = 0      # completions without a seek-token that another replica's spool may have held
    overtaken: int = 0   # an older one after a newer one, where a failover forgot that it was out
    held: int = 0        # an older one after a newer one, by a process that was stopped just before it sent
    forgotten: collections.Counter = dataclasses.field(default_factory=collections.Counter)  # applications, by fault: a
    # failover lost something of it that was acknowledged, since no replica was waited for
    undecided: int = 0   # pairs of calls whose order nobody can know
    superseded: int = 0  # acknowledged seek-tokens that were replaced before they were sent
    delivered: int = 0   # applications whose newest seek-token SEEK has
    dead: int = 0
    damaged: int = 0     # applications that somebody else has written to
    set_aside: int = 0   # of them, told as damaged in the end
    drafts: int = 0
    waits: list = dataclasses.field(default_factory=list)  # from acknowledgement to SEEK, in seconds

    def find(self, kind, text):
        self.findings.append((kind, text))


@dataclasses.dataclass
class Interval:
    """When a seek-token may have taken effect."""
    first: float = math.inf
    last: float = -math.inf
    is_loose: bool = False  # some request with it had no answer, or a 503

    def is_before(self, other):
        return self.last < other.first


class Referee:
    def __init__(self, posts, never, calls, disturbances, look, stalls=(), timeout_s=2.0, lease_s=9.0,
                 durable=frozenset({"fsync", "spool"}), spooling=(), failures=None, damaged=frozenset(), is_forgetful=False, senders=1):
        """`look(application)`: the service's own document, or None. `stalls`: (from, to) in which the machine stood still.
        `durable`: what an answer may name. `spooling`: the names of replicas with a spool. `failures`: request id: (code,
        seconds) of attempts, as the service tells them. `damaged`: applications that somebody else has written to, of
        which nothing can be promised but that they are over in the end. `is_forgetful`: a failover may lose what was
        acknowledged shortly before. `senders`: the threads of a replica that send."""
        self.damaged, self.is_forgetful = damaged, is_forgetful
        self.forgot = None  # the failover that may have forgotten something acknowledged of the application in question
        self.failures = failures or {}
        self.posts, self.never, self.calls, self.look, self.stalls = posts, never, calls, look, stalls
        self.timeout_s, self.lease_s = timeout_s, lease_s
        self.disturbances, self.durable, self.spooling = disturbances, durable, spooling
        self.failovers = [d for d in disturbances if d.forgets]
        self.by_token = collections.defaultdict(list)
        for call in calls:
            self.by_token[call.token].append(call)
        self.verdict = Verdict()
        self.forgotten = set()
        self.senders, self.about_to_send = senders, collections.defaultdict(set)  # by the stop: calls

    def judge(self):
        self.check_tokens()
        self.check_request_ids()
        for application, posts in self.posts.items():
            self.forgot = self.find_forgetting(application, posts) if self.is_forgetful else None
            self.judge_application(application, posts)
        return self.verdict

    def find_forgetting(self, application, posts):
        """The failover of its shard that may have lost something acknowledged of it."""
        shard = shard_of(application)
        return next((d for d in self.failovers if (d.shards is None or shard in d.shards) and any(
            self.may_forget(d, post) for post in posts if post.is_acknowledged)), None)

    def may_forget(self, failover, post):
        """What a spool acknowledged reached Redis later, at a moment that nobody knows: with SEEK's call at the latest."""
        if post.durability != "spool":
            return failover.began - LAG_S <= post.ended <= failover.ended
        sent = min((call.received for call in self.by_token[post.token] if call.received > post.ended), default=math.inf)
        return failover.ended >= post.ended and failover.began - LAG_S <= sent

    def lose(self, application, text):
        """A finding, unless the level that was acknowledged promises no more."""
        if self.forgot is None:
            self.verdict.find("lost", f"{application}: {text}")
        elif application not in self.forgotten:
            self.forgotten.add(application)
            self.verdict.forgotten[self.forgot.fault] += 1

    def story(self, text):
        """Everything known about the application, or the seek-token, with which a finding begins: the lines of a time table."""
        name = text.split(":", 1)[0]
        application = next((a for a, posts in self.posts.items() if a == name or any(p.token == name for p in posts)), None)
        if application is None:
            return []
        posts = self.posts[application]
        lines = [(post.began, f"{post.form} {post.token} until {post.ended or 0:.3f}: {post.answer} {post.result}, {post.durability} "
                              f"by {post.replica}, loose {[(r, round(t, 3)) for r, t in post.loose]}") for post in posts]
        for token in {post.token for post in posts}:
            lines += [(call.received, f"SEEK: call {call.order} {call.token} {call.outcome}, fault {call.fault}, "
                                      f"{call.user_agent}, {call.request_id}, failed: {self.failures.get(call.request_id)}")
                      for call in self.by_token.get(token, ())]
        begin, end = min(lines)[0] - 1, max(lines)[0] + 1
        lines += [(d.began, f"{d.fault} of {d.target} {' '.join(d.user_agents)} until {d.ended:.3f}") for d in self.disturbances
                  if d.began < end and d.ended > begin and d.target != "clients"]
        return [f"{moment:.3f} {line}" for moment, line in sorted(lines)] + [f"service: {self.look(application)}"]

    # --- what SEEK got at all ---

    def check_tokens(self):
        known = {post.token for posts in self.posts.values() for post in posts}
        for token in self.by_token:
            if token in self.never:
                self.verdict.find("taken", f"{token}: its request was never completed, and yet it was sent")
            elif token not in known:
                self.verdict.find("unknown", f"{token}: nobody posted it")

    def check_request_ids(self):
        seen = {}
        spoiled = {post.token for application in self.damaged for post in self.posts.get(application, ())}
        for call in self.calls:
            other = seen.setdefault(call.request_id, call)
            is_damaged = call.token in spoiled or other.token in spoiled
            if other is not call and not is_damaged and not self.is_forgotten(other.received, call.received):
                self.verdict.find("request id", f"{call.request_id}: of two calls, for {other.token} and {call.token}")

    # --- one application ---

    def judge_damaged(self, application, posts):
        """It was sent, or set aside for somebody to see; nothing of it waits for ever."""
        self.verdict.damaged += 1
        document = self.look(application)
        is_acknowledged = any(post.is_acknowledged for post in posts)
        if document is None:
            if is_acknowledged and not self.failovers and not any(self.is_delivered(post.token) for post in posts):
                self.verdict.find("lost", f"{application}: was damaged, and nobody knows it any more")
            return
        error = document.get("lastError", {})
        self.verdict.set_aside += error.get("class") == "damaged"
        if document["state"] not in ("delivered", "dead", "draft"):
            self.verdict.find("lost", f"{application}: was damaged, and is {document['state']} at the end")
        elif document["state"] == "dead" and error.get("class") not in ("damaged", "refused"):
            self.verdict.find("lost", f"{application}: was damaged, and is dead of something else: {error}")

    def judge_application(self, application, posts):
        if application in self.damaged:
            self.judge_damaged(application, posts)
            return
        intervals = self.intervals(posts)
        calls = sorted((call for token in intervals for call in self.by_token.get(token, ())), key=lambda call: call.order)
        self.check_answers(application, posts)
        self.check_order(application, intervals, calls)
        for token in intervals:
            self.check_duplicates(token, intervals)
        self.check_end(application, posts, intervals)
        self.check_replays(application, posts, calls)

    def intervals(self, posts):
        intervals = {}
        for post in posts:
            if post.form == "replay":
                continue
            interval = intervals.setdefault(post.token, Interval())
            interval.first = min(interval.first, post.began)
            ends = [post.ended if post.ended is not None else post.began]
            ends += [self.latest_effect(replica, moment) for replica, moment in post.loose]
            interval.last = max(interval.last, *ends)
            interval.is_loose |= bool(post.loose)
        if len(intervals) <= REMEMBERED + 1:
            for post in posts:
                if self.is_brought(post, posts):
                    intervals[post.token].last = min(intervals[post.token].last, post.ended)
        return intervals

    def is_brought(self, post, posts):
        """Whether an event has surely brought this seek-token into Redis."""
        return post.form == "event" and post.is_acknowledged and post.durability != "spool" and self.is_meant(post, posts)

    def latest_effect(self, replica, moment):
        return self.settled(moment, {replica, "replicas", "redis"}) + LATE_S

    def settled(self, moment, targets):
        """The first moment from then on at which none of these is disturbed."""
        moved = True
        while moved:
            moved = False
            for disturbance in self.disturbances:
                if disturbance.target in targets and disturbance.began <= moment < disturbance.ended:
                    moment, moved = disturbance.ended, True
        return moment

    # --- what the clients were told ---

    def check_answers(self, application, posts):
        brought, put = set(), None
        for post in posts:
            if post.is_acknowledged and post.form == "event" and post.durability not in self.durable:
                self.verdict.find("durability", f"{application}: acknowledged with {post.durability}")
            if post.form == "event" and post.answer == 409 and put is not None and self.is_seen(put, post):
                self.lose(application, "the seek-token that was put before is gone: 409")
            is_spooled = post.durability == "spool"  # nothing is known there of what was before
            is_new = post.form == "event" and not is_spooled and post.result in ("accepted", "replaced")
            if is_new and post.token in brought and len(brought) <= REMEMBERED + 1:
                self.lose(application, f"{post.token} was acknowledged before, and is {post.result} again")
            self.verdict.late += post.is_late and post.result == "duplicate"
            if post.answer is not None and not post.is_acknowledged and not self.is_expected(post):
                self.verdict.find("refused", f"{application}: {post.form} with {post.token} was answered {post.answer}")
            if post.form == "draft" and post.is_acknowledged:
                put = post
            self.verdict.unseen += not post.has_token and put is not None and not self.is_seen(put, post)
            if self.is_brought(post, posts):
                brought.add(post.token)

    @staticmethod
    def is_expected(post):
        if post.form == "replay":
            return post.answer in (404, 409)
        return post.answer == 409 and not post.has_token

    # --- order ---

    def check_order(self, application, intervals, calls):
        newest = None  # among the calls so far, the one whose token is surely newer than most
        for call in calls:
            if newest is not None and call.token != newest.token:
                if intervals[call.token].is_before(intervals[newest.token]):
                    if self.forgot is not None or self.is_excused(call, newest, intervals):
                        self.verdict.overtaken += 1
                        continue
                    if self.was_about_to_send(call, newest):
                        self.verdict.held += 1
                        continue
                    self.verdict.find("out of order", f"{application}: {call.token} (call {call.order}) was sent after the newer "
                                                      f"{newest.token} (call {newest.order})")
                elif not intervals[newest.token].is_before(intervals[call.token]):
                    self.verdict.undecided += 1
            if newest is None or intervals[call.token].first >= intervals[newest.token].first:
                newest = call

    def is_excused(self, call, newest, intervals):
        """A failover forgot that the older one was out; or it forgot the newer one, which was not acknowledged yet."""
        if any(d.began <= call.received <= d.ended + self.timeout_s for d in self.failovers):
            return True
        return intervals[newest.token].is_loose and self.is_forgotten(newest.received, call.received)

    def is_forgotten(self, begin, end):
        """Whether a failover may have forgotten what became of a call received at the begin, before the end."""
        return any(d.began <= end and d.ended >= begin - RECORD_S for d in self.failovers)

    # --- duplicates ---

    def check_duplicates(self, token, intervals):
        taken = [call for call in self.by_token.get(token, ()) if call.is_delivered]
        for first, second in zip(taken, taken[1:]):
            cause = self.cause(first, second, intervals)
            if cause is None:
                self.verdict.find("duplicate", f"{token}: SEEK has call {first.order} ({first.user_agent}, fault {first.fault}) "
                                               f"and {second.gap(first):.3f} s later call {second.order} ({second.user_agent})")
                cause = "unexplained"
            elif first.event == second.event and first.timestamp != second.timestamp:
                self.verdict.find("timestamp", f"{token}: {first.timestamp} the first time, then {second.timestamp}")
            self.verdict.duplicates[cause] += 1

    def cause(self, first, second, intervals):
        if first.event != second.event:  # it was accepted twice
            if self.forgot is not None:
                return LOST_AND_POSTED_AGAIN
            if intervals[first.token].is_loose and self.is_forgotten(first.received, second.received):
                return FORGOTTEN
            return AGAIN if self.may_have_come_again(first, second, intervals) else None
        if first.fault in SPOILED:
            return f"SEEK's answer spoiled: {first.fault}"
        code, seconds = self.failures.get(first.request_id, ("", 0.0))
        if code == "TIMEOUT" and seconds >= self.timeout_s - 0.1:  # its process stood still, or the machine is slow
            return TOO_LATE
        for disturbance in self.hits(first.received, first.received + self.timeout_s):
            if disturbance.fault in RESTARTS:
                return f"SEEK's answer spoiled: {disturbance.fault}"
        cause = self.cause_of_silence(first, second)
        if cause is None and second.request_id < first.request_id and self.was_about_to_send(second, first):
            return ABOUT_TO_SEND  # the older attempt came after the newer one
        return cause

    def was_about_to_send(self, call, other):
        """Its process was stopped beyond the lease, and sent this call as soon as it ran again, while `other` had come."""
        for disturbance in self.disturbances:
            if disturbance.fault in STOPS and call.user_agent in disturbance.user_agents \
                    and disturbance.began <= other.received and abs(call.received - disturbance.ended) <= WOKEN_S:
                calls = self.about_to_send[id(disturbance)]
                if call.order in calls or len(calls) < self.senders:
                    calls.add(call.order)
                    return True
        return False

    def cause_of_silence(self, first, second):
        """The attempt never reported back. It is repeated when its lease ends, and a lease outlasts its attempt; but a
        failover may have forgotten the lease, or the outcome."""
        for disturbance in self.failovers:
            if disturbance.began - RECORD_S <= first.received <= disturbance.ended and disturbance.began <= second.received:
                return disturbance.fault
        if second.gap(first) < self.timeout_s - 0.2 and not self.was_late(first):
            return None
        hits = self.hits(first.received - 0.2, self.settled(first.received + RECORD_S, {"redis"}) + RECORD_S)
        redis = [d for d in hits if d.target == "redis"]
        for disturbance in sorted(hits, key=lambda d: not d.fault.startswith("kill")):
            # A service that ends by SIGTERM records everything, unless it cannot.
            if first.user_agent in disturbance.user_agents and (disturbance.fault != "restart" or redis):
                return disturbance.fault
        is_alone = [d.fault for d in hits] == ["redis-kill"]  # before anybody claims, all record (service/outbound/absence.h)
        if redis and not is_alone and second.gap(first) >= self.lease_s - self.timeout_s:
            return redis[-1].fault
        if any(begin < first.received + self.timeout_s and end > first.received for begin, end in self.stalls):
            return "the machine stood still"
        return None

    def was_late(self, call):
        """Whether its process, or Redis, stood still before it was sent: most of its lease may have been over by then."""
        return any(d.fault in STALLS and (d.target == "redis" or call.user_agent in d.user_agents)
                   and d.began <= call.received and d.ended >= call.received - self.timeout_s for d in self.disturbances)

    def hits(self, begin, end):
        return [d for d in self.disturbances if d.began <= end and d.ended >= begin]

    @staticmethod
    def may_have_come_again(first, second, intervals):
        """Another seek-token may have taken effect since the first call, and this one once more after that."""
        mine = intervals[first.token]
        return mine.last > first.received and any(
            other is not mine and not other.is_before(mine) and not mine.is_before(other) and other.first < second.received
            for other in intervals.values())

    # --- the end ---

    def check_end(self, application, posts, intervals):
        """The newest acknowledged seek-token was delivered, is dead with a reason, or gave way to a newer one that was."""
        known = [post for post in posts if post.is_acknowledged and post.form != "replay" and self.is_meant(post, posts)]
        if not known:
            return
        effects = {}  # seek-token: when it was acknowledged first; what came later was a repetition, or is judged by `intervals`
        for post in known:
            effects.setdefault(post.token, (min(post.ended, intervals[post.token].last), post.position))
        newest = max(known, key=lambda post: effects[post.token])
        if self.forgot is None:  # what was lost and posted again has waited for its client
            self.note_waits(known)
        if self.is_delivered(newest.token):
            self.verdict.delivered += 1
            return
        document = self.look(application)
        if document is None:
            self.lose(application, f"{newest.token} was acknowledged, and nobody knows the application")
            return
        token = {fingerprint(token): token for token in intervals}.get(document.get("tokenFingerprint"))
        if token is None:
            self.verdict.find("lost", f"{application}: {newest.token} was acknowledged, "
                                      "and a seek-token that nobody posted is there")
        elif intervals[token].is_before(intervals[newest.token]):
            self.lose(application, f"{newest.token} was acknowledged, and the older {token} is there")
        else:
            self.check_state(application, token, newest, known, intervals, document)

    def is_meant(self, post, posts):
        """A completion without a seek-token is of the one that is there. Which one is known if it was surely put before."""
        if post.has_token:
            return True
        put = next((p for p in posts if p.token == post.token and p.form == "draft" and p.is_acknowledged), None)
        return put is not None and self.is_seen(put, post)

    def is_seen(self, put, post):
        """What one replica has in its spool, another one does not know; the one itself answers 503 until it is in Redis."""
        return put.replica not in self.spooling or put.replica == post.replica

    def check_state(self, application, token, newest, known, intervals, document):
        state = document["state"]
        if state == "delivered" and self.is_delivered(token):
            self.verdict.delivered += 1
        elif state == "dead":
            self.check_dead(application, token, document)
        elif state == "draft":
            self.check_draft(application, newest, known, intervals)
        else:
            self.verdict.find("lost", f"{application}: {token} is {state} at the end, and SEEK does not have it")

    def check_dead(self, application, token, document):
        self.verdict.dead += 1
        error = document.get("lastError", {})
        if error.get("class") != "refused" or not error.get("code"):
            self.verdict.find("lost", f"{application}: {token} is dead without a refusal: {error}")
        elif not any(call.fault in REFUSALS for call in self.by_token.get(token, ())):
            self.verdict.find("lost", f"{application}: {token} is dead, and SEEK never refused it")

    def check_draft(self, application, newest, known, intervals):
        """A seek-token was put after the last completion, which had been delivered by then: else it would be owed again."""
        self.verdict.drafts += 1
        if newest.form != "draft":
            self.lose(application, f"{newest.token} was completed, and is a draft that SEEK does not have")
            return
        completed = [post for post in known if post.form == "event" and post.token != newest.token]
        if not completed:
            return
        last = max(completed, key=lambda post: post.ended).token
        heirs = [token for token in intervals if token != newest.token and not intervals[token].is_before(intervals[last])]
        if not any(self.is_delivered(token) for token in heirs):
            self.lose(application, f"{last} was acknowledged, gave way to the draft {newest.token}, and SEEK has neither")

    def check_replays(self, application, posts, calls):
        for post in posts:
            if post.form == "replay" and post.answer == 202 and not any(call.received >= post.began for call in calls):
                self.lose(application, "an acknowledged replay was never sent")

    def note_waits(self, known):
        for post in known:
            taken = next((call for call in self.by_token.get(post.token, ()) if call.is_delivered), None)
            if taken is None:
                self.verdict.superseded += post.form == "event"
            elif post.form == "event" and post.result in ("accepted", "replaced"):
                self.verdict.waits.append(max(0.0, taken.received - post.ended))

    def is_delivered(self, token):
        return any(call.is_delivered for call in self.by_token.get(token, ()))
