# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""GraphQL servers with SEEK's sendSignal: what they make of a success, of each refusal, of a schema that has grown, and of
being restarted. SEEK says what it answers; these are what a gateway or a stand-in may be made of."""
import collections
import re
import threading

import pytest

from programs import NodeServer, node_ready, pinned
from stand import call, event, eventually

PEERS = {"apollo": ("@apollo/server", "Apollo Server"), "yoga": ("graphql-yoga", "GraphQL Yoga"), "mercurius": ("mercurius",) * 2, "graphql-http": ("graphql-http",) * 2}
ONCE = 3_600_000  # ms of pause: what is tried once stays as it is then


def all_but_whole(*fast):
    """These fit into five minutes; the others are of the whole."""
    return [peer if peer in fast else pytest.param(peer, marks=pytest.mark.whole) for peer in PEERS]


def title(peer):
    package, name = PEERS[peer]
    return f"{name} {pinned(package)}"


class Server(NodeServer):
    def __init__(self, stand, peer, *more):
        node_ready()
        self.taken_file = f"{stand.directory}/{peer}.taken"
        open(self.taken_file, "w").close()
        super().__init__(stand.directory, peer, "graphql.mjs", peer, "0", self.taken_file, *more)
        self.port = self.said[0]
        self.arguments[3] = self.port  # the same when it starts again
        self.url = f"http://127.0.0.1:{self.port}/graphql"

    def context(self, code):
        assert call(f"127.0.0.1:{self.said[1]}", "PUT", "/context", code).status == 200

    def taken(self):
        return collections.Counter(open(self.taken_file).read().split())


@pytest.fixture
def start(stand, redis, sandbox):
    """The service in front of such a server; the sandbox is the issuer."""
    def start(server, **settings):
        return stand.service(sandbox, redis_url=redis.url, **{"graphql_url": server.url, "retry_base_ms": ONCE, "retry_max_ms": ONCE} | settings).start()
    return start


def tried(service, application_id, attempts=1):
    def settled():
        seen = service.application(application_id)
        return seen["attempts"] >= attempts and seen["state"] != "sending" and seen
    return eventually(settled, f"{application_id} was tried")


def in_words(application):
    """ "dead, FORBIDDEN (refused, HTTP 200): its message" """
    error = application.get("lastError")
    if error is None:
        return application["state"]
    return f"{application['state']}, `{error['code']}` ({error['class']}, HTTP {error.get('httpStatus')}): {error['message']}"


# What the resolver throws, the state, the class, and the code where the server passes it on.
# The order is that of `codes` in servers/graphql.mjs.
REFUSALS = [("FORBIDDEN", "dead", "refused"), ("BAD_USER_INPUT", "dead", "refused"), ("INTERNAL_SERVER_ERROR", "pending", "transient"),
            ("NEVER_HEARD_OF", "pending", "transient"), ("RATE_LIMITED", "pending", "throttled")]


@pytest.mark.parametrize("peer", PEERS)
def it_delivers_and_reads_what_a_resolver_refuses(peer, stand, start, seen):
    server = stand.add(Server(stand, peer))
    service = start(server)
    service.must_post(event("A-1", "good-1"))
    application = service.must_become("A-1", "delivered")
    assert application["attempts"] == 1 and server.taken() == {"good-1": 1}
    seen(title(peer), "a success", in_words(application))
    service.must_post(event("A-plain", "plain"))
    application = tried(service, "A-plain")
    assert application["state"] == "pending" and application["lastError"]["class"] == "transient", application
    seen(title(peer), "the resolver throws an error without a code", in_words(application))
    for number, (code, state, kind) in enumerate(REFUSALS, 1):
        service.must_post(event(f"A-{code}", f"throw.{number}"))
        application = tried(service, f"A-{code}")
        assert (application["state"], application["lastError"]["class"], application["lastError"]["code"]) == (state, kind, code), application
        assert application["lastError"]["message"] == "the resolver refuses", application
        seen(title(peer), f"the resolver throws `{code}`", in_words(application))
    service.must_stop()


@pytest.mark.parametrize("peer", all_but_whole("apollo"))
def it_asks_once_for_another_access_token_when_a_resolver_wants_one(peer, stand, sandbox, start, seen):
    server = stand.add(Server(stand, peer))
    service = start(server)
    service.must_post(event("A-1", "throw.0"))
    application = tried(service, "A-1", attempts=2)
    assert application["state"] == "pending" and application["lastError"]["class"] == "auth", application
    assert application["attempts"] == 2 and len(sandbox.calls("token")) == 2
    seen(title(peer), "the resolver throws `UNAUTHENTICATED`", in_words(application) + "; tried twice, with two access tokens")
    service.must_stop()


CONTEXT_CODES = ["UNAUTHENTICATED", "FORBIDDEN", "BAD_USER_INPUT", "INTERNAL_SERVER_ERROR", "RATE_LIMITED"]


@pytest.mark.parametrize("peer", all_but_whole("mercurius", "graphql-http"))
def it_loses_nothing_when_the_context_refuses(peer, stand, redis, start, seen):
    """Two of the servers lose the code then. What is lost kills nothing, and all is delivered once the context lets it."""
    server = stand.add(Server(stand, peer))
    for code in CONTEXT_CODES:
        redis.cli("FLUSHALL")
        server.context(code)
        service = start(server, retry_base_ms=200, retry_max_ms=200)
        service.must_post(event("A-1", f"good-{len(code)}"))
        application = eventually(lambda: (a := service.application("A-1")).get("lastError") and a, "tried once")
        error = application["lastError"]
        has_code = error["code"] == code
        assert application["state"] == ("dead" if error["class"] == "refused" else application["state"]), application
        assert error["class"] == "refused" if has_code and code in ("FORBIDDEN", "BAD_USER_INPUT") else error["class"] != "refused", application
        seen(title(peer), f"the context throws `{code}`", in_words(dict(application, state="dead" if application["state"] == "dead" else "waits")))
        server.context("")
        if application["state"] == "dead":
            assert service.post("/v1/applications/A-1/replay").status == 202
        service.must_become("A-1", "delivered")
        assert server.taken()[f"good-{len(code)}"] == 1
        service.must_stop()


SCHEMAS = {"more": "the input has one more required member", "without": "the schema has no `sendSignal`"}


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("peer", all_but_whole("graphql-http"))
def it_waits_when_the_schema_is_another(peer, schema, stand, start, seen):
    """That is no single signal's fault: nothing dies."""
    server = stand.add(Server(stand, peer, schema))
    service = start(server, retry_base_ms=50, retry_max_ms=200)
    service.must_post([event(f"A-{n}", f"good-{n}") for n in range(50)])
    eventually(lambda: service.metric("seek_signal_breaker_state") > 0, "the breaker opens")
    application = eventually(lambda: next((a for n in range(50) if (a := service.application(f"A-{n}")).get("lastError")), None), "one was tried")
    assert application["lastError"]["class"] == "misconfigured", application
    told = eventually(lambda: service.logs("upstream_misconfigured"), "the log says it")
    assert len(told) == 1 and "form of our request" in told[0]["message"] and told[0]["detail"]
    assert service.get("/v1/status").json["signals"]["dead"] == 0 and not server.taken()
    saw = in_words(dict(application, state="the queue waits"))
    seen(title(peer), SCHEMAS[schema], re.sub(r'"\d{4}-\d\d-\d\dT[^"]*"', '"…"', saw))
    server.must_stop()
    server.arguments.remove(schema)
    server.start()
    eventually(lambda: len(server.taken()) == 50, "all are taken by the older schema", patience=60)
    assert service.get("/v1/status").json["signals"]["dead"] == 0
    service.must_stop()


