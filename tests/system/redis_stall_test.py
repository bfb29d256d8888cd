# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Redis stands still for longer than anybody waits for it, and goes on."""
import signal
import time

from stand import event, eventually

DUE = "seek-signal:{0}:due"
FAR_BELOW_THE_LEASE = 40.0  # seconds; usually less than one


def it_sends_at_once_what_a_claim_took_that_nobody_waited_for_any_more(stand, redis, sandbox):
    # A lease of 65 seconds.
    service = stand.service(sandbox, redis_url=redis.url, request_timeout_ms=30000).start()
    assert service.post("/v1/pause", {}).status == 204
    ids = [f"A-{n}" for n in range(5)]
    for id in ids:
        service.must_post(event(id, f"token-{id}"))
    soon = int(time.time() * 1000) + 3000
    redis.cli("ZADD", DUE, "XX", *(word for id in ids for word in (soon, id)))
    lost = service.metric("seek_signal_worker_redis_losses_total")
    assert service.post("/v1/resume", {}).status == 204

    # Meanwhile they fall due, and the workers' claims wait in Redis's sockets.
    redis.send(signal.SIGSTOP)
    eventually(lambda: service.metric("seek_signal_worker_redis_losses_total") > lost, "a claim is given up")
    eventually(lambda: time.time() * 1000 > soon, "they are due")
    redis.send(signal.SIGCONT)
    began = time.monotonic()
    for id in ids:
        delivered = service.must_become(id, "delivered", patience=60)
        assert delivered["attempts"] == 1
    assert time.monotonic() - began < FAR_BELOW_THE_LEASE
    assert all(len(sandbox.signals(f"token-{id}")) == 1 for id in ids)
    assert not service.logs("lease_expired")
    service.must_stop()
