# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""What is watched exists: metrics, alerts, dashboard, log events and the words about them fit the service."""
import re
import signal
import subprocess

import pytest
import yaml

import sources
from stand import ROOT, call, event, eventually
from whole import whole_service

PROMETHEUS = sources.ALERTS.parent


def scrape(service):
    answer = call(service.ops, "GET", "/metrics")
    assert answer.status == 200
    return answer.body.decode()


@pytest.fixture
def page(stand, redis, sandbox, tmp_path):
    """/metrics of a service with everything there is, that has delivered something."""
    service = whole_service(stand, sandbox, redis, tmp_path)
    service.must_post(event("A-1"))
    service.must_become("A-1", "delivered")
    return sources.Exposition(scrape(service))


def promtool(*arguments, text=None):
    done = subprocess.run(["promtool", *arguments], input=text, cwd=PROMETHEUS, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


# --- metrics

def it_exposes_metrics_that_promtool_approves(page):
    promtool("check", "metrics", text=page.text)


def it_has_every_metric_in_the_table_and_nothing_else_there(page):
    documented = {sources.name_of(row[0]): row for row in sources.table("metrics.md")}
    assert set(documented) == set(page.types)
    for name, row in documented.items():
        assert row[1] == page.types[name], name
        assert set(re.findall(r"`([a-z_]+)`", row[3])) == page.labels[name], name


def it_names_the_unit_in_the_metrics_name(page):
    for row in sources.table("metrics.md"):
        name, unit = sources.name_of(row[0]), row[2]
        assert unit not in ("seconds", "bytes") or f"_{unit}" in name, name


def it_tells_what_redis_holds(stand, sandbox, service):
    sandbox.fault(on="graphql", kind="forbidden")
    service.must_post(event("A-1"))
    service.must_become("A-1", "dead")
    call(service.ops, "GET", "/metrics")
    eventually(lambda: "\nseek_signal_dead 1\n" in scrape(service), "the dead one is counted")


def it_says_nan_for_what_nobody_knows(redis, service):
    eventually(lambda: "\nseek_signal_due 0\n" in scrape(service), "the first census")
    assert "\nseek_signal_census_known 1\n" in scrape(service)
    redis.send(signal.SIGKILL)
    for name in ("due", "dead", "oldest_due_age_seconds", "paused"):
        eventually(lambda name=name: f"\nseek_signal_{name} NaN\n" in scrape(service), f"{name} is unknown")
    assert "\nseek_signal_redis_ready 0\n" in scrape(service)
    assert "\nseek_signal_census_known 0\n" in scrape(service), "for who drops NaN, as VictoriaMetrics does"
    redis.kill()
    redis.start()
    eventually(lambda: "\nseek_signal_due 0\n" in scrape(service), "it is known again")


def it_measures_from_the_post_to_the_delivery(service):
    service.must_post(event("A-1"))
    service.must_become("A-1", "delivered")
    text = scrape(service)
    assert "\nseek_signal_delivery_duration_seconds_count 1\n" in text
    assert "\nseek_signal_intake_duration_seconds_count 1\n" in text


def it_shows_the_access_tokens_age(service):
    service.must_post(event("A-1"))
    service.must_become("A-1", "delivered")

    def age():
        return re.search(r"^seek_signal_access_token_age_seconds [0-9.]+$", scrape(service), re.M)
    eventually(age, "the access token has an age")


# --- alerts

def it_has_rules_that_promtool_approves():
    promtool("check", "rules", "alerts.yml")
    promtool("check", "config", "prometheus.yml")


def it_documents_a_job_that_promtool_approves(tmp_path):
    (shown,) = re.findall(r"^```yaml\n(.*?)^```$", (ROOT / "docs" / "alerts.md").read_text(), re.M | re.S)
    package = (ROOT / "cmake" / "package.cmake").read_text()
    assert re.search(r"docker/prometheus .*DESTINATION \$\{documents\}/docker", package), "the rules are where the document says"
    (tmp_path / "prometheus.yml").write_text(shown.replace("/usr/share/doc/seek-signal/docker/prometheus", str(PROMETHEUS)))
    promtool("check", "config", str(tmp_path / "prometheus.yml"))
    job = yaml.safe_load(shown)["scrape_configs"][0]
    assert job["job_name"] == "seek-signal" and job["static_configs"][0]["targets"] == ["127.0.0.1:8788"], "OPS_LISTEN by default"


def it_has_alerts_that_fire_when_they_should_and_only_then():
    promtool("test", "rules", "alerts_test.yml")


def minutes_of(duration):
    return sum(int(number) * {"m": 1, "h": 60, "d": 1440}[unit] for number, unit in re.findall(r"(\d+)([mhd])", duration))


def it_fires_every_alert_once_in_a_test_and_ends_it():
    """The same series make each alert fire, one time, and later let it go. promtool says that the tests are right."""
    fired, ended = set(), set()
    for test in yaml.safe_load((PROMETHEUS / "alerts_test.yml").read_text())["tests"]:
        looks = [(minutes_of(look["eval_time"]), {re.search(r'alertname="(\w+)"', sample["labels"])[1]: sample["value"] for sample in look["exp_samples"]})
                 for look in test["promql_expr_test"] if "ALERTS" in look["expr"]]
        firing = {}
        for _, names in sorted(looks, key=lambda look: look[0]):
            ended |= set(firing) - set(names)
            firing = {name: value for name, value in names.items() if value == 1}
            fired |= set(firing)
    assert [rule["alert"] for rule in sources.alerts() if rule["alert"] not in fired & ended] == []


def it_alerts_on_metrics_that_exist(page):
    for rule in sources.alerts():
        for name in sources.METRIC.findall(rule["expr"]):
            assert name in page.samples, rule["alert"]


def it_has_a_runbook_entry_for_every_alert():
    described = re.findall(r"^## (\w+)$", (sources.DOCUMENTS / "alerts.md").read_text(), re.M)
    assert described == [rule["alert"] for rule in sources.alerts()]
    for rule in sources.alerts():
        assert rule["annotations"]["runbook_url"] == f"docs/alerts.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in ("warning", "critical")


# --- dashboard

def it_draws_metrics_that_exist(page):
    for title, expression in sources.dashboard_expressions():
        names = sources.METRIC.findall(expression)
        assert names, title
        assert set(names) <= page.samples, title


def it_draws_expressions_that_prometheus_can_read(tmp_path):
    """As recording rules, since promtool checks those."""
    rules = [{"record": f"panel:{index}", "expr": expression.replace("$__rate_interval", "1m")}
             for index, (_, expression) in enumerate(sources.dashboard_expressions())
             if not expression.startswith("label_values")]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", "--lint=none", str(path))


def it_draws_every_metric_of_ours(page):
    drawn = " ".join(expression for _, expression in sources.dashboard_expressions())
    # Only for alerts and by hand: how many descriptors there may be, a constant.
    undrawn = {name for name in page.types if name not in drawn} - {"process_max_fds"}
    assert undrawn == set()


# --- words

def it_mentions_only_metrics_that_exist(page):
    known = page.samples | set(page.types)
    for path in sources.ROOT.glob("docs/*.md"):
        for name in re.findall(r"`((?:seek_signal|process)_[a-z_]+)[`{]", path.read_text()):
            assert name in known, path.name


def it_describes_every_log_event_and_no_other():
    documented = {sources.name_of(row[0]) for row in sources.table("logs.md")} - {"time", "level", "event", "message"}
    assert documented - sources.logged_events() == set(), "described, never logged"
    assert sources.logged_events() - documented == set(), "logged, not described"


def it_begins_every_message_of_the_log_with_a_capital():
    """Those that are one text in the source; what another program said stands as it was said."""
    messages = sources.log_messages()
    assert len(messages) > 60
    assert [text for text in messages if text[0].islower()] == []


@pytest.mark.parametrize("durability, more", [("redis", None), ("fsync", "+config|get")])
def it_needs_no_more_of_redis_than_the_documents_allow(stand, redis, sandbox, durability, more):
    words = sources.section("operating.md", "Redis")
    rule = re.search(r"^ACL SETUSER (.*)$", words, re.M).group(1).replace("PASSWORD", "password-1").split()
    if more:
        assert re.search(rf"^- `{re.escape(more)}`,? .*`{durability}`", words, re.M), f"{more} is told as what {durability} needs"
        rule.append(more)
    assert redis.cli("ACL", "SETUSER", *rule) == "OK"
    service = stand.service(sandbox, redis_url=f"redis://seek-signal:password-1@127.0.0.1:{redis.port}",
                            durability=durability).start()
    assert service.must_post(event("A-1"))["durability"] == durability
    service.must_become("A-1", "delivered")
    service.must_stop()
