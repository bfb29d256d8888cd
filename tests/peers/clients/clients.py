#!/usr/bin/python3
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""HTTP clients of several languages against the service. Each posts events, in the way that docs/clients.md shows, while
the service is stopped, killed and started again: every event must be there in the end. Before that each makes posts in its
default way to a server that cuts the connection, and is seen to be what docs/clients.md says. A client that is not
installed is skipped, and named.

usage: clients.py BUILD [CLIENT...]"""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
DOCUMENT = ROOT / "docs/clients.md"
COMPILED = ROOT / "build/peers/clients"
EVENTS = 40
NODE = [["node", COMPILED / "node_clients.mjs", name] for name in ("fetch", "undici", "axios", "got", "ky", "superagent")]
PYTHON = [["/usr/bin/python3", "python_clients.py", name] for name in ("requests", "httpx", "aiohttp")]
PERL = [["perl", "perl_clients.pl", name] for name in ("HTTP::Tiny", "LWP::UserAgent", "Mojo::UserAgent")]
PHP = [["php", "php_clients.php", name] for name in ("curl", "streams", "guzzle")]
# A command, a script and the client's name, by which docs/clients.md knows it.
CLIENTS = PYTHON + NODE + PERL + PHP + [
    ["ruby", "ruby_clients.rb", "net-http"], ["ruby", "ruby_clients.rb", "faraday"], ["java", "JavaClient.java", "HttpClient"],
    ["mono", COMPILED / "mono_client.exe", "Mono"], ["env", COMPILED / "go_client", "net/http"], ["escript", "erlang_client.escript", "httpc"],
    ["tclsh", "tcl_client.tcl", "http"], ["Rscript", "r_client.R", "httr"]]
PREFIX = {"HttpClient": "java", "Mono": "mono", "net/http": "go", "http": "tcl"}  # of the application ids, where it is not the client's name
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def compile_all():
    """What has to be compiled, where its compiler is; Node's packages are there already."""
    COMPILED.mkdir(parents=True, exist_ok=True)
    for script in ("node_clients.mjs", "node_helpers.mjs"):
        shutil.copy(HERE / script, COMPILED)
    if shutil.which("mcs"):
        subprocess.run(["mcs", f"-out:{COMPILED}/mono_client.exe", "-r:System.Net.Http.dll", HERE / "mono_client.cs"], check=True)
    if shutil.which("go"):
        subprocess.run(["go", "build", "-o", COMPILED / "go_client", HERE / "go_client.go"], check=True,
                       env=os.environ | {"GO111MODULE": "off", "GOCACHE": str(COMPILED / "cache")})


def command(client, *arguments):
    return [client[0], HERE / client[1], client[2], *arguments]


def run(client, *arguments, timeout=180):
    return subprocess.run(command(client, *arguments), cwd=HERE, timeout=timeout, check=False, capture_output=True, text=True)


def wait_until(what, is_so, seconds=60):
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            raise SystemExit(f"gave up waiting for {what}")
        time.sleep(0.05)


class CuttingServer:
    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, HERE / "cutting_server.py"], stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{self.process.stdout.readline().strip()}"
        return self

    def __exit__(self, *ignored):
        self.process.kill()
        self.process.wait()

    def posts(self):
        """Ends the server."""
        self.process.kill()
        return self.process.stdout.read().count("post")


def observe(client, path):
    """How many requests two posts made, of which the answered ones count too, and how the client told it."""
    with CuttingServer() as server:
        told = run(client, "once", server.url + path)
        return server.posts(), (told.stdout.strip().splitlines() or ["nothing"])[0]


def observe_helper(helper, path):
    """How many posts it made of one, and what came of it."""
    with CuttingServer() as server:
        told = run(["node", COMPILED / "node_helpers.mjs", helper], "default", server.url + path, timeout=60)
        return server.posts(), (told.stdout.strip().splitlines() or [told.stderr.strip()[-200:]])[0]


def url_of(text):
    return json.loads(DIRECT.open(text, timeout=10).read())


