# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The stand of the system tests: the real service, a real Redis and the sandbox, each a process.

Nothing here waits by sleeping for a fixed time: `eventually` polls a condition until its deadline.
"""
import contextlib
import http.client
import itertools
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import contract
from stored import SPREAD

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SEEK_SIGNAL_BUILD", ROOT / "build" / "dev"))
SERVICE = BUILD / "service" / "seek-signal"
SANDBOX = BUILD / "service" / "sandbox" / "seek-sandbox"

PATIENCE = 20.0  # seconds; sanitizers on a busy machine are slow

# Distinctive, so that a search through all output proves that no secret left.
CLIENT_SECRET = "client-secret-Xq7Zp2"
TOKEN = "globalToken-9f4cWfRFAhG25YC8ADe3QvxAVz"


def eventually(condition, what, patience=PATIENCE):
    """Polls until `condition()` is truthy and returns its value."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {patience} s: {what}; last seen: {value!r}")
        time.sleep(0.01)


class Answer:
    """One HTTP answer, its body parsed when it is JSON."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {dict(self.headers)} {self.body[:500]!r}>"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def call(address, method, path, body=None, headers=None, timeout=60, tls=None):
    """One request on a connection of its own. `address` is "host:port" or "unix:/path"; `tls` an ssl.SSLContext."""
    if tls is not None:
        connection = http.client.HTTPSConnection(address, timeout=timeout, context=tls)
    elif address.startswith("unix:"):
        connection = UnixConnection(address[5:], timeout)
    else:
        connection = http.client.HTTPConnection(address, timeout=timeout)
    headers = dict(headers or {})
    if isinstance(body, (dict, list)):
        body = json.dumps(body)
        headers.setdefault("Content-Type", "application/json")
    with contextlib.closing(connection):
        connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())


def is_at_rest(pid):
    """No thread of the process runs, or is about to: all are asleep, stopped or gone."""
    def is_asleep(task):
        with contextlib.suppress(OSError):  # it has ended
            return task.read_text().rsplit(")", 1)[1].split()[0] not in ("R", "D")
        return True
    return all(is_asleep(task) for task in pathlib.Path(f"/proc/{pid}/task").glob("*/stat"))


class Process:
    """A child whose standard error goes to a file, shown when a test fails."""

    def __init__(self, name, directory):
        self.name = name
        self.log_path = pathlib.Path(directory) / f"{name}.log"
        self.child = None

    def spawn(self, arguments, environment=None):
        with open(self.log_path, "ab") as log:
            self.child = subprocess.Popen(
                [str(a) for a in arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=environment)

    def is_running(self):
        return self.child is not None and self.child.poll() is None

    def send(self, number):
        self.child.send_signal(number)

    def kill(self):
        if self.is_running():
            self.child.kill()
        if self.child is not None:
            self.child.wait()

    def must_stop(self, number=signal.SIGTERM, status=0, patience=60):
        """Ends it by the signal and checks how it went: a sanitizer's finding is a failure too."""
        self.send(number)
        got = self.child.wait(timeout=patience)
        assert got == status, f"{self.name} ended with {got}, expected {status}:\n{self.text()[-4000:]}"

    def text(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""


class Redis(Process):
    """A redis-server of its own on a unix socket and a free port."""

    patience = PATIENCE  # seconds, until it has read its file

    def __init__(self, directory, *arguments, name="redis"):
        super().__init__(name, directory)
        self.directory = pathlib.Path(directory) / name
        self.directory.mkdir(exist_ok=True)
        self.socket = self.directory / "redis.sock"
        self.port = free_port()
        self.arguments = arguments
        self.start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def begin(self):
        self.spawn(["redis-server", "--port", self.port, "--bind", "127.0.0.1",
                    "--unixsocket", self.socket, "--dir", self.directory, "--save", "",
                    "--appendonly", "yes", "--appendfsync", "always", *self.arguments])

    def start(self):
        self.begin()
        eventually(self.is_answering, "Redis answers PING", self.patience)

    def is_answering(self):
        assert self.is_running(), f"{self.name} ended with {self.child.returncode}: {self.text()[-2000:]}"
        return self.try_cli("PING") == "PONG"

    def try_cli(self, *arguments):
        """Bytes that are no UTF-8 come as lone surrogates."""
        done = subprocess.run(["redis-cli", "-s", str(self.socket), *map(str, arguments)],
                              capture_output=True, encoding="utf-8", errors="surrogateescape", timeout=30)
        return done.stdout.strip()

    def cli(self, *arguments):
        out = self.try_cli(*arguments)
        assert not out.startswith(("ERR", "NOAUTH")), out
        return out

    def application(self, application_id):
        """What its hash holds, as all fields by their names: {} when there is none."""
        fields = json.loads(self.cli("--json", "EVAL", SPREAD, 1, f"seek-signal:{{0}}:app:{application_id}", 0))
        return dict(zip(fields[::2], fields[1::2]))

    def spread(self, application_id):
        """As layout 1 had it: each field by itself, to be damaged."""
        self.cli("EVAL", SPREAD, 1, f"seek-signal:{{0}}:app:{application_id}", 1)

    def application_ids(self):
        """Of all applications that this Redis holds."""
        prefix = "seek-signal:{0}:app:"
        return {key.removeprefix(prefix) for key in self.cli("--raw", "KEYS", prefix + "*").splitlines()}

    def is_replica_of(self, master):
        lines = self.try_cli("INFO", "replication").splitlines()
        return f"master_port:{master.port}" in lines and "master_link_status:up" in lines


class Sentinel(Process):
    """One redis-sentinel that watches `master` under the name "applications"."""

    def __init__(self, directory, master, name, quorum=2):
        super().__init__(name, directory)
        self.port = free_port()
        self.directory = pathlib.Path(directory) / name
        self.directory.mkdir()
        self.file = self.directory / "sentinel.conf"  # it writes what it learns there
        self.file.write_text(f"""port {self.port}
bind 127.0.0.1
dir {self.directory}
sentinel monitor applications 127.0.0.1 {master.port} {quorum}
sentinel down-after-milliseconds applications 500
sentinel failover-timeout applications 4000
""")
        self.start()

    def start(self):
        self.spawn(["redis-sentinel", self.file])
        eventually(lambda: self.ask("PING") == ["PONG"], "a sentinel answers PING")

    def ask(self, *arguments):
        done = subprocess.run(["redis-cli", "-p", str(self.port), *map(str, arguments)],
                              capture_output=True, text=True, timeout=30)
        return done.stdout.split()

    def knows(self, replicas, others):
        """Whether it has found the master's replicas and the other sentinels."""
        words = self.ask("SENTINEL", "MASTER", "applications")
        said = dict(zip(words[::2], words[1::2]))
        return said.get("num-slaves") == str(replicas) and said.get("num-other-sentinels") == str(others)

    def master_port(self):
        return int(self.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "applications")[1])


