# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""SEEK over HTTP/2 as the sandbox plays it: what a server did not process costs nothing, in the service that really runs."""
import http.client
import json
import select
import socket
import ssl
import struct
import subprocess
import time

import pytest

from closing_seek import DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, PREFACE, RST_STREAM, SETTINGS, frame, read_exactly
from sandbox_test import DELIVERED, Caller, body_of
from stand import event, eventually

FAR_MS = 60000  # a signal that waits for a retry is not delivered in time


@pytest.fixture
def h2(stand, tmp_path):
    return stand.sandbox("--h2-listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0", "--tls-dir", tmp_path / "tls")


def settings(sandbox, way="h2", **more):
    address = sandbox.ready[way] if way != "http" else sandbox.address
    scheme = "http" if way == "http" else "https"
    return dict(graphql_url=f"{scheme}://{address}/graphql", token_url=f"{scheme}://{address}/oauth/token", ca_file=sandbox.ready["ca"],
                retry_base_ms=FAR_MS, retry_max_ms=FAR_MS) | more


@pytest.fixture
def serve(stand, redis, h2):
    def start(**more):
        return stand.service(redis_url=redis.url, **settings(h2, **more)).start()
    return start


def curl(sandbox, path, body, *options):
    """(the version of HTTP, the status, the answer's body), or curl's exit code."""
    done = subprocess.run(["curl", "-sS", "--cacert", sandbox.ready["ca"], "-w", "\n%{http_version} %{http_code}", "-H", "Content-Type: application/json",
                           *options, "-d", "@-", f"https://{sandbox.ready['h2']}{path}"], input=json.dumps(body), capture_output=True, text=True)
    if done.returncode != 0:
        return done.returncode
    text, _, end = done.stdout.rpartition("\n")
    return (*end.split(), text)


def must_blame_nobody(service, sandbox, count):
    """`count` signals: each is at SEEK once, by its first attempt."""
    for n in range(count):
        service.must_become(f"A-{n}", "delivered")
    assert not service.logs("breaker_opened") and not service.logs("signal_retry")
    assert service.metric('seek_signal_attempts_total{class="transient"}') == 0
    counts = sandbox.control("GET", "/counts")["signals"]
    assert (counts["distinct"], counts["duplicates"]) == (count, 0), counts


def it_answers_seeks_two_endpoints_over_http2(h2):
    version, status, text = curl(h2, "/graphql", {"query": "{ version }"})
    assert (version, status) == ("2", "200") and json.loads(text)["data"]["version"] == "abcdefa.12345"
    access_token = Caller(h2).access_token
    assert json.loads(curl(h2, "/graphql", body_of("t"), "-H", f"Authorization: Bearer {access_token}", "-H", "X-Request-Id: r-1")[2]) == DELIVERED
    assert [call["requestId"] for call in h2.calls("graphql")][-1] == "r-1"
    assert curl(h2, "/sandbox/counts", {})[1] == "404", "the control API is the other listener's"
    assert isinstance(curl(h2, "/graphql", body_of("x" * (2 << 20))), int), "a body that is too long is refused"
    assert curl(h2, "/graphql", {"query": "{ version }"})[1] == "200"


@pytest.mark.parametrize("offered", [["http/1.1"], None])
def it_speaks_nothing_else_there(offered, h2):
    context = ssl.create_default_context(cafile=h2.ready["ca"])
    if offered:
        context.set_alpn_protocols(offered)
    with socket.create_connection(h2.ready["h2"].rsplit(":", 1), timeout=30) as plain:
        with pytest.raises((ssl.SSLError, ConnectionError)), context.wrap_socket(plain, server_hostname="localhost") as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            while connection.recv(4096):
                pass
            raise ConnectionError("closed, after the settings perhaps")
    assert curl(h2, "/graphql", {"query": "{ version }"})[1] == "200"


@pytest.mark.parametrize("kind", ["refused-stream", "goaway"])
def it_sends_again_at_once_what_was_not_processed(kind, h2, serve):
    service = serve()
    for n in range(12):
        if n % 3 == 0:
            h2.fault(kind=kind, count=2)
        service.must_post(event(f"A-{n}", f"t-{n}"))
        service.must_become(f"A-{n}", "delivered")
    must_blame_nobody(service, h2, 12)
    calls = h2.calls("graphql")
    assert len(calls) == 20 and service.metric("seek_signal_resent_total") == 8
    assert len({call["requestId"] for call in calls}) == 20, "each with a request id of its own"
    assert [(call["outcome"], call["status"]) for call in calls if call["fault"]] == [(kind, 0)] * 8
    service.must_stop()


