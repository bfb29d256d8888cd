# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""An accepted event reaches SEEK as `sendSignal`, whatever SEEK answers on the way."""
import json
import re
import time
from datetime import datetime, timezone

import pytest

from stand import TOKEN, event, eventually

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


def it_delivers_an_event(service, sandbox):
    answer = service.must_post(event("A-1001"))
    assert answer["result"] == "accepted" and answer["state"] == "pending"
    assert answer["durability"] == "fsync"
    sandbox.must_receive(TOKEN)
    service.must_become("A-1001", "delivered")


def it_sends_exactly_what_seek_documents(stand, redis, sandbox):
    sandbox.settings(keepBodies=True)
    service = stand.service(sandbox, redis_url=redis.url, user_agent="my-ats/1.2.3").start()
    service.must_post(event("A-1", completedAt="2026-01-02T13:04:05.6789+10:00"),
                      headers={"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"})
    sandbox.must_receive(TOKEN)
    sent = [c for c in sandbox.calls("graphql", bodies=True) if c.get("seekToken") == TOKEN][0]
    assert json.loads(sent["body"]) == {
        "query": "mutation ($input: SendSignalInput!) {\n  sendSignal(input: $input)\n}",
        "variables": {"input": {"typeCode": "ApplicationComplete", "token": TOKEN,
                                "timestamp": "2026-01-02T03:04:05.678Z"}}}
    assert sent["userAgent"] == "my-ats/1.2.3"
    assert sent["acceptLanguage"] == "en-AU"
    assert re.fullmatch(UUID, sent["requestId"])
    assert sent["traceparent"].startswith("00-4bf92f3577b34da6a3ce929d0e0e4736-")
    service.must_stop()


def it_takes_the_moment_of_acceptance_when_completed_at_is_left_out(service, sandbox):
    before = time.time()
    service.must_post(event("A-1"))
    signal = sandbox.must_receive(TOKEN)[0]
    sent = datetime.fromisoformat(signal["timestamp"].replace("Z", "+00:00")).timestamp()
    assert before - 0.01 <= sent <= time.time() + 0.01


def it_takes_the_seek_token_out_of_a_link_and_decodes_it_once(service, sandbox):
    uri = "https://ats.example/apply?job=1&seek-token=abc%2Bdef%3D&x=%20"
    service.must_post({"applicationId": "A-1", "applicationUri": uri})
    sandbox.must_receive("abc+def=")


def it_uses_the_stored_draft_token(service, sandbox):
    assert service.call("PUT", "/v1/applications/A-1/token", {"token": "first"}).status == 204
    assert service.call("PUT", "/v1/applications/A-1/token", {"token": "second"}).status == 204
    assert service.application("A-1")["state"] == "draft"
    service.must_post({"applicationId": "A-1"})
    sandbox.must_receive("second")
    assert not sandbox.signals("first")


def it_sends_the_same_pair_once_only(service, sandbox):
    first = service.must_post(event("A-1"))
    service.must_become("A-1", "delivered")
    again = service.must_post(event("A-1"), status=200)
    assert again["result"] == "duplicate" and again["eventId"] == first["eventId"]
    assert again["state"] == "delivered"
    service.must_post(event("A-2", "other"))
    sandbox.must_receive("other")
    assert len(sandbox.signals(TOKEN)) == 1


def it_sends_a_newer_token_too(service, sandbox):
    service.must_post(event("A-1", "old"))
    sandbox.must_receive("old")
    service.must_become("A-1", "delivered")
    assert service.must_post(event("A-1", "new"))["result"] == "replaced"
    sandbox.must_receive("new")


def it_does_not_go_back_to_a_token_that_was_replaced(service, sandbox):
    service.must_post(event("A-1", "old"))
    service.must_become("A-1", "delivered")
    newer = service.must_post(event("A-1", "new"))
    late = service.must_post(event("A-1", "old"), status=200)
    assert late["result"] == "duplicate" and late["eventId"] == newer["eventId"]
    assert service.call("PUT", "/v1/applications/A-1/token", {"token": "old"}).status == 204
    service.must_become("A-1", "delivered")
    assert [c["seekToken"] for c in sandbox.calls("graphql") if c.get("seekToken")] == ["old", "new"]
    # Behind a newer draft, which waits for its own event.
    assert service.call("PUT", "/v1/applications/A-1/token", {"token": "draft"}).status == 204
    late = service.must_post(event("A-1", "new"), status=200)
    assert late["result"] == "duplicate" and late["state"] == "draft"