class Sandbox(Process):
    """The stand-in for SEEK, with its control API."""

    def __init__(self, directory, *arguments):
        super().__init__("sandbox", directory)
        self.directory = directory
        self.port = 0
        self.arguments = arguments
        self.start()

    def start(self):
        """Again on the same port after a stop, as SEEK keeps its address through an outage."""
        before = len(self.text())
        self.spawn([SANDBOX, "--listen", f"127.0.0.1:{self.port}", *self.arguments])

        def ready():
            assert self.is_running(), self.text()
            for line in self.text()[before:].splitlines():
                if line.startswith("ready "):
                    return dict(word.split("=", 1) for word in line.split()[1:])
            return None

        self.ready = eventually(ready, "the sandbox is ready")
        self.address = self.ready["http"]
        self.port = int(self.address.rsplit(":", 1)[1])

    def control(self, method, path, body=None, status=(200, 201, 202, 204)):
        answer = call(self.address, method, "/sandbox" + path, body)
        assert answer.status in status, answer
        return answer.json if answer.body else None

    def fault(self, **fault):
        self.control("POST", "/faults", fault)

    def clear_faults(self):
        self.control("DELETE", "/faults")

    def settings(self, **settings):
        self.control("PATCH", "/settings", settings)

    def calls(self, kind=None, bodies=False):
        calls, after = [], 0
        while True:
            page = self.control("GET", f"/ledger?after={after}&limit=10000" + ("&bodies=1" if bodies else ""))
            calls += page["calls"]
            if not page["calls"]:
                break
            after = page["next"]
        return [c for c in calls if kind is None or c["kind"] == kind]

    def signals(self, token):
        """The calls that SEEK took for this seek-token."""
        return [c for c in self.calls("graphql")
                if c.get("seekToken") == token and c["outcome"] == "delivered"]

    def must_receive(self, token, count=1):
        eventually(lambda: len(self.signals(token)) >= count, f"{count} signals with {token}")
        assert len(self.signals(token)) == count
        return self.signals(token)