@pytest.mark.parametrize("kind", ["refused-stream", "goaway"])
def it_sends_again_at_once_when_many_share_the_connection(kind, h2, serve):
    """Slow answers, so that the ones are in progress while the others are refused."""
    service = serve()
    h2.settings(latencyMs=20, latencyJitterMs=60)
    h2.fault(kind=kind, probability=0.1)
    service.must_post([event(f"A-{n}", f"t-{n}") for n in range(100)])
    must_blame_nobody(service, h2, 100)
    assert service.metric("seek_signal_resent_total") > 0
    service.must_stop()


@pytest.mark.parametrize("kind", ["refused-stream", "goaway", "goaway-after"])
@pytest.mark.parametrize("spoiled", [{"count": 1, "seekTokenContains": "t-1-"}, {"count": 1, "seekTokenContains": "t-10-"}, {"count": 5, "probability": 0.1}])
def it_sends_again_at_once_when_many_come_in_one_burst(spoiled, kind, h2, serve):
    """No answer is slow, so that those behind the spoiled one have come with it and are not in progress."""
    service = serve()
    h2.fault(kind=kind, **spoiled)
    service.must_post([event(f"A-{n}", f"t-{n}-") for n in range(100)])
    must_blame_nobody(service, h2, 100)
    service.must_stop()


@pytest.mark.parametrize("kind", ["refused-stream", "goaway", "goaway-after"])
def it_takes_each_signal_once_however_often_its_connections_end(kind, h2, serve):
    """After ten repetitions it is an attempt that failed."""
    service = serve(retry_base_ms=1, retry_max_ms=100)
    h2.fault(kind=kind, probability=0.1)
    service.must_post([event(f"A-{n}", f"t-{n}-") for n in range(300)])
    for n in range(300):
        service.must_become(f"A-{n}", "delivered")
    counts = h2.control("GET", "/counts")["signals"]
    assert (counts["taken"], counts["distinct"], counts["duplicates"]) == (300, 300, 0), counts
    service.must_stop()


def literal(text):
    assert len(text) < 127
    return bytes([len(text)]) + text.encode()


class Burst:
    """An HTTP/2 client that writes many calls at once, and then reads."""

    def __init__(self, sandbox):
        self.access_token = Caller(sandbox).access_token
        context = ssl.create_default_context(cafile=sandbox.ready["ca"])
        context.set_alpn_protocols(["h2"])
        plain = socket.create_connection(sandbox.ready["h2"].rsplit(":", 1), timeout=60)
        self.connection = context.wrap_socket(plain, server_hostname="localhost")
        self.connection.sendall(PREFACE + frame(SETTINGS, 0, 0))

    def head(self, stream):
        """:method POST, :scheme https, :authority, :path, authorization and content-type, by HPACK's static table."""
        return frame(HEADERS, END_HEADERS, stream, b"\x83\x87\x01" + literal("localhost") + b"\x04" + literal("/graphql") + b"\x0f\x08" + literal(f"Bearer {self.access_token}")
                     + b"\x0f\x10" + literal("application/json"))

    @staticmethod
    def body(stream):
        return frame(DATA, END_STREAM, stream, json.dumps(body_of(f"t-{stream}-")).encode())

    def send(self, *frames):
        self.connection.sendall(b"".join(frames))

    def call(self, *streams):
        self.send(*[part for stream in streams for part in (self.head(stream), self.body(stream))])

    def read(self):
        """What comes until the connection ends: the answers by stream, the refused streams, the last stream of each GOAWAY."""
        answers, refused, last = {}, [], []
        while True:
            try:
                length, kind, _, stream = struct.unpack(">IBBI", b"\0" + read_exactly(self.connection, 9))
            except ConnectionError:
                return {stream: json.loads(answer) for stream, answer in answers.items()}, refused, last
            payload = read_exactly(self.connection, length)
            if kind == DATA:
                answers[stream] = answers.get(stream, b"") + payload
            elif kind == RST_STREAM:
                refused.append(stream)
            elif kind == GOAWAY:
                last.append(struct.unpack(">I", payload[:4])[0])


