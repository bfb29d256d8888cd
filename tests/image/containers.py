# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Containers on a network of their own, named after what they are, with the ports of the service published on 127.0.0.1."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from stand import call, eventually

IMAGES = os.environ.get("SEEK_SIGNAL_IMAGES", "seek-signal-test")
SERVICE, EMBEDDED, SANDBOX = (f"{IMAGES}/{name}" for name in ("service", "embedded", "sandbox"))
USER = 65532

# What every container here lives with; the images promise to.
CONFINED = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"]


def docker(*arguments, check=True, timeout=300):
    done = subprocess.run(["docker", *map(str, arguments)], capture_output=True, text=True, timeout=timeout)
    assert not check or done.returncode == 0, f"docker {' '.join(map(str, arguments))}: {done.stdout}{done.stderr}"
    return done.stdout.strip() if check else done


def inspect(kind, name):
    return json.loads(docker(kind, "inspect", name))[0]


class Container:
    def __init__(self, name):
        self.name = name

    @property
    def state(self):
        return inspect("container", self.name)["State"]

    def address(self, port):
        """Where the container's port is published."""
        return docker("port", self.name, port).splitlines()[0]

    def call(self, method, path, body=None, port=8787, **options):
        return call(self.address(port), method, path, body, **options)

    def execute(self, *arguments, **options):
        return docker("exec", self.name, *arguments, **options)

    def text(self):
        done = docker("logs", self.name, check=False)
        return done.stdout + done.stderr

    def logs(self, event):
        lines = []
        for line in self.text().splitlines():
            if line.startswith("{"):
                lines.append(json.loads(line))
        return [line for line in lines if line.get("event") == event]

    def must_be_ready(self, port=8788):
        def ready():
            assert self.state["Running"], self.text()
            try:
                return self.call("GET", "/readyz", port=port).status == 200
            except (ConnectionError, TimeoutError):
                return False
        eventually(ready, f"{self.name} is ready", 180)
        return self

    def must_stop(self, status=0):
        docker("stop", "--time", "30", self.name)
        state = self.state
        assert state["ExitCode"] == status and not state["OOMKilled"], f"{state}\n{self.text()}"

    def remove(self):
        docker("rm", "--force", "--volumes", self.name, check=False)


class Containers:
    """All containers, the network, the volumes and the files of one test."""

    def __init__(self):
        self.network = f"seek-signal-test-{os.getpid()}"
        docker("network", "create", self.network)
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="seek-signal-image-"))
        self.directory.chmod(0o755)
        self.all, self.volumes = [], []

    def run(self, name, image, *command, options=(), settings=None):
        container = Container(f"{self.network}-{name}")
        container.remove()
        self.all.append(container)
        environment = [f"--env=SEEK_SIGNAL_{key.upper()}={value}" for key, value in (settings or {}).items()]
        docker("run", "--detach", "--name", container.name, "--network", self.network, "--network-alias", name,
               *CONFINED, *options, *environment, image, *command)
        return container

    def volume(self, name):
        name = f"{self.network}-{name}"
        docker("volume", "create", name)
        self.volumes.append(name)
        return name

    def file(self, name, text="", owner=USER, mode=0o600):
        """A file for the container's user, to be mounted."""
        path = self.directory / name
        path.write_text(text)
        os.chown(path, owner, owner)
        path.chmod(mode)
        return path

    def sandbox(self, *arguments):
        """With TLS under the name `sandbox`; `sandbox.volume` holds ca.pem."""
        volume = self.volume("sandbox-tls")
        sandbox = self.run("sandbox", SANDBOX, "--listen", "0.0.0.0:8790", "--tls-listen", "0.0.0.0:8443",
                           "--tls-dir", "/var/lib/seek-sandbox", "--tls-name", "sandbox", *arguments,
                           options=["--publish=127.0.0.1::8790", f"--volume={volume}:/var/lib/seek-sandbox"])
        sandbox.volume = volume
        eventually(lambda: "ready " in sandbox.text(), "the sandbox is ready", 180)  # it makes keys, perhaps emulated
        return sandbox

    def service(self, sandbox, image=SERVICE, options=(), **settings):
        settings = {
            "listen": "0.0.0.0:8787", "ops_listen": "0.0.0.0:8788", "api_key": "the-key-of-a-test",
            "client_id": "client", "client_secret": "secret", "ca_file": "/sandbox-tls/ca.pem",
            "graphql_url": "https://sandbox:8443/graphql", "token_url": "https://sandbox:8443/oauth/token",
            "retry_max_ms": "1000",
        } | settings
        return self.run("service", image, settings=settings, options=[
            f"--volume={sandbox.volume}:/sandbox-tls:ro", "--publish=127.0.0.1::8787", "--publish=127.0.0.1::8788",
            *options])

    def report(self):
        return "".join(f"\n--- {container.name} ---\n{container.text()[-6000:]}" for container in self.all)

    def close(self):
        for container in reversed(self.all):
            container.remove()
        for volume in self.volumes:
            docker("volume", "rm", "--force", volume, check=False)
        docker("network", "rm", self.network, check=False)
        shutil.rmtree(self.directory, ignore_errors=True)


KEY = {"Authorization": "Bearer the-key-of-a-test"}


def must_post(service, application_id, token="seek-token-1"):
    answer = service.call("POST", "/v1/events", {"applicationId": application_id, "token": token}, headers=KEY)
    assert answer.status == 202, answer
    return answer.json


def must_become(service, application_id, state):
    def reached():
        answer = service.call("GET", f"/v1/applications/{application_id}", headers=KEY)
        return answer.status == 200 and answer.json["state"] == state and answer.json
    return eventually(reached, f"{application_id} becomes {state}", 60)


def delivered(sandbox):
    """What SEEK has taken."""
    calls = sandbox.call("GET", "/sandbox/ledger?limit=1000", port=8790).json["calls"]
    return [c["seekToken"] for c in calls if c["kind"] == "graphql" and c["outcome"] == "delivered"]
