# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The pictures of the documents: a day with some dead applications."""
import datetime
import math
import time
import uuid

import pytest

from browser import PICTURES
from stand import event, eventually

POINTS = "return document.querySelector('polyline').points.length"
TIMES = "return [...document.querySelectorAll('#list time')].map(one => one.textContent)"

# As long as real ones are: minutes ago, code, class, message, HTTP status.
HIRER = "The access token is valid, but no relationship to the hirer of this job ad is configured for this software"
NO_JSON = "SEEK or a proxy answered HTTP 503 with text/html, not GraphQL"
DEATHS = [(11, "BAD_USER_INPUT", "refused", "/input/token: Is not valid", 200), (26, "FORBIDDEN", "refused", HIRER, 200),
          (47, "FORBIDDEN", "refused", HIRER, 200), (83, "BAD_USER_INPUT", "refused", "/input/token: Is not valid", 200),
          (142, "FORBIDDEN", "refused", HIRER, 200), (191, "HTTP_503", "transient", NO_JSON, 503),
          (197, "HTTP_503", "transient", NO_JSON, 503), (268, "FORBIDDEN", "refused", HIRER, 200)]


def application_id(number):
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"https://ats.example/applications/{number}"))


def before(minutes):
    return datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=minutes, seconds=17 * minutes % 60)


def bury(redis, number, code, kind, message, status):
    """As the scripts would have put it there in the course of the day."""
    minutes, one = DEATHS[number][0], application_id(number)
    died = int(before(minutes).timestamp() * 1000)
    redis.cli("HSET", f"seek-signal:{{0}}:app:{one}", "state", "dead", "token", f"t-{number}", "gen", 1, "event", str(uuid.uuid4())[:-8] + "00000000",
              "accepted", died - 900, "completed", died - 1400, "attempts", 1, "tried", died, "died", died, "class", kind, "code", code,
              "message", message, "http", status)
    redis.cli("ZADD", "seek-signal:{0}:dead", died, one)


def refuse_now(service, sandbox):
    """One more, completed some minutes ago, and not refused at the first attempt."""
    sandbox.fault(kind="status", status=502, count=2)
    sandbox.fault(kind="graphql-error", code="FORBIDDEN", message=HIRER, count=1)
    completed = before(6).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    service.must_post(event(application_id(99), "t-99", completedAt=completed))
    service.must_become(application_id(99), "dead")


def draw(page, name, width, scheme, last_row=None):
    """As high as the page, or to the end of a row: no row is cut."""
    page.look(width, 900, scheme)
    end = "document.documentElement.scrollHeight"
    if last_row:
        end = f"Math.ceil(document.querySelector('#list tr:nth-child({last_row})').getBoundingClientRect().bottom + scrollY)"
    page.look(width, page.run(f"return {end}"), scheme)
    page.picture(name)


def fill_the_day(redis):
    """As an ATS has it whose candidates apply by day, with half an hour in which SEEK failed."""
    present, deaths = int(time.time()) // 600, [before(minutes).timestamp() // 600 for minutes, *_ in DEATHS]
    for ago in range(1, 144):
        hour = (present - ago) * 600 / 3600 % 24
        accepted = int(4 + 90 * max(0, math.sin((hour - 6) / 16 * math.pi)) ** 2 + (ago * 7919) % 13)
        is_outage = 60 <= ago < 63
        delivered = 2 if is_outage else accepted + (accepted // 2 if 54 <= ago < 60 else 0)
        counts = accepted, delivered, accepted if is_outage else ago % 5 // 4, deaths.count(present - ago)
        redis.cli("HSET", "seek-signal:{0}:history", (present - ago) % 144, " ".join(map(str, (present - ago, *counts))))


def it_draws_the_pictures_of_the_documents(page, service, sandbox, redis):
    if not PICTURES:
        pytest.skip("PICTURES is not set")
    fill_the_day(redis)
    for number, (_, *death) in enumerate(DEATHS):
        bury(redis, number, *death)
    refuse_now(service, sandbox)
    eventually(lambda: sum(bucket["dead"] for bucket in service.get("/v1/history").json["buckets"]) == len(DEATHS) + 1, "the day has all of them", 60)
    page.browser.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
    page.open(f"http://{service.address}/")
    page.must_say("#dead", str(len(DEATHS) + 1))
    points = 0
    while points < 25:  # some completed applications a second, as an ATS of middle size has them
        if page.run(POINTS) > points:
            points = page.run(POINTS)
            if points % 9 == 4:
                sandbox.fault(kind="status", status=503, count=1)
            service.must_post([event(f"D-{points}-{i}", f"d-{points}-{i}") for i in range(3 + points * 7 % 11)])
    assert len(set(page.run(TIMES))) == len(DEATHS) + 1
    draw(page, "page-light", 1320, "light")
    draw(page, "page-dark", 1320, "dark")
    draw(page, "page-narrow", 380, "dark", last_row=4)
    page.look(1100)
    page.find("#list a").click()
    page.must_say("#one", "Request id")
    draw(page, "page-application", 1100, "light")
    page.must_have_no_complaint()
