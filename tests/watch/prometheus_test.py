# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""A real Prometheus that reads the running service: every panel of the dashboard has something to draw, and an outage ends in
an alert and in its end. The rules are ours but for their patience: every `for` is a second."""
import json
import math
import pathlib
import urllib.parse

import pytest
import yaml

import sources
from stand import Process, Stand, call, event, eventually, free_port
from whole import whole_service


class Prometheus(Process):
    def __init__(self, directory, target):
        super().__init__("prometheus", directory)
        self.directory = self.log_path.parent / "prometheus"
        self.directory.mkdir()
        self.address = f"127.0.0.1:{free_port()}"
        rules = yaml.safe_load(sources.ALERTS.read_text())
        for group in rules["groups"]:
            for rule in group["rules"]:
                if "for" in rule:
                    rule["for"] = "1s"
        (self.directory / "alerts.yml").write_text(yaml.safe_dump(rules))
        (self.directory / "prometheus.yml").write_text(yaml.safe_dump({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}, "rule_files": ["alerts.yml"],
            "scrape_configs": [{"job_name": "seek-signal", "static_configs": [{"targets": [target]}]}]}))
        self.spawn(["prometheus", f"--config.file={self.directory}/prometheus.yml", f"--storage.tsdb.path={self.directory}/data",
                    f"--web.listen-address={self.address}", "--log.level=warn"])
        eventually(self.is_scraping, "Prometheus has read the service", 60)

    def ask(self, path):
        answer = call(self.address, "GET", "/api/v1/" + path)
        assert answer.status == 200, answer
        return answer.json["data"]

    def is_scraping(self):
        assert self.is_running(), self.text()
        try:
            return any(target["health"] == "up" for target in self.ask("targets")["activeTargets"])
        except (ConnectionError, AssertionError):
            return False

    def values(self, expression):
        """What an expression gives now, without what is no number."""
        found = self.ask("query?" + urllib.parse.urlencode({"query": expression}))["result"]
        return [float(sample["value"][1]) for sample in found if not math.isnan(float(sample["value"][1]))]

    def firing(self):
        return {alert["labels"]["alertname"] for alert in self.ask("alerts")["alerts"] if alert["state"] == "firing"}


@pytest.fixture(scope="module")
def watched():
    """(service, sandbox, prometheus), the service with everything there is to measure."""
    stand = Stand()
    sandbox = stand.sandbox()
    service = whole_service(stand, sandbox, stand.redis(), pathlib.Path(stand.directory))
    prometheus = stand.add(Prometheus(stand.directory, service.ops))
    yield service, sandbox, prometheus
    service.must_stop()
    stand.close()


def plotted():
    for title, expression in sources.dashboard_expressions():
        # A restart is an annotation: there is none here, and no label to list either.
        if title not in ("job", "instance", "Restarts"):
            yield title, (expression.replace("$__rate_interval", "30s").replace("$job", "seek-signal")
                          .replace("$instance", ".*"))


def it_has_something_to_draw_in_every_panel(watched):
    service, _, prometheus = watched
    posted = 0

    def undrawn():
        nonlocal posted
        posted += 1
        service.must_post(event(f"P-{posted}", f"token-{posted}"))
        left = [(title, expression) for title, expression in plotted() if not prometheus.values(expression)]
        print("nothing to draw:", left)
        return left

    eventually(lambda: not undrawn(), "every panel has data", 60)


def it_lets_a_variable_of_the_dashboard_choose_the_instance(watched):
    service, _, prometheus = watched
    assert prometheus.ask("label/job/values") == ["seek-signal"]
    assert service.ops in prometheus.ask("label/instance/values")


def it_tells_of_an_outage_and_of_its_end(watched):
    service, sandbox, prometheus = watched
    sandbox.fault(kind="status", status=503, count=0)
    for number in range(12):
        service.must_post(event(f"O-{number}", f"outage-{number}"))
    eventually(lambda: "SeekSignalBreakerOpen" in prometheus.firing(), "the alert fires", 60)
    assert service.get("/v1/status").json["sending"]["lastError"].startswith("HTTP_503: ")
    done = service.run("status", listen=service.address)
    assert done.stdout.startswith("SEEK is down, ") and "HTTP_503" in done.stdout, done
    sandbox.clear_faults()
    for number in range(12):
        service.must_become(f"O-{number}", "delivered")
    eventually(lambda: "SeekSignalBreakerOpen" not in prometheus.firing(), "and ends", 60)


def it_tells_of_the_dead_until_they_are_replayed(watched):
    service, sandbox, prometheus = watched
    sandbox.fault(kind="forbidden", seekTokenContains="hirer-7")
    for number in range(3):
        service.must_post(event(f"H-{number}", f"hirer-7-{number}"))
    eventually(lambda: "SeekSignalDead" in prometheus.firing(), "the alert fires", 60)
    command = ["dead", "replay", "--code", "FORBIDDEN", "--json"]
    dry = service.run(*command, "--dry-run", listen=service.address)
    assert json.loads(dry.stdout) == {"matched": 3, "replayed": 0, "dryRun": True}
    sandbox.clear_faults()
    assert json.loads(service.run(*command, listen=service.address).stdout)["replayed"] == 3
    for number in range(3):
        service.must_become(f"H-{number}", "delivered")
    eventually(lambda: "SeekSignalDead" not in prometheus.firing(), "and ends", 60)
    assert service.run("dead", "list", listen=service.address).stderr == "no dead applications\n"