class Service(Process):
    """The real binary. Settings are given as keyword arguments: redis_url="…"."""

    def __init__(self, directory, sandbox=None, name="service", **settings):
        super().__init__(name, directory)
        self.directory = directory
        self.tls = None  # an ssl.SSLContext: the API listener speaks TLS
        self.settings = {
            "listen": "127.0.0.1:0", "ops_listen": "127.0.0.1:0", "log_format": "json",
            "client_id": "client-1", "client_secret": CLIENT_SECRET,
            "retry_base_ms": "20", "retry_max_ms": "200",
        }
        if sandbox is not None:
            self.settings["graphql_url"] = f"http://{sandbox.address}/graphql"
            self.settings["token_url"] = f"http://{sandbox.address}/oauth/token"
        self.settings.update(settings)

    def environment(self):
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("SEEK_SIGNAL_", "OTEL_"))}
        return clean | {("" if k.startswith("otel_") else "SEEK_SIGNAL_") + k.upper(): str(v)
                        for k, v in self.settings.items() if v is not None}

    def start(self, is_ready=True):
        before = len(self.logs())
        self.spawn([SERVICE, "serve"], self.environment())

        def listening():
            assert self.is_running(), f"the service ended:\n{self.text()}"
            return next((line for line in self.logs()[before:] if line["event"] == "listening"), None)

        line = eventually(listening, "the service listens")
        self.address, self.ops = line["api"], line["ops"]
        if is_ready:
            eventually(lambda: self.get("/readyz").status == 200, "the service is ready")
        return self

    def run(self, *arguments, timeout=60, stdout=subprocess.PIPE, **settings):
        """One command of the binary, to its end."""
        saved, self.settings = self.settings, self.settings | settings
        environment = self.environment()
        self.settings = saved
        return subprocess.run([str(SERVICE), *arguments], env=environment, stdout=stdout, stderr=subprocess.PIPE,
                              text=True, timeout=timeout)

    def await_log(self, patience=2.0):
        """Until all that is logged by now is written. An intake thread hands its lines to the log's at the end of its turn, behind its answers,
        and then wakes it: it runs until all is written (lib/base/log.c, log_sink.c). When all threads are found asleep twice, none has lines any
        more: whoever gave some after it was looked at for the first time has made the log's one run at the second. A log's thread whose reader
        stands still sleeps too and is not waited for, nor is a process that never rests, longer than this patience."""
        deadline = time.monotonic() + patience
        while self.is_running() and time.monotonic() < deadline:
            if is_at_rest(self.child.pid) and is_at_rest(self.child.pid):
                return
            time.sleep(0.002)

    def logs(self, event=None):
        """What is logged by now. What another thread logs later than the answer came is awaited by `must_log`."""
        self.await_log()
        lines = []
        for line in self.text().splitlines():
            try:
                parsed = json.loads(line)
            except ValueError:
                continue
            if isinstance(parsed, dict) and (event is None or parsed.get("event") == event):
                lines.append(parsed)
        return lines

    def must_log(self, event, count=1, patience=PATIENCE):
        """So many lines of this event, sooner or later, and then no more of them in all that is logged by now."""
        with contextlib.suppress(AssertionError):
            eventually(lambda: len(self.logs(event)) >= count, event, patience)
        lines = self.logs(event)
        assert len(lines) == count, (event, lines)
        return lines

    def call(self, method, path, body=None, headers=None, **options):
        answer = call(self.address, method, path, body, headers, **{"tls": self.tls} | options)
        contract.check(method, path, answer)
        return answer

    def get(self, path, **options):
        return self.call("GET", path, **options)

    def post(self, path, body=None, headers=None, **options):
        return self.call("POST", path, body, headers, **options)

    def must_post(self, body, status=202, path="/v1/events", headers=None):
        answer = self.post(path, body, headers)
        assert answer.status == status, answer
        return answer.json

    def application(self, application_id):
        answer = self.get(f"/v1/applications/{application_id}")
        return answer.json if answer.status == 200 else None

    def must_become(self, application_id, state, patience=PATIENCE):
        def reached():
            seen = self.application(application_id)
            return seen if seen and seen["state"] == state else None
        return eventually(reached, f"{application_id} becomes {state}", patience)

    def metric(self, name):
        """The value of one sample, `name` with its labels as written; None when absent."""
        for line in self.get("/metrics").body.decode().splitlines():
            if line.startswith(name + " "):
                return float(line.rsplit(" ", 1)[1])
        return None

    def must_show(self, name, value):
        """The metric has it sooner or later: what is counted may be seen in Redis, or at SEEK, before its thread has counted it."""
        with contextlib.suppress(AssertionError):
            eventually(lambda: self.metric(name) == value, name)
        assert self.metric(name) == value, name

    def resident_kib(self):
        for line in pathlib.Path(f"/proc/{self.child.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        return None


PORTS_EACH = 2000  # for each of the processes that tests may be spread over


def port_counter():
    """Ports below those that the kernel gives to clients, in turn, so that nobody takes one between its choice and its use."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 12000 + worker * PORTS_EACH
    begin = random.randrange(PORTS_EACH)  # there may be other runs on this machine
    return itertools.cycle([*range(first + begin, first + PORTS_EACH), *range(first, first + begin)])


PORTS = port_counter()


def free_port():
    for port in itertools.islice(PORTS, PORTS_EACH):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port is free")


def event(application_id, token=TOKEN, **members):
    return {"applicationId": application_id, "token": token, **members}


class Stand:
    """All processes of one test; everything is ended and removed afterwards."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="seek-signal-test-")
        self.processes = []

    def add(self, process):
        self.processes.append(process)
        return process

    def redis(self, *arguments, **options):
        return self.add(Redis(self.directory, *arguments, **options))

    def replica(self, master, name):
        master.cli("CONFIG", "SET", "repl-diskless-sync-delay", "0")
        replica = self.redis("--replicaof", "127.0.0.1", master.port, "--repl-diskless-sync-delay", "0", name=name)
        eventually(lambda: replica.is_replica_of(master), f"{name} follows the master")
        return replica

    def sentinels(self, master, replicas, count=3):
        """They know each other and the replicas, so that they can make a failover."""
        sentinels = [self.add(Sentinel(self.directory, master, f"sentinel-{n}")) for n in range(count)]
        for sentinel in sentinels:
            eventually(lambda s=sentinel: s.knows(replicas, count - 1), f"{sentinel.name} knows the others",
                       patience=60)
        return sentinels

    def sandbox(self, *arguments):
        return self.add(Sandbox(self.directory, *arguments))

    def service(self, sandbox=None, **settings):
        return self.add(Service(self.directory, sandbox, **settings))

    def close(self):
        for process in reversed(self.processes):
            with contextlib.suppress(ProcessLookupError):
                if process.is_running():
                    process.send(signal.SIGCONT)
            process.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def report(self):
        return "".join(f"\n--- {p.name} ---\n{p.text()[-6000:]}" for p in self.processes)
