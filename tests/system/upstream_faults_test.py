# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""What can happen between here and SEEK: said once, harmless to the intake, and over without a restart."""
import pathlib
import re
import subprocess
import time

import pytest

from stand import ROOT, TOKEN, Process, event, eventually, free_port
from tls_front import DAY, TlsFront

SEEN_WITHIN = 2.0  # seconds until a probe of the circuit breaker, or of the issuer, finds SEEK back
SLACK = 20.0       # for a busy machine with sanitizers


def urls(address, **settings):
    return dict(graphql_url=f"https://{address}/graphql", token_url=f"https://{address}/oauth/token") | settings


@pytest.fixture
def front(stand, sandbox):
    front = TlsFront(stand.directory, sandbox.address)
    yield front
    front.close()


def seconds_until(condition, what):
    began = time.monotonic()
    eventually(condition, what)
    return time.monotonic() - began


# --- the issuer of access tokens ---------------------------------------------------------------------


def it_is_not_held_up_by_an_issuer_that_hangs(stand, redis, sandbox):
    sandbox.fault(on="token", kind="hang", count=0)
    service = stand.service(sandbox, redis_url=redis.url, request_timeout_ms=500).start()
    service.must_post(event("A-1"))
    status = eventually(lambda: (s := service.get("/v1/status").json)["accessToken"]["lastError"] and s, "it says why")
    assert "timed out" in status["accessToken"]["lastError"] and not status["accessToken"]["valid"]
    eventually(lambda: service.metric("seek_signal_access_token_failing_seconds") > 0, "the metric shows it")
    assert service.get("/readyz").status == service.get("/livez").status == 200
    sandbox.clear_faults()
    assert service.must_become("A-1", "delivered")["attempts"] == 1
    [line] = service.must_log("access_token_failed")
    assert line["level"] == "error"
    service.must_log("access_token_recovered")
    service.must_stop()


def it_stops_at_once_while_the_issuer_hangs(stand, redis, sandbox):
    sandbox.fault(on="token", kind="hang", count=0)
    service = stand.service(sandbox, redis_url=redis.url, request_timeout_ms=60000, shutdown_timeout_s=60).start()
    service.must_post(event("A-1"))
    eventually(lambda: sandbox.calls("token"), "it asks for an access token")
    began = time.monotonic()
    service.must_stop()
    assert time.monotonic() - began < 40, "nothing is on its way to SEEK that could be waited for"
    assert "attempts" not in redis.application("A-1"), "no attempt was spent"


def it_renews_once_for_all_whose_access_token_ended_on_their_way(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, retry_base_ms=60000, retry_max_ms=60000).start()
    service.must_post(event("warm", "up"))
    service.must_become("warm", "delivered")
    sandbox.fault(on="graphql", kind="unauthenticated", latencyMs=700, count=20)
    service.must_post([event(f"A-{n}", f"token-{n}") for n in range(20)])
    eventually(lambda: service.get("/v1/status").json["sending"]["inFlight"] == 20, "all are on their way")
    for n in range(20):
        assert service.must_become(f"A-{n}", "delivered")["attempts"] == 2, "repeated at once, not after a pause"
    assert len(sandbox.calls("token")) == 2
    service.must_stop()


# --- the network -------------------------------------------------------------------------------------


def it_repeats_with_the_same_timestamp_what_seek_took_before_a_reset(service, sandbox):
    sandbox.fault(on="graphql", kind="reset-after", count=1)
    service.must_post(event("A-1"))
    assert service.must_become("A-1", "delivered")["attempts"] == 2
    first, second = sandbox.must_receive(TOKEN, 2)
    assert first["timestamp"] == second["timestamp"] and first["requestId"] != second["requestId"]


def it_goes_on_when_a_name_resolves_again(stand, redis):
    port, hosts, resolver = free_port(), pathlib.Path(stand.directory, "hosts"), pathlib.Path(stand.directory, "resolv.conf")
    hosts.write_text("127.0.0.1 localhost\n")
    resolver.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")  # where nobody answers
    own_names = ["unshare", "--map-root-user", "--mount", "sh", "-c",
                 f'mount --bind {hosts} /etc/hosts && mount --bind {resolver} /etc/resolv.conf && exec "$@"', "sh"]
    if subprocess.run([*own_names, "true"], capture_output=True).returncode != 0:
        pytest.skip("this machine does not let a test put another file over /etc/hosts")
    sandbox = stand.sandbox("--tls-listen", f"127.0.0.1:{port}", "--tls-dir", f"{stand.directory}/tls", "--tls-name", "seek.test")
    service = stand.service(**urls(f"seek.test:{port}", redis_url=redis.url, ca_file=sandbox.ready["ca"]))
    service.spawn = lambda arguments, environment: Process.spawn(service, [*own_names, *arguments], environment)
    service.start()
    service.must_post(event("A-1"))
    [line] = service.must_log("access_token_failed")
    assert "resolve host" in line["detail"] and "seek.test" in line["detail"], line
    assert "attempts" not in redis.application("A-1")
    hosts.write_text("127.0.0.1 localhost seek.test\n")
    assert service.must_become("A-1", "delivered")["attempts"] == 1
    service.must_log("access_token_failed")
    service.must_log("access_token_recovered")
    service.must_stop()


