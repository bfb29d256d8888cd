# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The image with a redis-server of its own."""
from containers import EMBEDDED, delivered, must_become, must_post
from stand import eventually


def outage(sandbox):
    answer = sandbox.call("POST", "/sandbox/faults", {"on": "graphql", "kind": "status", "status": 503, "count": 1000000}, port=8790)
    assert answer.status < 300, answer


def it_keeps_events_in_its_volume_over_a_crash(containers):
    sandbox = containers.sandbox()
    outage(sandbox)
    kept = f"--volume={containers.volume('data')}:/var/lib/seek-signal"
    service = containers.service(sandbox, EMBEDDED, [kept]).must_be_ready()
    assert must_post(service, "A-1", "kept-token")["durability"] == "fsync"
    service.remove()  # killed: nothing is flushed on the way out

    assert sandbox.call("DELETE", "/sandbox/faults", port=8790).status < 300
    service = containers.service(sandbox, EMBEDDED, [kept]).must_be_ready()
    must_become(service, "A-1", "delivered")
    assert delivered(sandbox) == ["kept-token"]
    service.must_stop()
    eventually(lambda: service.logs("stopped"), "its last line")


def it_needs_no_volume_of_ours_to_start(containers):
    """The image declares one, so that a read-only root is no obstacle."""
    sandbox = containers.sandbox()
    service = containers.service(sandbox, EMBEDDED).must_be_ready()
    must_post(service, "A-1")
    must_become(service, "A-1", "delivered")
    service.must_stop()