def taken_of(sandbox):
    return [(call["seekToken"], call["outcome"], call["status"]) for call in sandbox.calls("graphql")]


@pytest.mark.parametrize("kind, included", [("goaway", 3), ("goaway-after", 5)])
def it_processes_nothing_that_its_goaway_excludes(kind, included, h2):
    """RFC 9113 section 6.8: what is behind the last stream may be sent again. Those before it get their answers."""
    h2.fault(kind=kind, seekTokenContains="t-5-", count=0)
    h2.fault(kind=kind, seekTokenContains="t-11-", count=0)
    burst = Burst(h2)
    burst.call(*range(1, 41, 2))
    assert burst.read() == ({stream: DELIVERED for stream in range(1, included + 1, 2)}, [], [included])
    spoiled = [("t-5-", "goaway", 0)] if kind == "goaway" else [("t-5-", "delivered", 200)]
    assert taken_of(h2) == [("t-1-", "delivered", 200), ("t-3-", "delivered", 200), *spoiled]


def it_includes_an_earlier_call_whose_body_is_on_its_way(h2):
    h2.fault(kind="goaway", seekTokenContains="t-3-")
    burst = Burst(h2)
    burst.send(burst.head(1), burst.head(3), burst.body(3))
    eventually(lambda: h2.calls("graphql"), "the call is spoiled")
    burst.send(burst.body(1))
    assert burst.read() == ({1: DELIVERED}, [], [1])
    assert taken_of(h2) == [("t-3-", "goaway", 0), ("t-1-", "delivered", 200)]


def it_refuses_one_call_when_a_later_one_is_in_progress(h2):
    h2.fault(kind="slow", latencyMs=1000, seekTokenContains="t-3-", count=0)
    h2.fault(kind="goaway", latencyMs=100, seekTokenContains="t-1-")
    h2.fault(kind="goaway-after", latencyMs=1500, seekTokenContains="t-5-")
    burst = Burst(h2)
    burst.call(1, 3, 5)
    assert burst.read() == ({3: DELIVERED, 5: DELIVERED}, [1], [5])


@pytest.mark.parametrize("kind", ["reset", "close"])
def it_processes_nothing_behind_the_end_of_a_connection(kind, h2):
    h2.fault(kind=kind, seekTokenContains="t-3-")
    burst = Burst(h2)
    burst.call(1, 3, 5, 7)
    eventually(lambda: len(h2.calls("graphql")) == 2, "the fault is played")
    h2.must_stop()
    assert not [line for line in h2.text().splitlines() if "graphql" in line][2:]


@pytest.mark.parametrize("kind", ["goaway", "goaway-after", "idle-close", "close"])
def it_says_good_bye_to_a_peer_that_still_sends(kind, h2):
    """A RST instead would destroy the answers that are still on their way."""
    h2.fault(kind=kind, seekTokenContains="t-3-")
    burst = Burst(h2)
    burst.call(1, 3)
    ended = select.poll()
    ended.register(burst.connection, select.POLLRDHUP)
    assert ended.poll(60000) == [(burst.connection.fileno(), select.POLLRDHUP)]
    for _ in range(3):
        burst.send(frame(PING, 0, 0, bytes(8)))
        time.sleep(0.05)
    answers, _, _ = burst.read()
    assert answers.get(1) == DELIVERED


@pytest.mark.parametrize("kind", ["goaway-after", "idle-close"])
def it_takes_another_connection_when_one_ends(kind, h2, serve):
    service = serve()
    h2.fault(kind=kind, count=0)
    for n in range(12):
        service.must_post(event(f"A-{n}", f"t-{n}"))
        service.must_become(f"A-{n}", "delivered")
    must_blame_nobody(service, h2, 12)
    assert all(call["status"] == 200 for call in h2.calls("graphql"))
    service.must_stop()


