# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The pictures of the documents: a morning with some dead applications."""
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


def it_draws_the_pictures_of_the_documents(page, service, sandbox):
    if not PICTURES:
        pytest.skip("PICTURES is not set")
    for number in range(7):
        code, message = REFUSALS[number % len(REFUSALS)]
        sandbox.fault(kind="graphql-error", code=code, message=message, count=1)
        service.must_post(event(application_id(number), f"t-{number}"))
        service.must_become(application_id(number), "dead")
    page.open(f"http://{service.address}/")
    page.must_say("#dead", "7")
    polls = 0
    while page.run(POINTS) < 25:
        polls += 1
        service.must_post([event(f"D-{polls}-{i}", f"d-{polls}-{i}") for i in range(1 + polls // 10 % 5)])
    for name, width, height, scheme in (("page-light", 1100, 1300, "light"), ("page-dark", 1100, 1300, "dark"),
                                        ("page-narrow", 380, 1900, "dark")):
        page.look(width, height, scheme)
        page.picture(name)
    page.look(1100, 700)
    page.find("#list a").click()
    page.must_say("#one", "Request id")
    page.picture("page-application")
    page.must_have_no_complaint()