class Service:
    def __init__(self, build, work):
        self.build, self.work = build, work
        sandbox_log = open(work / "sandbox.log", "w", encoding="utf-8")
        self.sandbox = subprocess.Popen([build / "service/sandbox/seek-sandbox", "--listen", "127.0.0.1:0", "--quiet"],
                                        stdout=subprocess.PIPE, stderr=sandbox_log, text=True)
        seek = "http://" + re.search(r"http=(\S+)", self.sandbox.stdout.readline())[1]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.environment = os.environ | {
            "SEEK_SIGNAL_LISTEN": f"127.0.0.1:{self.port}", "SEEK_SIGNAL_OPS_LISTEN": "127.0.0.1:0",
            "SEEK_SIGNAL_DATA_DIR": str(work / "data"), "SEEK_SIGNAL_GRAPHQL_URL": seek + "/graphql",
            "SEEK_SIGNAL_TOKEN_URL": seek + "/oauth/token", "SEEK_SIGNAL_CLIENT_ID": "peers", "SEEK_SIGNAL_CLIENT_SECRET": "any"}
        self.log = open(work / "service.log", "a", encoding="utf-8")
        self.process = None

    def start(self):
        self.process = subprocess.Popen([self.build / "service/seek-signal", "serve"], env=self.environment, stderr=self.log)

    def end(self, how):
        self.process.send_signal(how)
        self.process.wait(timeout=60)

    def close(self):
        self.end(signal.SIGTERM)
        self.sandbox.terminate()
        self.sandbox.wait()

    def is_there(self, application_id):
        try:
            return "state" in url_of(f"http://127.0.0.1:{self.port}/v1/applications/{application_id}")
        except OSError:
            return False

    def count(self, prefix):
        return sum(self.is_there(f"{prefix}-{n}") for n in range(EVENTS))


def send(service, client):
    """Whether all events arrived although the service went away in two ways."""
    prefix = PREFIX.get(client[2], client[2])
    sender = subprocess.Popen(command(client, "send", f"http://127.0.0.1:{service.port}/v1/events", str(EVENTS)), cwd=HERE, stderr=subprocess.PIPE, text=True)
    for how, reached in ((signal.SIGTERM, 5), (signal.SIGKILL, 20)):
        wait_until(f"event {reached} of {client[2]}",
                   lambda number=reached: sender.poll() is not None or service.is_there(f"{prefix}-{number}"))
        service.end(how)
        service.start()
    _, errors = sender.communicate(timeout=180)
    return sender.returncode == 0 and service.count(prefix) == EVENTS, errors.strip()[-300:]


def documented():
    """The rows of docs/clients.md: client -> posts of a cut one, posts of a cut second one."""
    rows = re.findall(r"^\| `([^`]+)`.* (\d+) \| (\d+) \|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: (int(first), int(second)) for name, first, second in rows}


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    rows, failures, skipped = documented(), [], []
    compile_all()
    with tempfile.TemporaryDirectory(prefix="seek-signal-clients.") as folder:
        service = Service(build, pathlib.Path(folder))
        service.start()
        for client in CLIENTS:
            if sys.argv[2:] and client[2] not in sys.argv[2:]:
                continue
            try:
                version = run(client, "version")
            except FileNotFoundError:
                version = None
            if version is None or version.returncode != 0:
                skipped.append(client[2])
                continue
            cut, told = observe(client, "/first")
            second, _ = observe(client, "/second")
            is_right, errors = send(service, client)
            print(f"{'ok  ' if is_right else 'FAIL'} {version.stdout.strip()}: {cut} post(s) for a cut one ({told}), {second} for two of "
                  f"which the second is cut {errors}", flush=True)
            if not is_right:
                failures.append(client[2])
            if rows.get(client[2]) != (cut, second):
                failures.append(client[2])
                print(f"     docs/clients.md says {rows.get(client[2])}", flush=True)
        service.close()
    print(f"{len(CLIENTS) - len(skipped)} clients, {len(failures)} failures; not installed: {', '.join(skipped) or 'none'}")
    sys.exit(1 if failures or len(skipped) == len(CLIENTS) else 0)


if __name__ == "__main__":
    main()
