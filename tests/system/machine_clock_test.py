# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""A wall clock that is set, of the service or of Redis. Pauses, leases and lives go on as they were; only what is shown follows."""
import datetime
import re
import signal

import pytest

from machine import Clock
from stand import event, eventually

HOUR_S, MONTH_S = 3600, 30 * 86400
STEPS = pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S, MONTH_S, -MONTH_S])
AHEAD = pytest.mark.parametrize("step_s", [HOUR_S, MONTH_S])


@pytest.fixture
def clock(stand):
    return Clock(stand.directory)


@pytest.fixture
def redis_of_clock(redis, clock):
    redis.kill()
    clock.govern(redis)
    redis.start()
    return redis


def start(stand, sandbox, redis, clock=None, **settings):
    service = stand.service(sandbox, redis_url=redis.url, **settings)
    if clock is not None:
        clock.govern(service)
    return service.start()


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def it_notes_in_check_that_the_clock_of_redis_differs(stand, redis_of_clock, sandbox, clock):
    clock.step(HOUR_S)
    done = stand.service(sandbox, redis_url=redis_of_clock.url).run("check")
    assert done.returncode == 0 and re.search(r"^note  clock +the clock of Redis is 3[56]\d\d s ahead of the clock of this machine: ", done.stdout, re.M), done


# --- of the service ---

@STEPS
def it_goes_on_when_its_clock_is_set(step_s, stand, redis, sandbox, clock):
    service = start(stand, sandbox, redis, clock)
    service.must_post(event("A-1", "t-1"))
    sandbox.must_receive("t-1")
    sandbox.fault(on="graphql", kind="status", status=503, retryAfter=1, count=1)
    service.must_post(event("A-retried", "t-retried"))
    eventually(lambda: service.application("A-retried").get("lastError"), "it waits to be sent again")
    sandbox.fault(on="graphql", kind="slow", latencyMs=500, count=1)
    service.must_post(event("A-out", "t-out"))
    eventually(lambda: service.application("A-out")["state"] == "sending", "one is on its way")

    clock.step(step_s)
    assert service.get("/livez").status == 200 and service.get("/readyz").status == 200
    service.must_post(event("A-2", "t-2"))
    for name in ("retried", "out", "2"):
        service.must_become(f"A-{name}", "delivered")
        sandbox.must_receive(f"t-{name}")
    first, again = [call for call in sandbox.calls("graphql") if call.get("seekToken") == "t-retried"]
    assert again["monotonicUs"] - first["monotonicUs"] >= 1_000_000, "its pause is as long as SEEK asked"
    assert len(sandbox.calls("token")) == 1, "the access token lives as long as before"
    sent = sandbox.signals("t-2")[0]["timestamp"]
    assert abs(seconds(sent) + clock.offset_s - clock.now()) < 60, "an event's time is the time of Redis"
    assert abs(seconds(service.logs()[-1]["time"]) - clock.now()) < 60, "the log follows"
    status = service.get("/v1/status").json
    assert 0 <= status["uptimeSeconds"] < 60
    assert 1_700_000 < status["accessToken"]["expiresInMs"] <= 1_800_000
    assert not service.logs("lease_expired") and not service.logs("signal_dead")
    service.must_stop()


@STEPS
def it_waits_at_its_stop_as_long_as_it_should(step_s, stand, redis, sandbox, clock):
    service = start(stand, sandbox, redis, clock)
    sandbox.fault(on="graphql", kind="slow", latencyMs=500, count=1)
    service.must_post(event("A-1", "t-1"))
    eventually(lambda: service.application("A-1")["state"] == "sending", "on its way")
    clock.step(step_s)
    service.must_stop(signal.SIGTERM)
    assert not service.logs("worker_stuck") and service.must_log("stopped")[0]["signals_cut"] == 0
    assert redis.application("A-1")["state"] == "delivered"


def it_spools_in_order_whatever_its_clock_says(stand, redis, sandbox, clock):
    service = start(stand, sandbox, redis, clock, spool_dir=f"{stand.directory}/spool")
    redis.kill()
    eventually(lambda: service.post("/v1/events", event("A-1", "t-1")).json.get("durability") == "spool", "spooled")
    for number, step_s in enumerate((-HOUR_S, MONTH_S, -MONTH_S), 2):
        clock.step(step_s)
        assert service.must_post(event("A-1", f"t-{number}"))["durability"] == "spool"
    service.kill()
    clock.step(-HOUR_S)
    service.start()
    assert service.must_post(event("A-1", "t-last"))["durability"] == "spool"
    redis.start()
    sandbox.must_receive("t-last")
    service.must_become("A-1", "delivered")
    assert redis.application("A-1")["token"] == "t-last"
    service.must_stop()


# --- of Redis ---

@AHEAD
def it_loses_nothing_when_the_clock_of_redis_is_set_ahead(step_s, stand, redis_of_clock, sandbox, clock):
    """What waits is sent early, and what is on its way perhaps twice: its lease is over."""
    redis = redis_of_clock
    service = start(stand, sandbox, redis, retry_base_ms=60000, retry_max_ms=60000)
    assert service.call("PUT", "/v1/applications/A-draft/token", {"token": "t-draft"}).status == 204
    sandbox.fault(on="graphql", kind="status", status=503, count=1)
    service.must_post(event("A-retried", "t-retried"))
    eventually(lambda: service.application("A-retried").get("lastError"), "it waits to be sent again")
    sandbox.fault(on="graphql", kind="slow", latencyMs=500, count=1)
    service.must_post(event("A-out", "t-out"))
    eventually(lambda: service.application("A-out")["state"] == "sending", "one is on its way")

    clock.step(step_s)
    service.must_post(event("A-new", "t-new"))
    service.must_post({"applicationId": "A-draft"})
    for name in ("retried", "out", "new", "draft"):
        service.must_become(f"A-{name}", "delivered")
        assert 1 <= len(sandbox.signals(f"t-{name}")) <= 2
    assert not service.logs("signal_dead")
    service.must_stop()


@pytest.mark.parametrize("step_s", [-HOUR_S, -MONTH_S])
def it_waits_no_longer_when_the_clock_of_redis_is_set_back(step_s, stand, redis_of_clock, sandbox, clock):
    service = start(stand, sandbox, redis_of_clock, retry_base_ms=2000, retry_max_ms=2000)
    sandbox.fault(on="graphql", kind="status", status=503, retryAfter=2, count=1)
    service.must_post(event("A-retried", "t-retried"))
    eventually(lambda: service.application("A-retried").get("lastError"), "it waits to be sent again")
    sandbox.fault(on="graphql", kind="slow", latencyMs=2000, count=1)
    service.must_post(event("A-out", "t-out"))
    eventually(lambda: service.application("A-out")["state"] == "sending", "one is on its way")

    clock.step(step_s)
    service.must_post(event("A-new", "t-new"))
    for name in ("retried", "out", "new"):
        service.must_become(f"A-{name}", "delivered", patience=60)
    assert len(sandbox.signals("t-out")) == 1, "its lease went on"
    eventually(lambda: service.logs("redis_clock_set_back"), "it is told")
    service.must_stop()
