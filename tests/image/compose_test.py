# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""docker/compose.yaml, run. Images from a registry that are not here are stood in for by Debian's packages of the same
programs; Grafana, which Debian does not have, is left out then."""
import contextlib
import json
import re
import shutil
import subprocess

import pytest
import yaml

from containers import docker, inspect
from stand import ROOT, call, eventually

FILE = ROOT / "docker" / "compose.yaml"
STAND_IN = "seek-signal-test/stand-in"
# Service → the directory of its volume and its user, entry point.
STAND_INS = {"redis": ("/data", 999, "[]"), "prometheus": ("/prometheus", 65534, '["/usr/bin/prometheus"]')}


def compose_program():
    done = subprocess.run(["docker", "compose", "version"], capture_output=True, timeout=60)
    if done.returncode == 0:
        return ["docker", "compose"]
    return [shutil.which("docker-compose") or pytest.skip("there is no docker compose")]


def compose(*arguments):
    done = subprocess.run([*compose_program(), "-f", FILE, "-p", "seek-signal-test", *arguments],
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def is_here(image):
    return docker("image", "inspect", image, check=False).returncode == 0


@contextlib.contextmanager
def stand_ins(services):
    made = []
    for name, (directory, user, entrypoint) in STAND_INS.items():
        image = services[name]["image"]
        if is_here(image):
            continue
        container = docker("create", STAND_IN, "sh", "-c", f"mkdir -p {directory} && chown {user} {directory}")
        docker("start", "--attach", container)
        docker("commit", f"--change=USER {user}", f"--change=ENTRYPOINT {entrypoint}", container, image)
        docker("rm", container)
        made.append(image)
    try:
        yield
    finally:
        for image in made:
            docker("rmi", "--force", image)


@pytest.fixture(scope="module")
def services():
    subprocess.run([ROOT / "docker" / "make-secrets"], check=True, timeout=60)
    services = yaml.safe_load(FILE.read_text())["services"]
    wanted = [name for name in services if name in STAND_INS or "build" in services[name] or is_here(services[name]["image"])]
    with stand_ins(services):
        try:
            compose("up", "--detach", "--no-build", *wanted)
            yield wanted
        finally:
            for name in wanted:
                print(f"--- {name}\n" + compose("logs", "--no-color", name)[-3000:])
            compose("down", "--volumes", "--timeout", "30")


def container_of(service):
    return compose("ps", "--quiet", service).strip()


def the_curl_of_the_guide():
    """The command in the head of the file, as somebody would paste it."""
    lines = [line.removeprefix("#") for line in FILE.read_text().splitlines() if line.startswith("#")]
    return re.search(r"^ +(curl .*?[^\\])$", "\n".join(lines), re.M | re.S)[1]


def it_takes_an_event_by_one_curl_and_delivers_it(services):
    def answered():
        done = subprocess.run(["bash", "-c", f". docker/.env\n{the_curl_of_the_guide()} --silent"], capture_output=True, text=True,
                              timeout=60, cwd=ROOT)
        return done.returncode == 0 and json.loads(done.stdout)
    answer = eventually(answered, "the service answers", 90)
    assert answer["applicationId"] == "A-1001" and answer["durability"] == "fsync", answer
    eventually(lambda: b"any-seek-token" in call("127.0.0.1:8790", "GET", "/sandbox/signals").body, "the stand-in has it")


def it_keeps_redis_from_evicting_and_from_losing(services):
    def setting(name):
        return docker("exec", container_of("redis"), "redis-cli", "config", "get", name).split("\n")[1]
    assert setting("maxmemory-policy") == "noeviction"
    assert setting("appendonly") == "yes" and setting("appendfsync") == "always"


def it_is_confined(services):
    for name in ("seek-signal", "redis", "sandbox", "prometheus"):
        host = inspect("container", container_of(name))["HostConfig"]
        assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"], name


def it_is_published_on_this_machine_only(services):
    for name in services:
        for published in inspect("container", container_of(name))["HostConfig"]["PortBindings"].values():
            assert [binding["HostIp"] for binding in published] == ["127.0.0.1"], name


def it_is_healthy_and_stops_cleanly(services):
    container = container_of("seek-signal")
    eventually(lambda: inspect("container", container)["State"]["Health"]["Status"] == "healthy", "healthy", 60)
    compose("stop", "seek-signal")
    assert inspect("container", container)["State"]["ExitCode"] == 0
    compose("start", "seek-signal")
    eventually(lambda: call("127.0.0.1:8788", "GET", "/readyz").status == 200, "back again")


def it_is_scraped_and_watched_by_prometheus(services):
    def query(path):
        answer = call("127.0.0.1:9090", "GET", f"/api/v1/{path}")
        return answer.json["data"] if answer.status == 200 else None

    def target_is_up():
        found = query("targets")
        return found and [t for t in found["activeTargets"] if t["health"] == "up" and ":8788" in t["scrapeUrl"]]
    eventually(target_is_up, "Prometheus scrapes the service", 90)
    assert query("rules")["groups"], "the alert rules are loaded"


def key():
    (secret,) = re.findall(r"^SEEK_SIGNAL_API_KEY=(.+)$", (ROOT / "docker" / ".env").read_text(), re.M)
    return {"Authorization": f"Bearer {secret}"}


def firing():
    return {alert["labels"]["alertname"] for alert in call("127.0.0.1:9090", "GET", "/api/v1/alerts").json["data"]["alerts"]
            if alert["state"] == "firing"}


def operate(*arguments):
    """A command of ours, typed where the service runs: there is no shell, and none is needed."""
    return docker("exec", container_of("seek-signal"), "seek-signal", *arguments)


def it_tells_of_a_dead_letter_until_an_operator_has_replayed_it(services):
    """With the rules as they are: a minute and some."""
    call("127.0.0.1:8790", "POST", "/sandbox/faults", {"kind": "forbidden", "seekTokenContains": "hirer-7"})
    for number in range(3):
        posted = call("127.0.0.1:8787", "POST", "/v1/events", {"applicationId": f"H-{number}", "token": f"hirer-7-{number}"}, key())
        assert posted.status == 202, posted
    eventually(lambda: "SeekSignalDead" in firing(), "the alert fires", 150)
    assert "FORBIDDEN" in operate("dead", "list") and "FORBIDDEN" in operate("dead", "show", "H-1")
    assert operate("dead", "replay", "--code", "FORBIDDEN", "--dry-run") == "3 would be sent again"
    call("127.0.0.1:8790", "DELETE", "/sandbox/faults")
    assert operate("dead", "replay", "--code", "FORBIDDEN").startswith("3 are sent again")
    eventually(lambda: "hirer-7-2" in call("127.0.0.1:8790", "GET", "/sandbox/signals").body.decode(), "they are delivered")
    eventually(lambda: "SeekSignalDead" not in firing(), "the alert ends", 90)
