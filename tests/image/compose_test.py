# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""docker/compose.yaml, run. Grafana, which Debian does not have, is left out where its image is not here."""
import pytest

from composing import Composed, key
from containers import docker, inspect
from stand import call, eventually

COMPOSED = Composed("compose.yaml", "seek-signal-test")
compose, container_of = COMPOSED.compose, COMPOSED.container_of


@pytest.fixture(scope="module")
def services():
    with COMPOSED.up() as wanted:
        yield wanted


def it_takes_an_event_by_one_curl_and_delivers_it(services):
    answer = eventually(COMPOSED.type_the_curl, "the service takes it", 90)
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
