# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""What watches the service: a Prometheus with the shipped alerts over incidents, rsyslog and journald over its log, the
official definitions of OTLP over its spans, the libraries of Standard Webhooks and CloudEvents over its notifications."""
import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import time
import urllib.parse

import pytest
import yaml

from programs import NODE, NodeServer, debian_version, is_listening, node_ready, pinned, program, trixie
from stand import ROOT, SERVICE, Process, Stand, call, event, eventually, free_port

BUSY = 90  # seconds
ALERTS = ROOT / "docker" / "prometheus" / "alerts.yml"
SECONDS = {"s": 1, "m": 60, "h": 3600}


def shorter(rule):
    """A rule whose patience and windows are those of minutes, not of hours; its thresholds stay."""
    def window(found):
        return f"[{max(8, int(found[1]) * SECONDS[found[2]] // 60)}s]"

    def age(found):
        return f"{found[1]} < {max(8, int(found[2]) // 60)}"

    patience = {"for": "1s"} if "for" in rule else {}
    expression = re.sub(r"(process_start_time_seconds(?:{[^}]*})?) < (\d+)", age, rule["expr"])
    return rule | patience | {"expr": re.sub(r"\[(\d+)([smh])\]", window, expression)}


class Prometheus(Process):
    """Debian 12's."""

    def __init__(self, directory, target):
        super().__init__("prometheus", directory)
        self.directory = self.log_path.parent / "prometheus"
        self.directory.mkdir()
        self.address = f"127.0.0.1:{free_port()}"
        rules = yaml.safe_load(ALERTS.read_text())
        for group in rules["groups"]:
            group["rules"] = [shorter(rule) for rule in group["rules"]]
        (self.directory / "alerts.yml").write_text(yaml.safe_dump(rules))
        self.run(target)
        eventually(self.is_scraping, "the service has been read", BUSY)

    def configure(self, target, **more):
        (self.directory / "prometheus.yml").write_text(yaml.safe_dump({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"} | more.pop("to_global", {}),
            "scrape_configs": [{"job_name": "seek-signal", "static_configs": [{"targets": [target]}]}]} | more))

    def command(self):
        return [program("prometheus")]

    def title(self):
        return f"Prometheus {debian_version('prometheus')}"

    def run(self, target):
        self.configure(target, to_global={"evaluation_interval": "1s"}, rule_files=["alerts.yml"])
        self.spawn([*self.command(), f"--config.file={self.directory}/prometheus.yml", f"--storage.tsdb.path={self.directory}/data",
                    f"--web.listen-address={self.address}", "--log.level=warn"])

    def alerts(self):
        return self.ask("alerts")["alerts"]

    def ask(self, path, **parameters):
        answer = call(self.address, "GET", f"/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
        assert answer.status == 200, answer
        return answer.json["data"]

    def is_scraping(self):
        assert self.is_running(), self.text()
        with contextlib.suppress(ConnectionError, AssertionError):
            return any(target["health"] == "up" for target in self.ask("targets")["activeTargets"])
        return False

    def firing(self):
        return {alert["labels"]["alertname"] for alert in self.alerts() if alert["state"] == "firing"}

    def episodes(self, began):
        """By alert, for each of its series: how often it fired since then. A second's gap in what a loaded machine records is none."""
        found = {}
        for series in self.ask("query_range", query='ALERTS{alertstate="firing"}', start=began, end=time.time(), step=1)["result"]:
            times = [at for at, _ in series["values"]]
            gaps = sum(later - earlier > 5 for earlier, later in zip(times, times[1:]))
            found.setdefault(series["metric"]["alertname"], []).append(1 + gaps)
        return found


class Prometheus13(Prometheus):
    """Debian 13's."""

    def command(self):
        return trixie("trixie-prometheus", "prometheus", "prometheus")

    def title(self):
        said = subprocess.run([*self.command(), "--version"], capture_output=True, text=True, check=True)
        return f"Prometheus {re.search(r'version ([0-9.]+)', said.stdout + said.stderr)[1]}"


class VictoriaMetrics(Prometheus):
    """With its vmalert, which evaluates the rules and writes back what fires. NaN is dropped there: what is unknown keeps its last value for a while."""

    def title(self):
        return f"VictoriaMetrics and vmalert {debian_version('victoria-metrics')}"

    def run(self, target):
        self.configure(target)
        self.spawn([program("victoria-metrics"), f"-promscrape.config={self.directory}/prometheus.yml", f"-storageDataPath={self.directory}/data",
                    f"-httpListenAddr={self.address}", "-search.latencyOffset=1s", "-search.disableCache", "-loggerLevel=WARN"])
        self.alerting = Process("vmalert", self.log_path.parent)
        self.alerting_address = f"127.0.0.1:{free_port()}"
        eventually(lambda: is_listening(*self.address.split(":")), "VictoriaMetrics listens", BUSY)
        self.alerting.spawn([program("vmalert"), f"-rule={self.directory}/alerts.yml", f"-datasource.url=http://{self.address}", f"-remoteWrite.url=http://{self.address}",
                             "-notifier.url=http://127.0.0.1:9", "-evaluationInterval=1s", "-remoteWrite.flushInterval=1s", "-datasource.queryStep=5s",
                             f"-httpListenAddr={self.alerting_address}", "-loggerLevel=FATAL"])

    def alerts(self):
        assert self.alerting.is_running(), self.alerting.text()
        answer = call(self.alerting_address, "GET", "/api/v1/alerts")
        assert answer.status == 200, answer
        return [{"labels": {"alertname": alert["name"]} | alert["labels"], "state": alert["state"]} for alert in answer.json["data"]["alerts"] or []]

    def kill(self):
        self.alerting.kill()
        super().kill()


@pytest.fixture(scope="module", params=[Prometheus, pytest.param(Prometheus13, marks=pytest.mark.whole), pytest.param(VictoriaMetrics, marks=pytest.mark.whole)])
def watched(request):
    """(service, sandbox, redis, monitor); the service keeps its addresses when it starts again."""
    stand = Stand()
    sandbox, redis = stand.sandbox(), stand.redis()
    service = stand.service(sandbox, redis_url=redis.url, listen=f"127.0.0.1:{free_port()}", ops_listen=f"127.0.0.1:{free_port()}").start()
    try:
        monitor = stand.add(request.param(stand.directory, service.ops))
        yield service, sandbox, redis, monitor
        service.must_stop()
    finally:
        stand.close()


class Incident:
    """Something that goes wrong, and its end."""

    def __init__(self, service, sandbox, redis):
        self.service, self.sandbox, self.redis = service, sandbox, redis

    def post(self, name, count=12):
        for number in range(count):
            with contextlib.suppress(OSError):
                call(self.service.address, "POST", "/v1/events", event(f"{name}-{number}", f"{name}-token-{number}"))


class SeekDown(Incident):
    what, alerts = "SEEK answers 503 to all", {"SeekSignalBreakerOpen"}

    def begin(self):
        self.sandbox.fault(kind="status", status=503, count=0)
        self.post("down")

    def end(self):
        self.sandbox.clear_faults()


class SchemaChanged(Incident):
    what, alerts = "SEEK does not take the form of the request", {"SeekSignalBreakerOpen", "SeekSignalMisconfigured"}

    def begin(self):
        self.sandbox.fault(kind="graphql-error", code="GRAPHQL_VALIDATION_FAILED", message="no such field", count=0)
        self.post("form")

    def end(self):
        self.sandbox.clear_faults()


class RedisAway(Incident):
    what, alerts = "Redis is away, and the ATS goes on posting", {"SeekSignalRedisUnfit", "SeekSignalNotReady", "SeekSignalIntakeRefusing"}

    def begin(self):
        self.redis.kill()
        self.post("away", 3)

    def keep_up(self):
        self.post("away", 1)

    def end(self):
        self.redis.start()
        eventually(lambda: self.service.get("/readyz").status == 200, "ready again", BUSY)


class Paused(Incident):
    what, alerts = "somebody pauses sending", {"SeekSignalPaused"}

    def begin(self):
        assert self.service.post("/v1/pause", {}).status == 204

    def end(self):
        assert self.service.post("/v1/resume", {}).status == 204


class Dead(Incident):
    what, alerts = "thirty signals are refused", {"SeekSignalDead", "SeekSignalDying"}

    def begin(self):
        self.sandbox.fault(kind="forbidden", seekTokenContains="dead-token")
        self.post("dead", 30)

    def end(self):
        self.sandbox.clear_faults()
        assert self.service.post("/v1/replay", {"state": "dead", "perSecond": 1000}).status == 202


class Braked(Incident):
    what, alerts = "SEEK refuses a hundred signals in a row for the same reason", {"SeekSignalBraked", "SeekSignalPaused", "SeekSignalDead", "SeekSignalDying"}

    def begin(self):
        self.sandbox.fault(kind="forbidden", seekTokenContains="braked-token", count=0)
        self.post("braked", 110)

    def end(self):
        self.sandbox.clear_faults()
        assert self.service.post("/v1/resume", {}).status == 204
        assert self.service.post("/v1/replay", {"state": "dead", "perSecond": 1000}).status == 202


class Tampered(Incident):
    what, alerts = "another program removes a field of an application in Redis", {"SeekSignalDamaged", "SeekSignalDead"}

    def begin(self):
        assert self.service.post("/v1/pause", {}).status == 204
        self.post("tampered", 1)
        assert self.redis.cli("HDEL", "seek-signal:{0}:app:tampered-0", "p") == "1"
        assert self.service.post("/v1/resume", {}).status == 204

    def end(self):
        assert self.service.call("DELETE", "/v1/applications/tampered-0").status == 204


class Crowded(Incident):
    what, alerts = "clients hold as many connections as there may be", {"SeekSignalConnectionsFull"}

    def begin(self):
        self.crowd = [socket.create_connection(self.service.address.split(":")) for _ in range(1100)]

    def keep_up(self):
        """Who came first was closed for who came last: the crowd comes again."""
        self.close()
        self.begin()

    def close(self):
        for connection in self.crowd:
            connection.close()

    end = close


class Killed(Incident):
    what, alerts = "the service is killed", {"SeekSignalDown"}

    def begin(self):
        self.service.kill()

    def end(self):
        self.service.start()


@pytest.mark.parametrize("kind", [SeekDown, pytest.param(SchemaChanged, marks=pytest.mark.whole), RedisAway, Paused,
                                  *(pytest.param(kind, marks=pytest.mark.whole) for kind in (Dead, Braked, Tampered, Crowded)), Killed])
def it_fires_once_and_ends(kind, watched, seen):
    service, sandbox, redis, prometheus = watched
    eventually(lambda: not prometheus.firing(), "nothing fires before", BUSY)
    began = time.time()
    incident = kind(service, sandbox, redis)
    incident.begin()

    def fire():
        getattr(incident, "keep_up", lambda: None)()
        fired.update(prometheus.firing())  # one may end before the other begins
        return kind.alerts <= fired

    fired = set()
    eventually(fire, f"{sorted(kind.alerts)} fire", BUSY)
    incident.end()
    eventually(lambda: not prometheus.firing(), "all of them end", BUSY)
    eventually(lambda: kind.alerts <= set(prometheus.episodes(began)), "what fired is written down", BUSY)
    episodes = prometheus.episodes(began)
    print("fired:", episodes)
    assert all(count == [1] for name, count in episodes.items() if name in kind.alerts), f"once each, for one process: {episodes}"
    seen(prometheus.title(), kind.what, f"{', '.join(f'`{name}`' for name in sorted(kind.alerts))}: fired once for one process, and ended")


# --- the log -------------------------------------------------------------------------------------------------------------


def post_many(service, count=1000):
    for first in range(0, count, 100):
        service.must_post([event(f"A-{n}", f"t-{n}") for n in range(first, first + 100)])
    eventually(lambda: service.metric("seek_signal_delivered_total") == count, "all are delivered", BUSY)


def it_is_read_by_rsyslog(stand, redis, sandbox, seen):
    """imfile reads the file that standard error goes to, mmjsonparse takes each line apart."""
    service = stand.service(sandbox, redis_url=redis.url).start()
    out, bad = pathlib.Path(stand.directory, "parsed"), pathlib.Path(stand.directory, "not-json")
    file = pathlib.Path(stand.directory, "rsyslog.conf")
    file.write_text(f"""
global(workDirectory="{stand.directory}" maxMessageSize="64k")
module(load="imfile" mode="polling" pollingInterval="1")
module(load="mmjsonparse")
input(type="imfile" file="{service.log_path}" tag="seek-signal:")
template(name="event" type="string" string="%$!event%\\n")
template(name="raw" type="string" string="%msg%\\n")
action(type="mmjsonparse" cookie="")
if $parsesuccess == "OK" then action(type="omfile" file="{out}" template="event")
else action(type="omfile" file="{bad}" template="raw")
""")
    rsyslog = stand.add(Process("rsyslog", stand.directory))
    rsyslog.spawn([program("rsyslogd"), "-n", "-f", file, "-i", f"{stand.directory}/rsyslog.pid"])
    post_many(service)
    service.must_stop()
    lines = [line["event"] for line in service.logs()]
    assert len(lines) == len(service.text().splitlines()) > 2000
    eventually(lambda: out.exists() and len(out.read_text().splitlines()) >= len(lines), "rsyslog has read all", BUSY)
    assert out.read_text().splitlines() == lines and not bad.exists()
    seen(f"rsyslog {debian_version('rsyslog')}", "`imfile` and `mmjsonparse`, 1,000 events", "every line is JSON, none is lost, in their order")


def it_is_read_by_journald(stand, redis, sandbox, seen):
    """A journal of its own, in a mount namespace: where that is not allowed the case is skipped."""
    journald = next((p for p in ("/lib/systemd/systemd-journald", "/usr/lib/systemd/systemd-journald") if os.path.exists(p)), None)
    if journald is None:
        pytest.skip("systemd-journald is not installed")
    run = pathlib.Path(stand.directory, "run")
    run.mkdir()
    own_run = ["unshare", "--mount", "sh", "-c", f'mount --bind {run} /run && mkdir -p /run/systemd/journal /run/log/journal && exec "$@"', "sh"]
    if subprocess.run([*own_run, "true"], capture_output=True).returncode != 0:
        pytest.skip("this machine does not let a test put another directory over /run")
    daemon = stand.add(Process("journald", stand.directory))
    daemon.spawn([*own_run, journald])
    stdout = run / "systemd" / "journal" / "stdout"
    try:
        eventually(lambda: stdout.exists() and daemon.is_running(), "journald listens", 20)
    except AssertionError:
        pytest.skip(f"journald does not run here: {daemon.text()[-300:]}")
    service = stand.service(sandbox, redis_url=redis.url, listen=f"127.0.0.1:{free_port()}", ops_listen=f"127.0.0.1:{free_port()}")
    journalled = stand.add(Process("journalled", stand.directory))
    journalled.spawn([*own_run, "systemd-cat", "--identifier=seek-signal", SERVICE, "serve"], service.environment())
    service.address = service.settings["listen"]

    def is_ready():
        assert journalled.is_running(), journalled.text()
        with contextlib.suppress(OSError):
            return service.get("/readyz").status == 200
        return False
    eventually(is_ready, "the service is ready", BUSY)
    post_many(service)
    journalled.must_stop()

    def messages():
        done = subprocess.run([*own_run, "journalctl", "--directory", run / "log" / "journal", "--identifier=seek-signal", "--output=json"],
                              capture_output=True, text=True)
        return [json.loads(json.loads(line)["MESSAGE"]) for line in done.stdout.splitlines()]
    read = eventually(lambda: (m := messages()) and sum(line["event"] == "signal_delivered" for line in m) == 1000 and m, "the journal has all", BUSY)
    assert len({line["application"] for line in read if line["event"] == "signal_delivered"}) == 1000
    seen(f"journald {debian_version('systemd')}", "by `systemd-cat`, 1,000 events", "every line is JSON, none is lost")


# --- spans ---------------------------------------------------------------------------------------------------------------


def it_sends_spans_that_the_official_definitions_know(stand, redis, sandbox, seen):
    from tracing_test import Collector
    node_ready()
    collector = Collector()
    service = stand.service(sandbox, redis_url=redis.url, otel_exporter_otlp_endpoint=collector.url, otel_bsp_schedule_delay="100",
                            otel_resource_attributes="deployment.environment=test").start()
    sandbox.fault(kind="internal", count=1)
    for number in range(20):
        service.must_post(event(f"A-{number}", f"t-{number}"), headers={"traceparent": f"00-{number + 1:032x}-{number + 1:016x}-01"})
    for number in range(20):
        service.must_become(f"A-{number}", "delivered", BUSY)
    service.must_stop()
    assert collector.requests and len(collector.spans()) > 40
    for _, _, body in collector.requests:
        done = subprocess.run(["node", NODE / "otlp.mjs"], input=json.dumps(body), capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and json.loads(done.stdout) == [], done.stdout + done.stderr
    collector.close()
    package = "@opentelemetry/otlp-transformer"
    seen(f"OTLP's definitions in {package} {pinned(package)}", "spans of intake, attempts and access tokens, one of them failed",
         "every member is known to them, and the same after protobuf")


# --- notifications -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "a plain secret of the tests"])
def it_sends_notifications_that_the_libraries_of_their_makers_take(stand, redis, sandbox, seen, secret):
    node_ready()
    receiver = stand.add(NodeServer(stand.directory, "webhooks", "webhooks.mjs", secret))
    service = stand.service(sandbox, redis_url=redis.url, notify_url=receiver.said[0] + "/hook", notify_secret=secret).start()
    sandbox.fault(kind="forbidden", message="„no” hirer", count=1)
    service.must_post(event("Ä-1"), headers={"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"})
    assert service.post("/v1/pause", {}).status == 204

    def told(kind):
        lines = [json.loads(line) for line in receiver.text().splitlines() if line.startswith("{")]
        assert not any("error" in line for line in lines), lines
        return next((line for line in lines if line["type"] == kind), None)
    dead = eventually(lambda: told("application.dead"), "the death is told", BUSY)
    assert (dead["subject"], dead["data"]["lastError"]["message"]) == ("Ä-1", "„no” hirer")
    assert dead["traceparent"].startswith("00-4bf92f3577b34da6a3ce929d0e0e4736-")
    stalled = eventually(lambda: told("sending.stalled"), "the pause is told", BUSY)
    assert stalled["data"]["reason"] == "paused"
    service.must_stop()
    kind = "whsec_" if secret.startswith("whsec_") else "plain"
    seen(f"standardwebhooks {pinned('standardwebhooks')} and cloudevents {pinned('cloudevents')}", f"a death and a pause, {kind} secret",
         "both are verified, read and valid")
