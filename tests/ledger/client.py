# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The ATS: clients that post what the plan says, and the record of what they were told."""
import collections
import contextlib
import dataclasses
import http.client
import itertools
import json
import random
import socket
import threading
import time

import contract
from shards import shard_of

ANSWER_PATIENCE_S = 5
CHECKS_PER_STATUS = 20  # answers of each kind that are held against openapi.yaml


@dataclasses.dataclass
class Post:
    """One seek-token handed over, by however many requests. `answer` is None when nobody ever said what came of it."""
    application: str
    token: str
    form: str                # event, draft, replay
    position: int            # in the order of the application's own client
    began: float
    has_token: bool = True   # false: a completion with the seek-token that was put before
    is_late: bool = False    # posted again behind a newer one
    ended: float = None      # the moment of the answer
    answered_from: float = None  # when the request began that was answered
    answer: int = None
    result: str = None
    durability: str = None
    replica: str = None
    loose: list = dataclasses.field(default_factory=list)  # (replica, moment): requests that may still be taken

    @property
    def is_acknowledged(self):
        return self.answer in (200, 202, 204)


class Record:
    """Everything posted, in memory and on disk."""

    def __init__(self, path):
        self.lock = threading.Lock()
        self.file = open(path, "w", encoding="utf-8")
        self.posts = collections.defaultdict(list)  # by application
        self.never = set()                          # seek-tokens of requests that were cut short
        self.answers = collections.Counter()        # by status
        self.checked = collections.Counter()
        self.problems = []

    def begin(self, application, token, form, **members):
        with self.lock:
            posts = self.posts[application]
            posts.append(Post(application, token, form, len(posts), time.monotonic(), **members))
            return posts[-1]

    def end(self, post):
        with self.lock:
            if not self.file.closed:  # a run that broke off does not wait for all
                self.file.write(json.dumps(dataclasses.asdict(post)) + "\n")

    def note(self, method, path, answer):
        """Counts it; the first of each kind must be what openapi.yaml says."""
        kind = (method, path.split("/")[2], answer.status if answer else None)
        with self.lock:
            self.answers[kind[2]] += 1
            self.checked[kind] += 1
            is_checked = answer is not None and self.checked[kind] <= CHECKS_PER_STATUS
            if is_checked:
                try:
                    contract.check(method, path, answer)
                except AssertionError as error:
                    self.problems.append(("contract", str(error)))

    def close(self):
        self.file.close()