@pytest.mark.parametrize("peer", all_but_whole("apollo"))
def it_loses_nothing_while_the_server_is_restarted(peer, stand, start, seen):
    server = stand.add(Server(stand, peer))
    service = start(server, retry_base_ms=50, retry_max_ms=500)
    is_over = threading.Event()
    posted = []

    def post():
        while not is_over.is_set():
            first = len(posted)
            service.must_post([event(f"A-{n}", f"good-{n}") for n in range(first, first + 10)])
            posted.extend(range(first, first + 10))
            is_over.wait(0.1)

    poster = threading.Thread(target=post)
    poster.start()
    try:
        for _ in range(2):
            before = sum(server.taken().values())
            eventually(lambda: sum(server.taken().values()) > before + 30, "signals flow", patience=60)
            server.must_stop()
            server.start()
    finally:
        is_over.set()
        poster.join()
    eventually(lambda: service.metric("seek_signal_delivered_total") == len(posted), "all are delivered", patience=60)
    taken = server.taken()
    assert set(taken) == {f"good-{n}" for n in posted}
    assert service.get("/v1/status").json["signals"]["dead"] == 0
    # Where an answer is lost in the end of a connection, the signal comes twice; no more than were on their way.
    assert sum(taken.values()) - len(taken) <= 2 * 64
    seen(title(peer), "two restarts under load", "all delivered, none dead")
    service.must_stop()