def it_sends_only_the_newest_of_tokens_that_wait(service, sandbox):
    sandbox.fault(on="graphql", kind="status", status=503, count=1)
    service.must_post(event("A-1", "old"))
    eventually(lambda: [c for c in sandbox.calls("graphql") if c["status"] == 503], "the 503")
    for n in range(5):
        service.must_post(event("A-1", f"new-{n}"))
    sandbox.must_receive("new-4")
    service.must_become("A-1", "delivered")
    assert service.application("A-1")["state"] == "delivered"


def it_never_marks_a_new_token_done_by_a_late_answer_for_the_old(service, sandbox):
    sandbox.fault(on="graphql", kind="slow", latencyMs=1500, count=1)
    service.must_post(event("A-1", "old"))
    eventually(lambda: service.application("A-1")["state"] == "sending", "the old one is on its way")
    assert service.must_post(event("A-1", "new"))["result"] == "replaced"
    service.must_become("A-1", "delivered")
    order = [c["seekToken"] for c in sandbox.calls("graphql") if c.get("seekToken")]
    assert order == ["old", "new"], "the newer one follows the older, never beside it"


TRANSIENT = [
    dict(kind="status", status=500), dict(kind="status", status=502), dict(kind="status", status=503),
    dict(kind="status", status=408), dict(kind="internal"), dict(kind="unknown-code"),
    dict(kind="missing-code"), dict(kind="garbage"), dict(kind="empty"), dict(kind="truncated-json"),
    dict(kind="reset"), dict(kind="cut-body"), dict(kind="status", status=404),
    dict(kind="status", status=403), dict(kind="status", status=403, body="json"), dict(kind="status", status=403, body="none"),
]


@pytest.mark.parametrize("fault", TRANSIENT, ids=lambda f: "-".join(map(str, f.values())))
def it_tries_again_after(fault, service, sandbox):
    sandbox.fault(on="graphql", count=2, **fault)
    service.must_post(event("A-1"))
    application = service.must_become("A-1", "delivered")
    assert application["attempts"] == 3
    calls = [c for c in sandbox.calls("graphql")]
    assert [c["requestId"] for c in calls] == application["requestIds"][::-1], "newest first"
    assert len({c["requestId"] for c in calls}) == 3, "each attempt has an id of its own"
    history = application["history"]
    assert [one["requestId"] for one in history] == application["requestIds"]
    assert [one["attempt"] for one in history] == [3, 2, 1]
    assert history[0]["class"] == "delivered" and all(one["class"] != "delivered" and one["code"] for one in history[1:])


def it_repeats_the_timestamp_on_each_attempt(service, sandbox):
    sandbox.fault(on="graphql", kind="reset-after", count=1)
    service.must_post(event("A-1"))
    service.must_become("A-1", "delivered")
    stamps = {c["timestamp"] for c in sandbox.calls("graphql") if c.get("seekToken") == TOKEN}
    assert len(stamps) == 1


def it_gives_up_waiting_for_an_answer_and_tries_again(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, request_timeout_ms=300).start()
    sandbox.fault(on="graphql", kind="hang", count=1)
    service.must_post(event("A-1"))
    service.must_become("A-1", "delivered")
    service.must_stop()


def it_honours_retry_after(service, sandbox):
    sandbox.fault(on="graphql", kind="status", status=429, retryAfter="2", count=1)
    service.must_post(event("A-1"))
    service.must_become("A-1", "delivered")
    calls = sandbox.calls("graphql")
    assert calls[1]["monotonicUs"] - calls[0]["monotonicUs"] >= 2_000_000


def it_lets_one_retry_after_of_a_day_stop_nothing_for_a_day(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, retry_base_ms=None, retry_max_ms=None).start()
    sandbox.fault(on="graphql", kind="status", status=429, retryAfter="86400", count=1)
    service.must_post(event("A-1", "one"))
    sending = eventually(lambda: (s := service.get("/v1/status").json["sending"])["throttledForMs"] and s, "the 429")
    assert sending["throttledForMs"] <= 5 * 60 * 1000
    waiting = eventually(lambda: (a := service.application("A-1"))["state"] == "pending" and a, "it waits")
    due = datetime.fromisoformat(waiting["nextAttemptAt"].replace("Z", "+00:00"))
    assert 14 * 60 < (due - datetime.now(timezone.utc)).total_seconds() < 16 * 60
    service.must_stop()


