# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The spool: with Redis away, intake goes on."""
from stand import TOKEN, event, eventually


def spooling_service(stand, redis, sandbox, **settings):
    return stand.service(sandbox, redis_url=redis.url, spool_dir=f"{stand.directory}/spool", **settings)


def lose(redis, service):
    redis.kill()
    eventually(lambda: service.get("/v1/status").json["store"]["ready"] is False, "the service has noticed")


def it_takes_events_while_redis_is_away_and_delivers_them_when_it_is_back(stand, redis, sandbox):
    service = spooling_service(stand, redis, sandbox).start()
    lose(redis, service)
    answer = service.must_post(event("A-1"))
    assert answer["result"] == "accepted" and answer["state"] == "pending" and answer["durability"] == "spool"
    assert "spool" in service.get("/readyz").json["warning"]
    assert service.get("/v1/applications/A-1").status == 503
    redis.start()
    sandbox.must_receive(TOKEN)
    eventually(lambda: service.logs("spool_drained"), "the spool is drained")
    assert service.metric('seek_signal_spool_drained_total{result="applied"}') == 1
    assert service.metric("seek_signal_spool_records") == 0
    service.must_stop()
