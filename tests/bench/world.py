# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The processes of the bench: Redis, the upstream, the service and its peers, each started afresh for
each measurement, none pinned to a processor."""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import stand  # the stand of the system tests

HERE = pathlib.Path(__file__).resolve().parent

PROGRAMS = stand.BUILD / "tests" / "bench"
SCRIPTS = stand.ROOT / "service" / "store" / "calls"

# 56 bytes, as a seek-token of SEEK's may have; the runs are what load.c and upstream.c fill in and read.
TOKEN = "bench-t" + "#" * 16 + "-" + "0" * 16 + "@" * 16
ID = "@" * 16
# What accept.lua takes in front of the events: nothing is to be leased.
ACCEPT_HEAD = ("0", "1000", "", "0", "0", "0")
# What it takes behind application id, seek-token and event id: nothing else is known.
ACCEPT_REST = ("",)
EVENT_ID = "@" * 8 + "-0000-4000-8000-" + "0" * 4  # as the service gives it to Redis, without its last zeros


def script(name):
    """The text that the service sends to Redis: what is common, and the script."""
    plain = [f"{name}_plain"] if name in ("accept", "settle") else []
    parts = ["base", *plain, "application", *(["lease"] if name in ("accept", "claim") else []), name]
    return "".join((SCRIPTS / f"{part}.lua").read_text() for part in parts)


def program(name, *arguments):
    """Runs one of the bench's programs to its end and gives what it printed."""
    done = subprocess.run([PROGRAMS / f"bench_{name}", *map(str, arguments)], capture_output=True, text=True, timeout=1200)
    if done.returncode != 0:
        raise RuntimeError(f"bench_{name}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def memory_kib(process):
    """The memory of one process in KiB: resident, private and dirty."""
    rollup = pathlib.Path(f"/proc/{process.child.pid}/smaps_rollup").read_text()
    sizes = {line.split()[0]: int(line.split()[1]) for line in rollup.splitlines()[1:]}
    return sizes["Rss:"], sizes["Private_Dirty:"]


def processor_us(process):
    """Processor time so far of a process and its children, all threads, finer than ticks."""
    children = pathlib.Path(f"/proc/{process.child.pid}/task/{process.child.pid}/children").read_text().split()
    return sum(int((task / "schedstat").read_text().split()[0]) / 1000
               for pid in (process.child.pid, *children) for task in pathlib.Path(f"/proc/{pid}/task").iterdir())


class Peer(stand.Process):
    """A process that answers HTTP on `port`."""

    def __init__(self, name, directory):
        super().__init__(name, directory)
        self.directory = pathlib.Path(directory)
        self.port = stand.free_port()

    def fill_in(self, template, **values):
        text = (HERE / "peers" / template).read_text()
        for name, value in {"PORT": self.port, "DIRECTORY": self.directory, **values}.items():
            text = text.replace(f"@{name}@", str(value))
        path = self.directory / template
        path.write_text(text)
        return path

    def wait_for_port(self):
        def answers():
            assert self.is_running(), f"{self.name} ended:\n{self.text()[-2000:]}"
            with contextlib.suppress(OSError):
                return stand.call(f"127.0.0.1:{self.port}", "GET", "/").status > 0
        stand.eventually(answers, f"{self.name} answers")

    def read_port(self):
        self.port = int(stand.eventually(lambda: self.text().strip(), f"{self.name} tells its port"))


class Upstream(Peer):
    def __init__(self, directory, delay_ms):
        super().__init__(f"upstream-{delay_ms}", directory)
        self.spawn([PROGRAMS / "bench_upstream", delay_ms])
        self.read_port()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def stats(self):
        return stand.call(f"127.0.0.1:{self.port}", "GET", "/stats").json

    def reset(self):
        stand.call(f"127.0.0.1:{self.port}", "POST", "/reset")


class Constant(Peer):
    def __init__(self, directory):
        super().__init__("libmicrohttpd", directory)
        self.spawn([PROGRAMS / "bench_constant"])
        self.read_port()


class Webdis(Peer):
    """Debian's configuration, but for the ports and a connection pool for 64 clients."""

    def __init__(self, directory, redis):
        super().__init__("webdis", directory)
        self.spawn(["webdis", self.fill_in("webdis.json", REDIS_PORT=redis.port)])
        self.wait_for_port()


class Nginx(Peer):
    def __init__(self, directory, redis, sha, out):
        super().__init__("nginx", directory)
        self.fill_in("intake.lua", REDIS_PORT=redis.port, SHA=sha, HEAD=json.dumps(ACCEPT_HEAD)[1:-1], REST=json.dumps(ACCEPT_REST)[1:-1])
        config = self.fill_in("nginx.conf", PEERS=self.directory, LUA_PATH=f"{out}/lua/usr/share/lua/5.1/?.lua")
        self.spawn(["nginx", "-p", self.directory, "-c", config])
        self.wait_for_port()

    def kill(self):
        if self.is_running():
            self.child.terminate()  # the master takes its workers along
            self.child.wait()


class Node(Peer):
    """`file`: intake.js or forward.js."""

    def __init__(self, directory, redis, file, out, **environment):
        super().__init__("node-" + file, directory)
        self.script = pathlib.Path(out) / "node" / file
        self.environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "PORT": str(self.port), "NODE_ENV": "production",
                            "REDIS_PORT": str(redis.port), **environment}
        shutil.copy(HERE / "peers" / "node" / file, self.script)

    def start(self, *arguments):
        self.spawn(["node", self.script, *arguments], self.environment)
        stand.eventually(lambda: "ready" in self.text(), f"{self.name} is ready")
        return self

    def run(self, *arguments):
        subprocess.run(["node", self.script, *map(str, arguments)], env=self.environment, check=True, timeout=600)

    @staticmethod
    def is_there(out):
        return (pathlib.Path(out) / "node" / "node_modules").is_dir() and shutil.which("node") is not None


