# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""What the stand promises to all other tests: a line of the log is neither missed nor counted too early."""
import concurrent.futures

import pytest

from held_thread import held
from stand import event


def it_has_read_what_was_logged_before_the_answer(service):
    service.call("POST", "/v1/pause", {})
    for number in range(1, 201):
        service.must_post(event(f"A-{number}", f"t-{number}"))
        assert len(service.logs("event_accepted")) == number


def it_waits_for_a_line_that_is_written_later(service):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        with held(service, "log"):
            service.must_post(event("A-1"))
            lines = pool.submit(service.must_log, "event_accepted", patience=60)
            service.must_become("A-1", "delivered")
            assert service.logs("event_accepted") == [] and not lines.done()
        assert [line["application"] for line in lines.result()] == ["A-1"]


def it_sees_a_line_too_many(service):
    for number in range(2):
        service.must_post(event(f"A-{number}", f"t-{number}"))
    assert len(service.must_log("event_accepted", 2)) == 2
    for count in (1, 3):
        with pytest.raises(AssertionError):
            service.must_log("event_accepted", count, patience=0.1)