@pytest.mark.parametrize("way", ["http", "https"])
def it_notices_the_end_of_an_idle_connection(way, h2, serve):
    """Over HTTP/1.1 nothing tells of the end but the end itself."""
    service = serve(way=way)
    h2.fault(kind="idle-close", count=0)
    for n in range(6):
        service.must_post(event(f"A-{n}", f"t-{n}"))
        service.must_become(f"A-{n}", "delivered")
    must_blame_nobody(service, h2, 6)
    service.must_stop()


def it_closes_an_idle_connection_without_a_word(h2):
    h2.fault(kind="idle-close", on="token")
    connection = http.client.HTTPConnection(*h2.address.split(":"), timeout=30)
    connection.request("POST", "/oauth/token", json.dumps({"audience": "https://graphql.seek.com", "client_id": "a", "client_secret": "b",
                                                           "grant_type": "client_credentials"}), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    assert answer.status == 200 and "access_token" in json.load(answer)
    assert answer.getheader("Keep-Alive") and answer.getheader("Connection") != "close"
    assert connection.sock.recv(1) == b""


@pytest.mark.parametrize("way", ["h2", "http"])
def it_names_a_head_that_is_too_long(way, h2, serve):
    """SEEK has the signal, and its answer cannot be read; the next one is not held up."""
    service = serve(way=way)
    h2.fault(kind="large-head", seekTokenContains="long")
    for n in range(3):
        service.must_post(event(f"A-{n}", f"t-{n}"))
        service.must_become(f"A-{n}", "delivered")
    service.must_post(event("A-long", "long"))
    application = eventually(lambda: (a := service.application("A-long")).get("lastError") and a, "the attempt ends")
    if way == "http":  # over HTTP/2 libcurl gives the whole connection up, in words of its own
        assert "header" in application["lastError"]["message"], application["lastError"]
    service.must_post(event("A-3", "t-3"))
    service.must_become("A-3", "delivered")
    assert [call["outcome"] for call in h2.calls("graphql") if call["seekToken"] == "long"] == ["delivered"]
    assert service.metric("seek_signal_resent_total") == 0, "SEEK has it"
    service.must_stop()


def repeated(request_id):
    """The request that `signal_resent` gave another id."""
    return f"{request_id[:28]}{int(request_id[28:30], 16) - 1:02x}{request_id[30:]}"


@pytest.mark.parametrize("kind", ["reset", "reset-after", "close", "large-head", "idle-close"])
def it_calls_nothing_unprocessed_that_a_broken_connection_took(kind, h2, serve):
    """Many are in progress on a connection when it breaks: what SEEK had of them may be done, and is an attempt."""
    service = serve(retry_base_ms=1, retry_max_ms=1000, workers=1)
    h2.settings(latencyMs=100, latencyJitterMs=100)
    for n in range(3):
        h2.fault(kind=kind)
        service.must_post([event(f"{n}-{i}", f"t-{n}-{i}") for i in range(30)])
        for i in range(30):
            service.must_become(f"{n}-{i}", "delivered")
    came = {call["requestId"] for call in h2.calls("graphql")}
    for line in service.logs("signal_resent"):
        assert repeated(line["request_id"]) not in came, line
    service.must_stop()


@pytest.mark.parametrize("kind, taken", [("reset", 0), ("reset-after", 1), ("close", 0), ("cut-body", 1), ("status", 0), ("gzip", 1), ("large", 1)])
def it_plays_the_other_faults_as_well(kind, taken, h2, serve):
    service = serve(retry_base_ms=1, retry_max_ms=100, request_timeout_ms=2000)
    h2.fault(kind=kind, seekTokenContains="t-1", count=1)
    service.must_post(event("A-1", "t-1"))
    service.must_become("A-1", "delivered")
    calls = [call for call in h2.calls("graphql") if call["seekToken"] == "t-1"]
    assert calls[0]["fault"] == kind and len(h2.signals("t-1")) == (taken + 1 if len(calls) == 2 else 1)
    service.must_stop()


def it_releases_what_hangs_over_http2(h2, serve):
    service = serve(retry_base_ms=1, retry_max_ms=100)
    h2.fault(kind="hang", seekTokenContains="hung")
    service.must_post(event("A-1", "hung"))
    eventually(lambda: [call for call in h2.calls("graphql") if call["fault"] == "hang"], "the call hangs")
    h2.clear_faults()
    service.must_become("A-1", "delivered")
    service.must_stop()
    h2.must_stop()