# --- certificates ------------------------------------------------------------------------------------

WRONG = {
    "expired": (dict(begins=-2 * DAY, ends=-DAY), "expired"),
    "not-yet-valid": (dict(begins=DAY, ends=2 * DAY), "not yet valid"),
    "another-name": (dict(name="DNS:else.example"), "name"),
}


@pytest.mark.parametrize("case", WRONG)
def it_goes_on_once_the_certificate_is_renewed(case, stand, redis, sandbox, front):
    certificate, word = WRONG[case]
    front.issue(**certificate)
    service = stand.service(**urls(front.address, redis_url=redis.url, ca_file=front.ca)).start()
    service.must_post(event("A-1"))
    eventually(lambda: (service.metric("seek_signal_access_token_failing_seconds") or 0) > 1, "the metric grows")
    [line] = service.must_log("access_token_failed")
    assert line["level"] == "error" and word in line["detail"], line
    assert not sandbox.calls(), "not even the client secret was sent"
    front.issue()
    took = seconds_until(lambda: service.application("A-1")["state"] == "delivered", "delivered")
    assert took < SEEN_WITHIN + SLACK
    assert service.application("A-1")["attempts"] == 1
    service.must_log("access_token_failed")
    service.must_log("access_token_recovered")
    service.must_stop()


def it_goes_on_once_the_certificate_of_graphql_alone_is_renewed(stand, redis, sandbox, front):
    front.issue(**WRONG["expired"][0])
    service = stand.service(sandbox, redis_url=redis.url, ca_file=front.ca, graphql_url=f"https://{front.address}/graphql").start()
    service.must_post([event(f"A-{n}", f"token-{n}") for n in range(20)])
    eventually(lambda: service.metric("seek_signal_breaker_state") == 1, "the breaker opens")
    status = service.get("/v1/status").json
    assert status["sending"]["lastError"].startswith("TLS: ") and "expired" in status["sending"]["lastError"]
    front.issue()
    for n in range(20):
        service.must_become(f"A-{n}", "delivered")
    service.must_log("breaker_closed")
    assert [line["event"] for line in service.logs() if line["event"].startswith("breaker_")] == ["breaker_opened", "breaker_closed"]
    service.must_stop()


# --- outages -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("count, outage", [(3, 25), (100, 8)])
def it_delivers_all_soon_after_an_outage_with_the_usual_pauses(count, outage, stand, redis, sandbox):
    """An hour of this is in tests/unit/outage_test.c, with a clock of its own."""
    service = stand.service(sandbox, redis_url=redis.url, retry_base_ms=None, retry_max_ms=None).start()
    service.must_post(event("warm", "up"))
    service.must_become("warm", "delivered")
    sandbox.kill()
    began = time.monotonic()
    for n in range(count):
        service.must_post(event(f"A-{n}", f"token-{n}"))
    eventually(lambda: time.monotonic() - began > outage, "the outage is over", patience=outage + 5)
    attempts = sum(service.metric(f'seek_signal_attempts_total{{class="{name}"}}') for name in ("delivered", "transient")) - 1
    assert attempts <= 64 + outage / 0.5, "what was on its way at first, and probes"
    sandbox.start()
    took = seconds_until(lambda: service.metric("seek_signal_delivered_total") == count + 1, "all are delivered")
    print(f"{count} signals: {attempts:.0f} attempts in {outage} s, all delivered {took:.1f} s after SEEK's return")
    assert took < SEEN_WITHIN + SLACK
    service.must_stop()


def it_tells_a_lost_connection_in_the_words_of_troubleshooting(stand, redis, sandbox):
    """Each transport failure begins with ours, which the document explains; libcurl's follow."""
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| `([^`…]+)` \|", (ROOT / "docs" / "troubleshooting.md").read_text(), re.M)[::-1])
    for code, url in (("NO_CONNECTION", "http://127.0.0.1:1/graphql"), ("DNS", "https://no-such-host.invalid/graphql")):
        service = stand.service(sandbox, redis_url=redis.url, graphql_url=url, redis_prefix=code).start()
        service.must_post(event("A-1"))
        error = eventually(lambda service=service: service.application("A-1").get("lastError"), "the attempt fails")
        assert error["code"] == code and error["message"].startswith(rows[code] + ": "), error
        retry = eventually(lambda service=service: service.logs("signal_retry"), "it is logged")[0]
        assert "http_status" not in retry, "nobody answered"
        service.must_stop()
