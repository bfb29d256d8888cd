# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Alive means that every loop turns: a thread that stands still is noticed, named, and no reason to hang at the stop."""
import contextlib
import re
import signal

import pytest

from held_thread import held
from stand import call, event, eventually

WEDGED_AFTER = 10  # seconds, as docs/metrics.md says

# Each loop, and a listener that another thread serves: the ops listener is main's.
LOOPS = {"worker-0": "ops", "intake-0": "ops", "spool": "ops", "main": "address"}


def livez(service, listener):
    return call(getattr(service, listener), "GET", "/livez")


def it_notices_each_loop_that_stands_still_and_its_return(stand, redis, sandbox):
    services = {}
    for loop in LOOPS:
        services[loop] = stand.service(sandbox, name=loop, redis_url=redis.url, workers=2, intake_threads=1,
                                       spool_dir=f"{stand.directory}/spool-{loop}").start()
    for loop, service in services.items():
        names = [entry["name"] for entry in livez(service, LOOPS[loop]).json["loops"]]
        assert set(names) == {"main", "intake-0", "spool", "worker-0", "worker-1"}, "all are watched, and tested here"
    with contextlib.ExitStack() as holds:
        for loop, service in services.items():
            holds.enter_context(held(service, loop))
        for loop, service in services.items():
            answer = eventually(lambda: (a := livez(service, LOOPS[loop])).status == 503 and a, f"{loop} is noticed",
                                patience=WEDGED_AFTER + 30)
            assert answer.json["code"] == "not_live"
            # By its own measure: on a busy machine a loop may not have turned for a while when it is held.
            found = re.fullmatch(rf"The loop of {loop} has not turned for (\d+) ms\.", answer.json["detail"])
            assert found and int(found[1]) >= WEDGED_AFTER * 1000, answer
            assert [entry["name"] for entry in answer.json["loops"] if entry["wedged"]] == [loop]
    for loop, service in services.items():
        eventually(lambda: livez(service, LOOPS[loop]).status == 200, f"{loop} turns again")
        service.must_post(event(f"A-{loop}", f"token-{loop}"))
        sandbox.must_receive(f"token-{loop}")
        service.must_stop()


@pytest.mark.parametrize("worker", ["worker-0", "worker-1"])
def it_sends_and_accepts_while_one_worker_stands_still(worker, stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, workers=2).start()
    service.must_post(event("A-first", "token-first"))
    service.must_become("A-first", "delivered")  # no first claim is on its way: what that took would wait for its lease
    with held(service, worker):  # one of them is the one that looks for what is due
        for n in range(20):
            service.must_post(event(f"A-{n}", f"token-{n}"))
            sandbox.must_receive(f"token-{n}")
    service.must_stop()


@pytest.mark.parametrize("loop", ["worker-0", "intake-0", "spool"])
def it_ends_all_the_same_when_a_thread_does_not(loop, stand, sandbox, tmp_path):
    service = stand.service(sandbox, data_dir=tmp_path / "data", shutdown_timeout_s=0,
                            spool_dir=f"{stand.directory}/spool").start()
    service.must_post(event("A-1"))
    service.must_become("A-1", "delivered")
    with held(service, loop):
        service.send(signal.SIGTERM)
        [line] = service.must_log("stop_forced", patience=60)
        assert line["level"] == "error" and "does not end" in line["message"]
        if loop == "worker-0":
            assert [stuck["worker"] for stuck in service.must_log("worker_stuck")] == [loop]
    assert service.child.wait(timeout=30) == 1
    assert "Sanitizer" not in service.text(), service.text()
    service.start()
    service.must_become("A-1", "delivered")  # the private Redis ended in order
    service.must_stop()
