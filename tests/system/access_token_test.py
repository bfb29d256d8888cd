# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The access token is cached, renewed in time, renewed once for everybody, and its outage costs no attempt."""
import itertools

from stand import CLIENT_SECRET, TOKEN, event, eventually


def it_fetches_one_access_token_for_many_signals(service, sandbox):
    for n in range(50):
        service.must_post(event(f"A-{n}", f"token-{n}"))
    for n in range(50):
        service.must_become(f"A-{n}", "delivered")
    assert len(sandbox.calls("token")) == 1


def it_lives_with_short_lives(stand, redis):
    sandbox = stand.sandbox("--expires-in", "3")
    service = stand.service(sandbox, redis_url=redis.url).start()
    numbers = itertools.count()

    def is_renewed():
        n = next(numbers)
        service.must_post(event(f"A-{n}", f"token-{n}"))
        service.must_become(f"A-{n}", "delivered")
        return len(sandbox.calls("token")) >= 3
    eventually(is_renewed, "it is renewed for new signals")
    assert all(c["outcome"] != "UNAUTHENTICATED" for c in sandbox.calls("graphql"))
    service.must_stop()


def it_renews_once_when_a_hundred_are_unauthenticated(service, sandbox):
    service.must_post(event("warm", "up"))
    service.must_become("warm", "delivered")
    sandbox.control("POST", "/revoke")
    batch = [event(f"A-{n}", f"token-{n}") for n in range(100)]
    assert service.post("/v1/events", batch).status == 202
    for n in range(100):
        service.must_become(f"A-{n}", "delivered")
    assert len(sandbox.calls("token")) == 2


def it_retries_once_at_once_then_backs_off(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, retry_base_ms=60000, retry_max_ms=60000).start()
    sandbox.fault(on="graphql", kind="unauthenticated", count=1000)
    service.must_post(event("A-1"))
    eventually(lambda: service.application("A-1")["attempts"] == 2, "one retry with a new access token")
    application = eventually(
        lambda: (a := service.application("A-1"))["state"] == "pending" and a["attempts"] == 2 and a, "backoff")
    assert application["lastError"]["code"] == "UNAUTHENTICATED"
    service.must_stop()


def it_spends_no_attempt_while_no_access_token_can_be_had(stand, redis, sandbox):
    sandbox.fault(on="token", kind="status", status=503, count=3)
    service = stand.service(sandbox, redis_url=redis.url).start()
    service.must_post(event("A-1"))
    delivered = service.must_become("A-1", "delivered")
    assert delivered["attempts"] == 1
    assert len(sandbox.calls("token")) == 4
    [line] = service.must_log("access_token_failed")  # once, not per try
    assert line["level"] == "error"
    service.must_log("access_token_recovered")
    service.must_stop()


def it_says_why_and_recovers_when_the_secret_is_mended_in_its_file(stand, redis, tmp_path):
    sandbox = stand.sandbox("--client-id", "client-1", "--client-secret", CLIENT_SECRET)
    secret = tmp_path / "secret"
    secret.write_text("wrong\n")
    service = stand.service(sandbox, redis_url=redis.url, client_secret=None,
                            client_secret_file=secret).start()
    service.must_post(event("A-1"))
    status = eventually(lambda: (s := service.get("/v1/status").json)["accessToken"].get("lastError") and s,
                        "the status says why")
    assert not status["accessToken"]["valid"]
    assert service.get("/readyz").status == 200, "SEEK's trouble is not the intake's"
    secret.write_text(CLIENT_SECRET + "\n")
    service.must_become("A-1", "delivered", patience=40)
    assert service.application("A-1")["attempts"] == 1
    sandbox.must_receive(TOKEN)
    service.must_stop()


def it_waits_when_the_access_token_is_revoked_and_the_secret_is_wrong_too(stand, redis):
    """Rejected with what it has and given nothing new: trying on would make the pause of every event longer."""
    sandbox = stand.sandbox("--client-id", "client-1", "--client-secret", CLIENT_SECRET)
    service = stand.service(sandbox, redis_url=redis.url).start()
    service.must_post(event("warm", "up"))
    service.must_become("warm", "delivered")
    sandbox.settings(clientSecret="rotated")
    sandbox.control("POST", "/revoke")
    for n in range(20):
        service.must_post(event(f"A-{n}", f"token-{n}"))

    def calls_meanwhile():
        """To SEEK, while the issuer was asked three times."""
        before, asked = len(sandbox.calls("graphql")), len(sandbox.calls("token"))
        eventually(lambda: len(sandbox.calls("token")) >= asked + 3, "the issuer is asked again")
        return len(sandbox.calls("graphql")) - before

    eventually(lambda: calls_meanwhile() == 0, "nothing is sent any more")
    assert not service.get("/v1/status").json["accessToken"]["valid"]
    sandbox.settings(clientSecret=CLIENT_SECRET)
    for n in range(20):
        service.must_become(f"A-{n}", "delivered")
    service.must_stop()


def it_spends_ten_attempts_in_all_on_a_revoked_access_token(stand, redis, sandbox):
    """As docs/troubleshooting.md says: then none is spent until there is a new one."""
    service = stand.service(sandbox, redis_url=redis.url).start()
    service.must_post(event("warm", "up"))
    service.must_become("warm", "delivered")
    sandbox.control("POST", "/revoke")
    sandbox.fault(on="token", kind="status", status=503, count=0)
    service.must_post(event("A-1", "token-1"))
    eventually(lambda: service.application("A-1")["attempts"] == 10, "ten attempts of one signal")
    asked = len(sandbox.calls("token"))
    eventually(lambda: len(sandbox.calls("token")) >= asked + 3, "the issuer is asked again")
    assert service.application("A-1")["attempts"] == 10 and service.application("A-1")["state"] == "pending"
    sandbox.clear_faults()
    service.must_become("A-1", "delivered", patience=40)
    service.must_stop()
