# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The pictures of the documents: a morning with some dead applications."""
import datetime
import math
import time
import uuid

import pytest

from browser import PICTURES
from stand import event

POINTS = "return document.querySelector('polyline').points.length"


# As long as real ones are, and of two kinds.
REFUSALS = [("FORBIDDEN", "The access token is valid, but no relationship to the hirer of this job ad is configured for this software"),
            ("BAD_USER_INPUT", "/input/token: Is not valid"),
            ("FORBIDDEN", "The access token is valid, but no relationship to the hirer of this job ad is configured for this software")]


def application_id(number):
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"https://ats.example/applications/{number}"))


def completed(minutes_ago):
    then = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=minutes_ago, seconds=17 * minutes_ago % 60)
    return then.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def refuse_each(service, sandbox):
    """Some minutes after they were completed; the last one not at the first attempt."""
    for number in range(7):
        if number == 6:
            sandbox.fault(kind="status", status=502, count=2)
        code, message = REFUSALS[number % len(REFUSALS)]
        sandbox.fault(kind="graphql-error", code=code, message=message, count=1)
        service.must_post(event(application_id(number), f"t-{number}", completedAt=completed(23 - 3 * number)))
        service.must_become(application_id(number), "dead")


def fill_the_day(redis):
    """As an ATS has it whose candidates apply by day, with half an hour in which SEEK failed."""
    present = int(time.time()) // 600
    for ago in range(1, 144):
        hour = (present - ago) * 600 / 3600 % 24
        accepted = int(4 + 90 * max(0, math.sin((hour - 6) / 16 * math.pi)) ** 2 + (ago * 7919) % 13)
        is_outage = 60 <= ago < 63
        delivered = 2 if is_outage else accepted + (accepted // 2 if 54 <= ago < 60 else 0)
        counts = accepted, delivered, accepted if is_outage else ago % 5 // 4, 1 if ago % 23 == 5 else 0
        redis.cli("HSET", "seek-signal:{0}:history", (present - ago) % 144, " ".join(map(str, (present - ago, *counts))))


def it_draws_the_pictures_of_the_documents(page, service, sandbox, redis):
    if not PICTURES:
        pytest.skip("PICTURES is not set")
    fill_the_day(redis)
    refuse_each(service, sandbox)
    page.open(f"http://{service.address}/")
    page.must_say("#dead", "7")
    points = 0
    while points < 25:  # some completed applications a second, as an ATS of middle size has them
        if page.run(POINTS) > points:
            points = page.run(POINTS)
            if points % 9 == 4:
                sandbox.fault(kind="status", status=503, count=1)
            service.must_post([event(f"D-{points}-{i}", f"d-{points}-{i}") for i in range(3 + points * 7 % 11)])
    for name, width, height, scheme in (("page-light", 1100, 1300, "light"), ("page-dark", 1100, 1300, "dark"),
                                        ("page-narrow", 380, 1900, "dark")):
        page.look(width, height, scheme)
        page.picture(name)
    page.look(1100, 860)
    page.find("#list a").click()
    page.must_say("#one", "Request id")
    page.picture("page-application")
    page.must_have_no_complaint()