class World:
    """Everything that one measurement starts; ended and removed afterwards."""

    def __init__(self, out, appendfsync="always"):
        self.out = out
        self.appendfsync = appendfsync
        self.directory = tempfile.mkdtemp(prefix="seek-signal-bench-")
        os.chmod(self.directory, 0o755)  # nginx drops privileges
        self.processes = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def add(self, process):
        self.processes.append(process)
        return process

    def redis(self, name="redis"):
        """What the service starts for itself. No rewriting of the file: it would fall into some rounds and not into others."""
        return self.add(stand.Redis(self.directory, "--appendfsync", self.appendfsync, "--maxmemory-policy", "noeviction",
                                    "--auto-aof-rewrite-percentage", "0", name=name))

    def upstream(self, delay_ms=0):
        return self.add(Upstream(self.directory, delay_ms))

    def service(self, redis, upstream, name="service", **settings):
        """With the defaults that a user has; its log goes to a file, as a container runtime's would."""
        service = stand.Service(self.directory, name=name, redis_url=redis.url, graphql_url=f"{upstream.url}/graphql",
                                token_url=f"{upstream.url}/oauth/token", retry_base_ms=None, retry_max_ms=None, **settings)
        self.add(service).start()
        service.port = int(service.address.rsplit(":", 1)[1])
        return service

    def paused_service(self, redis, upstream, **settings):
        """Takes events and sends nothing: what its intake peers do."""
        service = self.service(redis, upstream, **settings)
        assert service.call("POST", "/v1/pause", {}).status // 100 == 2
        return service

    def full_service(self, redis, upstream, count, **settings):
        """With so many events that wait: resume lets it send. By its own intake, since another revision has another layout."""
        service = self.paused_service(redis, upstream, **settings)
        events = [json.dumps({"applicationId": f"A-{number:014}", "token": TOKEN}) for number in range(count)]
        for at in range(0, count, 500):
            body = "\n".join(events[at:at + 500])
            answer = stand.call(service.address, "POST", "/v1/events", body, {"Content-Type": "application/x-ndjson"})
            assert answer.status == 202, answer
        return service

    def file(self, name, text):
        path = pathlib.Path(self.directory) / name
        path.write_text(text)
        return path

    def load_script(self, redis, name):
        return redis.cli("SCRIPT", "LOAD", script(name))

    def fill(self, redis, count, per_call=1000, in_flight=2, first_id=1 << 40):
        """Pending applications, by the accept script itself."""
        return program("redis_loop", redis.port, "accept", self.file("accept.lua", script("accept")), count, per_call,
                       in_flight, first_id, *ACCEPT_REST)

    def request(self, name, target, body, content_type="application/json"):
        """The file of one request for load.c."""
        return self.file(name, f"POST {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\n"
                               f"Content-Length: {len(body)}\r\n\r\n{body}")

    def load(self, port, request, expected, seconds, connections=64, rate=0, warm_up=0.5, first_id=1):
        before = {process: processor_us(process) for process in self.processes}
        got = program("load", port, connections, warm_up, seconds, rate, request, expected, first_id)
        if got["failed"] or not got["answered"]:
            raise RuntimeError(f"the load was not answered as expected ({expected}): {got}")
        got["requests"] = (got["next_id"] - first_id) // pathlib.Path(request).read_text().count(ID)
        got["processor_us"] = {p.name: (processor_us(p) - us) / got["requests"] for p, us in before.items()}
        return got