class Connections:
    """One client's connection to each replica, kept open as an ATS would."""

    def __init__(self):
        self.open = {}

    def request(self, replica, method, path, body, content_type, manner):
        """(answer or None, whether the service may have seen the request)"""
        connection = self.open.get(replica.name)
        if connection is None:
            connection = self.open[replica.name] = http.client.HTTPConnection(replica.address, timeout=ANSWER_PATIENCE_S)
        try:
            if connection.sock is None:
                connection.connect()
        except OSError:
            self.drop(replica)
            return None, False
        try:
            return self.exchange(connection, method, path, body, content_type, manner, replica), True
        except (OSError, http.client.HTTPException):
            self.drop(replica)
            return None, True

    def exchange(self, connection, method, path, body, content_type, manner, replica):
        connection.putrequest(method, path)
        connection.putheader("Content-Type", content_type)
        connection.putheader("Content-Length", str(len(body)))
        if manner == "slow":
            connection.endheaders()
            for i in range(0, len(body), 16):
                connection.send(body[i:i + 16])
        else:
            connection.endheaders(body if manner != "half" else body[:len(body) // 2])
        if manner in ("gone", "half"):
            self.drop(replica)
            return None
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())

    def drop(self, replica):
        connection = self.open.pop(replica.name, None)
        if connection is not None:
            with contextlib.suppress(OSError):
                if connection.sock is not None:  # a reset, so that nothing is left half open
                    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.close()


@dataclasses.dataclass
class Answer:
    status: int
    headers: object
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


def body_of(step, items):
    bodies = [{"applicationId": item.application} | ({"token": item.token} if item.has_token else {}) for item in items]
    if step.form == "ndjson":
        return "\n".join(map(json.dumps, bodies)).encode(), "application/x-ndjson"
    return json.dumps(bodies if step.form == "array" else bodies[0]).encode(), "application/json"


def request_of(step, items):
    """(method, path, body, content type)"""
    if step.form == "draft":
        body = json.dumps({"token": items[0].token}).encode()
        return "PUT", f"/v1/applications/{items[0].application}/token", body, "application/json"
    if step.form == "replay":
        return "POST", f"/v1/applications/{items[0].application}/replay", b"", "application/json"
    return "POST", "/v1/events" + ("?wait=1s" if step.form == "wait" else ""), *body_of(step, items)


class Client(threading.Thread):
    """Posts its plan step by step; after no answer, a 429 or 503 it posts the same again until there is one."""

    def __init__(self, world, record, plan, seed, number, pace_s, stopping, giving_up):
        super().__init__(name=f"client-{number}", daemon=True)
        self.world, self.record, self.plan, self.pace_s = world, record, plan, pace_s
        self.stopping, self.giving_up = stopping, giving_up
        self.pauses = random.Random(f"{seed}/pauses/{number}")  # apart from the plan, which must not depend on answers
        self.connections = Connections()

    def run(self):
        for step in self.plan:
            if self.stopping.wait(self.pauses.expovariate(1 / self.pace_s)):
                return
            self.take(step)

    def take(self, step):
        if step.manner == "half":
            self.record.never.add(step.items[0].token)
            self.ask(step, step.items, "half")
            return
        form = step.form if step.form in ("draft", "replay") else "event"
        open_ = [(item, self.record.begin(item.application, item.token, form, has_token=item.has_token, is_late=item.is_late))
                 for item in step.items]
        manner = step.manner
        while open_:
            open_ = self.attempt(step, open_, manner)
            if step.gives_up or self.giving_up.is_set():
                break
            manner = "proper"
            if open_:
                self.giving_up.wait(self.pauses.uniform(0.05, 0.3))
        for _, post in open_:
            self.record.end(post)

    def attempt(self, step, open_, manner):
        """One request; what is left to be posted again."""
        began = time.monotonic()
        replica, answer, is_seen = self.ask(step, [item for item, _ in open_], manner)
        ended = time.monotonic()
        statuses = self.read(step, open_, answer)
        left = []
        for index, ((item, post), (status, document)) in enumerate(zip(open_, statuses)):
            if status is None or status in (408, 429) or status >= 500:
                if is_seen and status != 429:
                    post.loose.append((replica.name, ended))
                left.append((item, post))
                continue
            # A batch is taken in its order: each event has a part of its request's time, one after the other.
            share = (ended - began) / len(open_)
            post.answered_from, post.ended = began + index * share, began + (index + 1) * share
            if not post.loose:
                post.began = max(post.began, post.answered_from)
            post.answer, post.replica = status, replica.name
            post.result, post.durability = document.get("result"), document.get("durability")
            self.record.end(post)
        return left

    def ask(self, step, items, manner):
        replica = self.pauses.choice(self.world.replicas)
        method, path, body, content_type = request_of(step, items)
        answer, is_seen = self.connections.request(replica, method, path, body, content_type, manner)
        self.record.note(method, path, answer)
        return replica, answer, is_seen

    @staticmethod
    def read(step, open_, answer):
        """Per item (status, document)."""
        if answer is None:
            return [(None, {})] * len(open_)
        if step.form in ("array", "ndjson") and answer.status == 202:
            results = answer.json["results"]
            assert len(results) == len(open_), results
            return [(result["status"], result) for result in results]
        document = answer.json if answer.body else {}
        return [(answer.status, document)] * len(open_)


class Prober(threading.Thread):
    """Asks one replica again and again whether it takes an event, for the time from a fault's end to normal flow. On a
    cluster an event of certain shards, so that it is not held up where the others are."""

    PAUSE_S, PATIENCE_S = 0.1, 1.0

    def __init__(self, world, record, replica, stopping, group=None):
        super().__init__(name=f"prober-{replica.name}-{group or 0}", daemon=True)
        self.world, self.record, self.replica, self.stopping = world, record, replica, stopping
        self.name_, self.shards, self.pause_s = f"{replica.index}", None, self.PAUSE_S
        if group is not None:
            self.name_, self.shards = f"{replica.index}-{group}", world.store.groups[group]
            self.pause_s *= len(world.store.groups)
        self.probes = []

    def run(self):
        for count in itertools.count(1):
            application = f"P-{self.name_}-{count}"
            if self.shards is not None and shard_of(application) not in self.shards:
                continue
            if self.stopping.wait(self.pause_s):
                return
            self.probe(application, f"probe-{self.name_}-{count}")

    def probe(self, application, token):
        post = self.record.begin(application, token, "event")
        connection = http.client.HTTPConnection(self.replica.address, timeout=self.PATIENCE_S)
        answer, is_seen = None, False
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.connect()
            is_seen = True
            connection.request("POST", "/v1/events", json.dumps({"applicationId": application, "token": token}),
                               {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        ended = time.monotonic()
        self.record.note("POST", "/v1/events", answer)
        if answer is not None and answer.status in (200, 202):
            post.ended, post.answered_from, post.answer, post.replica = ended, post.began, answer.status, self.replica.name
            post.result, post.durability = answer.json["result"], answer.json["durability"]
            self.probes.append(post)
        elif is_seen:
            post.loose.append((self.replica.name, ended))
        self.record.end(post)