def it_waits_with_everything_when_rate_limited(service, sandbox):
    sandbox.fault(on="graphql", kind="status", status=429, retryAfter="1", count=1)
    service.must_post(event("A-1", "one"))
    eventually(lambda: sandbox.calls("graphql"), "the 429")
    service.must_post(event("A-2", "two"))
    sandbox.must_receive("one")
    sandbox.must_receive("two")
    first, *others = sandbox.calls("graphql")
    assert all(c["monotonicUs"] - first["monotonicUs"] >= 1_000_000 for c in others)


PERMANENT = [(dict(kind="forbidden"), "FORBIDDEN"), (dict(kind="bad-user-input"), "BAD_USER_INPUT")]


@pytest.mark.parametrize("fault, code", PERMANENT, ids=lambda v: v if isinstance(v, str) else None)
def it_keeps_what_seek_refuses_in_the_dead_set(fault, code, service, sandbox, redis):
    sandbox.fault(on="graphql", count=1, **fault)
    service.must_post(event("A-1"))
    dead = service.must_become("A-1", "dead")
    assert dead["lastError"]["code"] == code and dead["attempts"] == 1
    assert dead["lastError"]["message"]
    assert redis.cli("ZCARD", "seek-signal:{0}:dead") == "1"
    assert redis.cli("TTL", "seek-signal:{0}:app:A-1") == "-1", "never dropped by age"


def it_loses_nothing_to_a_firewall_that_answers_403(service, sandbox):
    sandbox.fault(on="graphql", kind="status", status=403, count=1000000)
    service.must_post([event(f"A-{n}", f"token-{n}") for n in range(100)])
    eventually(lambda: service.get("/v1/status").json["sending"]["breaker"] != "closed", "it asks no more")
    waiting = eventually(lambda: (found := service.application("A-0"))["state"] == "pending" and found, "it waits")
    assert waiting["lastError"]["class"] == "misconfigured", waiting
    [line] = service.must_log("upstream_misconfigured")  # once, not per try
    assert line["level"] == "error"
    sandbox.clear_faults()
    for n in range(100):
        service.must_become(f"A-{n}", "delivered")
    assert service.metric("seek_signal_dead_total") == 0
    service.must_log("upstream_misconfigured")
    service.must_log("upstream_found")


def it_sends_a_dead_one_again_on_replay(service, sandbox):
    sandbox.fault(on="graphql", kind="forbidden", count=1)
    service.must_post(event("A-1"))
    service.must_become("A-1", "dead")
    assert service.post("/v1/applications/A-1/replay").status == 202
    service.must_become("A-1", "delivered")
    sandbox.must_receive(TOKEN)
    assert service.post("/v1/applications/A-1/replay").status == 409
    assert service.post("/v1/applications/unknown/replay").status == 404


def it_dies_of_age(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, retry_max_age_s=1).start()
    sandbox.fault(on="graphql", kind="status", status=503, count=100000)
    service.must_post(event("A-1"))
    dead = service.must_become("A-1", "dead")
    assert dead["lastError"]["code"] == "HTTP_503" and dead["attempts"] > 1
    service.must_stop()


def it_forgets_an_application(service, sandbox, redis):
    service.must_post(event("A-1"))
    service.must_become("A-1", "delivered")
    assert service.call("DELETE", "/v1/applications/A-1").status == 204
    assert service.get("/v1/applications/A-1").status == 404
    assert not redis.application("A-1")
    assert service.call("DELETE", "/v1/applications/A-1").status == 204


def it_sends_a_token_after_the_one_that_was_forgotten_on_its_way(service, sandbox, redis):
    sandbox.fault(on="graphql", kind="slow", latencyMs=1500, count=1)
    service.must_post(event("A-1", "old"))
    eventually(lambda: service.application("A-1")["state"] == "sending", "the old one is on its way")
    assert service.call("DELETE", "/v1/applications/A-1").status == 204
    assert service.get("/v1/applications/A-1").status == 404
    assert "token" not in redis.application("A-1")
    assert service.must_post(event("A-1", "new"))["result"] == "accepted"
    service.must_become("A-1", "delivered")
    old, new = [c for c in sandbox.calls("graphql") if c.get("seekToken")]
    assert (old["seekToken"], new["seekToken"]) == ("old", "new")
    assert new["monotonicUs"] - old["monotonicUs"] >= 1_400_000, "the newer one follows the older, never beside it"


