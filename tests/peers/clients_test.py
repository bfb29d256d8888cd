# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""HTTP clients of several languages, in the way that docs/clients.md shows, against a service that ends and comes back; and
each as it is by itself, on a connection that it keeps."""
import contextlib
import http.server
import json
import pathlib
import re
import statistics
import subprocess
import sys
import threading
import time

import pytest

from programs import npm_ci
from stand import BUILD, event, free_port

HERE = pathlib.Path(__file__).resolve().parent / "clients"
sys.path.insert(0, str(HERE))
import clients  # noqa: E402

FAST = ("requests", "axios", "HTTP::Tiny", "HttpClient", "http")  # what differs most from each other
IDLE_S = 2
SLOW_MS = 25  # far below the 40 ms of a delayed acknowledgement
ROUNDS = 3
BUILD_TOLD = "" if BUILD.name == "release" else f" in {BUILD.name}"


@pytest.fixture(scope="module")
def ready():
    npm_ci(HERE, clients.COMPILED)
    clients.compile_all()


@pytest.mark.whole
def it_takes_every_event_of_every_client(ready):
    subprocess.run(["/usr/bin/python3", "-B", HERE / "clients.py", BUILD], check=True)


class Client:
    """One that posts line by line, and says of each how it went and how long it took."""

    def __init__(self, client, url):
        self.prefix = client[2].replace("/", "-")
        self.child = subprocess.Popen(clients.command(client, "lines", url), cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.count = 0

    def body(self):
        self.count += 1
        return event(f"{self.prefix}-{self.count}", f"t-{self.count}")

    def post(self, body=None, query=""):
        """(status or what was thrown, milliseconds)"""
        self.child.stdin.write(f"{query}\t{json.dumps(body or self.body())}\n")
        self.child.stdin.flush()
        line = self.child.stdout.readline().split()
        assert len(line) >= 2, f"the client ended with {self.child.wait(10)}"
        return "_".join(line[:-1]), int(line[-1]) / 1000

    def must_get_through(self, tries):
        """Its post, once more after each cut, as docs/clients.md says."""
        body, said = self.body(), []
        for _ in range(tries):
            said.append(self.post(body)[0])
            if said[-1] in ("200", "202"):
                return said[:-1]
            time.sleep(0.2)
        raise AssertionError(said)

    def close(self):
        self.child.stdin.close()
        self.child.stdout.close()
        assert self.child.wait(30) == 0


def documented_helpers():
    """The rows of docs/clients.md: helper -> posts of a cut one, posts of one that is refused at first."""
    rows = re.findall(r"^\| `([a-z-]+)`.* (\d)(?:, [a-z ]+)? \| (\d)(?:, [a-z ]+)? \|$", clients.DOCUMENT.read_text().split("## Retry helpers")[1], re.MULTILINE)
    return {name: (int(cut), int(busy)) for name, cut, busy in rows}


HELPERS = ("axios-retry", "fetch-retry", "superagent", "got", "ky", "undici")


@pytest.mark.whole
@pytest.mark.parametrize("helper", HELPERS)
def it_says_what_the_retry_helper_does(helper, ready, seen):
    version = clients.run(["node", clients.COMPILED / "node_helpers.mjs", helper], "version").stdout.strip()
    (cut, told), (busy, refused) = clients.observe_helper(helper, "/first"), clients.observe_helper(helper, "/busy")
    assert documented_helpers()[helper] == (cut, busy), (told, refused)
    seen(f"{version}, as a retry helper with its defaults", "a server that cuts each connection; one that answers 503, then 202",
         f"{cut} post(s), then {told}; {busy} post(s), then {refused}")


@pytest.mark.whole
@pytest.mark.parametrize("helper", [name for name in HELPERS if name != "superagent"])
def it_loses_nothing_behind_the_retry_helper(helper, ready, tmp_path, seen):
    service = clients.Service(BUILD, tmp_path)
    service.start()
    is_right, errors = clients.send(service, ["node", clients.COMPILED / "node_helpers.mjs", helper])
    service.close()
    assert is_right, errors
    seen(f"{helper}, as a retry helper", "set as docs/clients.md says; the service is stopped, killed and started", "every event is taken")


class Instant(http.server.BaseHTTPRequestHandler):
    """Answers a post at once: what the client itself costs on this machine."""
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.wfile.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}")

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def instant():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Instant)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def own_cost(client):
    with instant() as url:
        peer = Client(client, url)
        medians = [statistics.median(times_of(peer, 50)) for _ in range(ROUNDS)]
        peer.close()
    return min(medians)


def version_of(client):
    try:
        done = clients.run(client, "version")
    except FileNotFoundError:
        pytest.skip(f"{client[0]} is not installed")
    if done.returncode != 0:
        pytest.skip(done.stderr[-300:])
    return done.stdout.strip()


def times_of(client, count=200):
    answers = [client.post() for _ in range(count)]
    assert {status for status, _ in answers} == {"202"}, set(answers)
    return [took for _, took in answers]


@pytest.mark.parametrize("client", [pytest.param(c, marks=() if c[2] in FAST else pytest.mark.whole, id=c[2]) for c in clients.CLIENTS])
def it_serves_on_a_kept_connection(client, ready, stand, sandbox, seen):
    version = version_of(client)
    redis = stand.redis("--appendfsync", "no")  # a disk that stands still for two seconds would be a 503, which is no client's matter
    service = stand.service(sandbox, redis_url=redis.url, listen=f"127.0.0.1:{free_port()}", idle_timeout_s=IDLE_S).start()
    own_ms = own_cost(client)
    peer = Client(client, f"http://{service.address}/v1/events")
    assert peer.post()[0] == "202"
    assert peer.post([event(f"B-{n}", f"b-{n}") for n in range(100)])[0] == "202"
    assert peer.post(query="?wait=20s")[0] == "200"
    rounds = [times_of(peer) for _ in range(ROUNDS)]
    # A delayed acknowledgement is in each post, what else a busy machine does is not.
    fastest = statistics.quantiles(sum(rounds, []), n=10)[0]
    assert fastest < SLOW_MS, f"milliseconds for the fastest posts: {fastest}; medians: {[statistics.median(times) for times in rounds]}"
    median = min(statistics.median(times) for times in rounds)
    cut = []
    for late_s in (-0.05, 0.0, 0.05):
        time.sleep(IDLE_S + late_s)
        cut += peer.must_get_through(2)
    service.must_stop()
    service.start()
    cut += peer.must_get_through(10)
    peer.close()
    told = f"{len(cut)} of 4 cut, posted again" if cut else "none cut"
    seen(version, "an event, a batch, `?wait`, 200 posts on one connection, posts at the idle time-out, a restart",
         f"all taken; a post takes {median:.1f} ms{BUILD_TOLD}, at Python's http.server {own_ms:.1f} ms; {told}")
    service.must_stop()
