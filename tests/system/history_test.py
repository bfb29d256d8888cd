# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The counts of the last day: of all processes, over restarts."""
import datetime

from stand import event, eventually


def day(service):
    answer = service.get("/v1/history")
    assert answer.status == 200, answer
    return answer.json


def totals(service):
    buckets = day(service)["buckets"]
    return {member: sum(bucket[member] for bucket in buckets) for member in ("accepted", "delivered", "retried", "dead")}


def it_adds_up_all_processes_and_outlives_them(stand, redis, sandbox):
    first = stand.service(sandbox, redis_url=redis.url).start()
    second = stand.service(sandbox, name="second", redis_url=redis.url).start()
    sandbox.fault(kind="forbidden", count=1)
    first.must_post(event("A-1", "t-1"))
    first.must_become("A-1", "dead")
    for number in range(2, 5):
        first.must_post(event(f"A-{number}", f"t-{number}"))
        second.must_post(event(f"B-{number}", f"t-{number}"))
    assert second.post("/v1/events", event("B-2", "t-2")).status == 200  # a repeat
    second.must_post(event("B-3", "newer"))
    eventually(lambda: sandbox.signals("newer"), "the newer one is sent")
    for service in (first, second):
        service.must_stop()
    third = stand.service(sandbox, name="third", redis_url=redis.url).start()
    sums = totals(third)
    assert sums["accepted"] == 8 and sums["dead"] == 1, sums
    assert sums["delivered"] == sum(call["outcome"] == "delivered" for call in sandbox.calls("graphql")), sums
    assert redis.cli("HLEN", "seek-signal:{0}:history") in ("1", "2")


def it_shows_a_whole_day_in_steps_of_ten_minutes(service):
    answer = day(service)
    moments = [datetime.datetime.fromisoformat(bucket["from"].replace("Z", "+00:00")) for bucket in answer["buckets"]]
    assert answer["bucketSeconds"] == 600 and len(moments) == 144
    assert {later - earlier for earlier, later in zip(moments, moments[1:])} == {datetime.timedelta(minutes=10)}
    age = datetime.datetime.now(datetime.timezone.utc) - moments[-1]
    assert datetime.timedelta(seconds=-5) < age < datetime.timedelta(minutes=11)


def it_counts_while_it_runs(service, sandbox):
    service.must_post(event("A-1"))
    service.must_become("A-1", "delivered")
    eventually(lambda: totals(service) == {"accepted": 1, "delivered": 1, "retried": 0, "dead": 0}, "within ten seconds", 40)


def it_is_503_while_redis_is_away_and_counts_afterwards(service, redis, sandbox):
    service.must_post(event("A-1"))
    redis.must_stop()
    assert eventually(lambda: service.get("/v1/history").status == 503, "Redis is away")
    assert service.get("/v1/history").json["code"] == "store_unavailable"
    redis.start()
    eventually(lambda: service.get("/readyz").status == 200, "Redis is back")
    service.must_post(event("A-2", "t-2"))
    service.must_become("A-2", "delivered")
    eventually(lambda: totals(service)["accepted"] == 2, "nothing is lost by the outage", 40)