def it_counts_an_http_200_with_errors_as_what_it_is(service, sandbox):
    sandbox.fault(on="graphql", kind="graphql-error", code="INTERNAL_SERVER_ERROR", message="oops", count=1)
    service.must_post(event("A-1"))
    service.must_become("A-1", "delivered")
    assert service.application("A-1")["attempts"] == 2


def it_takes_any_content_type_and_a_null_result(stand, redis):
    sandbox = stand.sandbox("--success", "null")
    service = stand.service(sandbox, redis_url=redis.url).start()
    sandbox.fault(on="graphql", kind="content-type", count=1)
    service.must_post(event("A-1"))
    assert service.must_become("A-1", "delivered")["attempts"] == 1
    service.must_stop()


def it_opens_the_breaker_and_spends_no_attempt_while_seek_is_away(service, sandbox):
    sandbox.fault(on="graphql", kind="status", status=503, count=1000000)
    for n in range(30):
        service.must_post(event(f"A-{n}", f"token-{n}"))
    eventually(lambda: service.get("/v1/status").json["sending"]["breaker"] != "closed", "the breaker opens")
    assert service.get("/v1/status").json["sending"]["lastError"].startswith("HTTP_503: ")
    sandbox.clear_faults()
    for n in range(30):
        service.must_become(f"A-{n}", "delivered")
    assert [e["event"] for e in service.logs() if e["event"].startswith("breaker_")][:1] == ["breaker_opened"]


def it_checks_with_pauses_of_half_a_second_to_two_whether_seek_is_back(service, sandbox):
    sandbox.fault(on="graphql", kind="status", status=503, count=0)
    service.must_post([event(f"A-{n}", f"token-{n}") for n in range(30)])

    def pauses():
        times = [call["monotonicUs"] / 1e6 for call in sandbox.calls("graphql")]
        found = [later - earlier for earlier, later in zip(times, times[1:]) if later - earlier > 0.4]
        return len(found) >= 4 and found

    found = eventually(pauses, "four checks", 30)
    assert all(least <= pause < least + 0.9 for least, pause in zip((0.5, 1, 2, 2), found)), found


def it_tells_how_old_what_always_fails_is_though_all_others_are_delivered(service, sandbox):
    sandbox.fault(kind="internal", seekTokenContains="stubborn", count=0)
    service.must_post([event(f"S-{n}", f"stubborn-{n}") for n in range(3)] + [event(f"A-{n}", f"token-{n}") for n in range(10)])
    for n in range(10):
        service.must_become(f"A-{n}", "delivered")
    row = 'seek_signal_oldest_retry_age_seconds{class="transient"}'
    eventually(lambda: service.metric(row) > 1, "it grows old")
    oldest = service.get("/v1/status").json["workers"]["oldestRetry"]
    assert oldest["class"] == "transient" and oldest["ageMs"] > 1000
    sandbox.clear_faults()
    for n in range(3):
        service.must_become(f"S-{n}", "delivered")
    assert service.metric(row) == 0 and service.get("/v1/status").json["workers"]["oldestRetry"] is None


def it_does_not_call_seek_down_when_nothing_has_been_tried_for_long(service, sandbox):
    sandbox.fault(kind="status", status=503, count=0)
    service.must_post([event(f"A-{n}", f"token-{n}") for n in range(12)])
    eventually(lambda: service.metric("seek_signal_breaker_state") > 0, "the breaker opens")
    for n in range(12):
        assert service.call("DELETE", f"/v1/applications/A-{n}").status == 204
    sandbox.clear_faults()
    eventually(lambda: service.metric("seek_signal_breaker_state") == -1, "nobody knows", 60)
    assert service.get("/v1/status").json["sending"]["breaker"] == "unknown"
    service.must_post(event("B-1"))
    service.must_become("B-1", "delivered")
    assert service.metric("seek_signal_breaker_state") == 0
