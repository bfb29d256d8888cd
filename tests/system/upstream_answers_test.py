# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""How an answer of SEEK's, or of the issuer's, is read: by what it says, whatever the caller had sent."""
import gzip
import json
import re
import time
import urllib.parse
import zlib

import pytest

from fake_seek import ACCESS_TOKEN, DELIVERED, refusal
from stand import event, eventually, free_port

# What a candidate can put into the link: pieces of the answers themselves.
SEEK_TOKENS = ['errors":[{', "sendSignal", "sendSigna", "FORBIDDEN", "extensions", '"data":{"', '{"data":{"sendSignal":true}', "requestLatency",
               "/input/token", "BAD_USER_INPUT", "Bearer", "message"]


def settings(seek, **more):
    return dict(graphql_url=f"http://{seek.address}/graphql", token_url=f"http://{seek.address}/oauth/token") | more


@pytest.fixture
def start(stand, redis, fake_seek):
    """The service in front of the fake SEEK."""
    services = []

    def start(**more):
        services.append(stand.service(redis_url=redis.url, **settings(fake_seek, **more)).start())
        return services[-1]

    yield start
    for service in services:
        if service.is_running():
            service.must_stop()


def it_reads_a_success_whatever_the_seek_token_is(start, fake_seek):
    service = start()
    for n, token in enumerate(SEEK_TOKENS):
        service.must_post(event(f"A-{n}", token))
    for n, token in enumerate(SEEK_TOKENS):
        assert service.must_become(f"A-{n}", "delivered")["attempts"] == 1, token
    assert sorted(fake_seek.tokens()) == sorted(SEEK_TOKENS), "each once"


def it_reads_a_refusal_whatever_the_seek_token_is(start, fake_seek):
    fake_seek.answers["/graphql"] = lambda body: refusal("FORBIDDEN", f"not yours: {body['variables']['input']['token']}, so it is refused")
    service = start()
    for n, token in enumerate(SEEK_TOKENS):
        service.must_post(event(f"A-{n}", token))
    for n, token in enumerate(SEEK_TOKENS):
        application = service.must_become(f"A-{n}", "dead")
        assert application["lastError"]["code"] == "FORBIDDEN" and application["attempts"] == 1, token
        assert len(token) < 8 or token not in application["lastError"]["message"], "what is shown is masked all the same"
    assert service.metric("seek_signal_breaker_state") == 0


def it_reads_an_answer_whatever_else_is_the_callers(start, fake_seek):
    """The application's id and the trace context are no secrets: nothing looks for them in an answer, nor for the user agent."""
    fake_seek.answers["/graphql"] = lambda body: refusal("FORBIDDEN", "never")
    service = start(user_agent='errors":[{"message":"x')
    for n, name in enumerate(SEEK_TOKENS):
        service.must_post(event(f"{name.replace('/', ' ')}#{n}", f"token-{n}"), headers={"X-Request-Id": "FORBIDDEN", "traceparent": f"00-{n + 1:032x}-{n + 1:016x}-01"})
    for n, name in enumerate(SEEK_TOKENS):
        assert service.must_become(urllib.parse.quote(f"{name.replace('/', ' ')}#{n}", safe=""), "dead")["lastError"]["code"] == "FORBIDDEN"


def it_reads_the_issuers_answer_whatever_the_client_secret_is(start, fake_seek):
    service = start(client_secret='"access_token":"')
    service.must_post(event("A-1"))
    service.must_become("A-1", "delivered")


# --- successes in unusual clothes: SEEK has the signal, and must not get it again -----------------------

DEEP = b'{"data":{"sendSignal":true},"extensions":' + 40 * b'{"a":' + b"1" + 40 * b"}" + b"}"
LARGE = b'{"data":{"sendSignal":true},"extensions":{"trace":"' + 700_000 * b"x" + b'"}}'
SUCCESSES = {
    "gzip": lambda: (200, {"Content-Encoding": "gzip"}, gzip.compress(DELIVERED)),
    "deflate": lambda: (200, {"Content-Encoding": "deflate"}, zlib.compress(DELIVERED)),
    "large-gzip": lambda: (200, {"Content-Encoding": "gzip"}, gzip.compress(LARGE)),
    "byte-order-mark": lambda: b"\xef\xbb\xbf" + DELIVERED,
    "deep-extensions": lambda: DEEP,
    "large": lambda: LARGE,
    "latin-1": lambda: b'{"data":{"sendSignal":true},"extensions":{"who":"caf\xe9"}}',
    "null": lambda: b'{"data":{"sendSignal":null}}',
    "false": lambda: b'{"data":{"sendSignal":false}}',
    "no-content-type": lambda: (200, {"Content-Type": None}, DELIVERED),
}


@pytest.mark.parametrize("form", SUCCESSES)
def it_understands_a_success(form, start, fake_seek):
    fake_seek.answers["/graphql"] = SUCCESSES[form]()
    service = start()
    service.must_post(event("A-1"))
    assert service.must_become("A-1", "delivered")["attempts"] == 1
    assert fake_seek.tokens() and fake_seek.calls["/graphql"][0][0]["Accept-Encoding"] == "identity"
    told = service.must_log("signal_result", int(form in ("null", "false")))
    assert all(line["message"] == "SEEK accepts signals with a value other than true" for line in told)


REFUSALS = {
    "half-a-surrogate-pair": rb"no \ud800!",
    "escaped-nul": rb"no \u0000!",
    "latin-1": b"no \xe9!",
    "control-character": b"no \x01!",
}


@pytest.mark.parametrize("form", REFUSALS)
def it_understands_a_refusal(form, start, fake_seek):
    fake_seek.answers["/graphql"] = b'{"errors":[{"message":"%s","extensions":{"code":"FORBIDDEN"}}]}' % REFUSALS[form]
    service = start()
    service.must_post(event("A-1"))
    error = service.must_become("A-1", "dead")["lastError"]
    assert error["code"] == "FORBIDDEN" and error["message"] == "no \ufffd!"


UNREADABLE = {
    "html": ((200, {"Content-Type": "text/html"}, b"<html>Please log in</html>"), "NOT_JSON", "SEEK or a proxy answered HTTP 200 with text/html, not GraphQL"),
    "half": (b'{"data":{"sendSignal":true', "NOT_JSON", "at byte 26: "),
    "empty": (b"", "NOT_JSON", "with an empty body, not GraphQL"),
    "too-large": (b'"' + 2_000_000 * b"x" + b'"', "TOO_LARGE", "1048576"),
    "gzip-bomb": ((200, {"Content-Encoding": "gzip"}, gzip.compress(100_000_000 * b" ")), "TOO_LARGE", "1048576"),
    "broken-gzip": ((200, {"Content-Encoding": "gzip"}, b"no gzip at all"), "BAD_CODING", "content unencoding"),
    "unknown-coding": ((200, {"Content-Encoding": "rot13"}, DELIVERED), "BAD_CODING", "content encoding"),
}


@pytest.mark.parametrize("form", UNREADABLE)
def it_spaces_out_what_it_cannot_read_after_a_success_and_says_what_it_was(form, start, fake_seek):
    """SEEK may have it: the first pause is a minute with the usual settings, and grows to hours."""
    fake_seek.answers["/graphql"], code, words = UNREADABLE[form]
    service = start(retry_base_ms=1000, retry_max_ms=900000)
    service.must_post(event("A-1"))
    application = eventually(lambda: (a := service.application("A-1"))["state"] == "pending" and a.get("lastError") and a, "tried once")
    assert application["lastError"]["class"] == "unreadable" and application["lastError"]["code"] == code
    assert words in application["lastError"]["message"], application["lastError"]
    [line] = service.must_log("signal_retry")
    assert 30_000 <= line["delay_ms"] <= 60_000
    assert service.metric('seek_signal_attempts_total{class="unreadable"}') == 1
    [error] = service.must_log("upstream_misconfigured")
    assert error["level"] == "error" and error["code"] == code


def it_does_not_space_out_what_failed_by_its_status(start, fake_seek):
    fake_seek.answers["/graphql"] = (502, {"Content-Type": "text/html"}, b"<html>Bad gateway</html>")
    service = start(retry_base_ms=1000, retry_max_ms=900000)
    service.must_post(event("A-1"))
    line = eventually(lambda: service.logs("signal_retry"), "tried once")[0]
    assert line["class"] == "transient" and line["delay_ms"] <= 1000


# --- the form of our request ------------------------------------------------------------------------------

FORMS = {
    "schema": (400, refusal("BAD_USER_INPUT", 'Variable "$input" got invalid value { token: "t" }; Field "consent" of required type "Boolean!" was not provided.')),
    "validation": (200, refusal("GRAPHQL_VALIDATION_FAILED", 'Cannot query field "sendSignal" on type "Mutation".')),
    "parse": (400, refusal("GRAPHQL_PARSE_FAILED", "Syntax Error: Unexpected <EOF>.")),
}


@pytest.mark.parametrize("form", FORMS)
def it_kills_nothing_when_seek_does_not_take_the_form_of_its_request(form, start, fake_seek):
    status, body = FORMS[form]
    fake_seek.answers["/graphql"] = (status, {}, body)
    service = start()
    service.must_post([event(f"A-{n}", f"token-{n}") for n in range(100)])
    eventually(lambda: service.metric("seek_signal_breaker_state") > 0, "the breaker opens")
    counts = service.get("/v1/status").json["signals"]
    assert counts["dead"] == 0
    [error] = service.must_log("upstream_misconfigured")
    assert "form of our request" in error["message"] and error["detail"]
    fake_seek.answers["/graphql"] = DELIVERED
    eventually(lambda: service.metric("seek_signal_delivered_total") == 100, "all are delivered once SEEK takes them again", patience=40)


# --- words in places where nobody expects them ---------------------------------------------------------


@pytest.mark.parametrize("body, words", [
    (b'{"errors":"the whole thing is wrong"}', "the whole thing is wrong"),
    (b'{"errors":{"message":"one error by itself"}}', "one error by itself"),
    (b'{"error":"invalid_token","error_description":"it has expired"}', "invalid_token: it has expired"),
    (b'{"message":"Limit Exceeded"}', "Limit Exceeded"),
])
def it_says_what_was_there(body, words, start, fake_seek):
    fake_seek.answers["/graphql"] = body
    service = start(retry_base_ms=60000, retry_max_ms=60000)
    service.must_post(event("A-1"))
    application = eventually(lambda: (a := service.application("A-1")).get("lastError") and a, "tried once")
    assert words in application["lastError"]["message"]


def it_says_that_a_header_was_too_long(start, fake_seek):
    fake_seek.answers["/graphql"] = (200, {"X-Long": 1_000_000 * "x"}, DELIVERED)
    service = start(retry_base_ms=60000, retry_max_ms=60000)
    service.must_post(event("A-1"))
    application = eventually(lambda: (a := service.application("A-1")).get("lastError") and a, "tried once")
    assert "header" in application["lastError"]["message"], application["lastError"]


@pytest.mark.parametrize("length", [1900, 2048, 5000])
def it_keeps_seeks_words_whole_or_says_how_long_they_were(length, start, fake_seek):
    """Among the dead, in the status and in the log: 2,047 bytes, as docs/logs.md says, with the mark."""
    words = "no relationship; " + "ä" * ((length - 17) // 2)
    fake_seek.answers["/graphql"] = lambda body: refusal("FORBIDDEN", words)
    service = start()
    service.must_post(event("A-1"))
    told = {service.must_become("A-1", "dead")["lastError"]["message"], service.logs("signal_dead")[0]["detail"],
            service.get("/v1/applications?state=dead").json["applications"][0]["lastError"]["message"]}
    assert len(told) == 1, told
    message, bytes_in_all = told.pop(), len(words.encode())
    if bytes_in_all <= 2047:
        assert message == words
        return
    kept, _, mark = message.partition(" [cut: ")
    assert mark == f"{bytes_in_all} bytes in all]" and words.startswith(kept)
    assert 2047 - 2 <= len(message.encode()) <= 2047, "the room is used, and no character is cut in two"


# --- the issuer -----------------------------------------------------------------------------------------


def grant(**members):
    return json.dumps({"access_token": ACCESS_TOKEN} | members).encode()


@pytest.mark.parametrize("answer", [
    grant(expires_in="1800"), grant(expires_in=1800.0), grant(expires_in=1799.5), grant(expires_in=None), grant(), grant(expires_in="soon"),
    grant(expires_in=1800, token_type="bearer"), b"\xef\xbb\xbf" + grant(expires_in=1800),
    (200, {"Content-Encoding": "gzip"}, gzip.compress(grant(expires_in=1800)))], ids=range(9))
def it_takes_an_access_token_in_every_form(answer, start, fake_seek):
    fake_seek.answers["/oauth/token"] = answer
    service = start()
    service.must_post(event("A-1"))
    service.must_become("A-1", "delivered")
    assert len(fake_seek.calls["/oauth/token"]) == 1
    assert fake_seek.calls["/graphql"][0][0]["Authorization"] == f"Bearer {ACCESS_TOKEN}"


@pytest.mark.parametrize("kind", ["mac", "DPoP"])
def it_uses_no_access_token_of_another_type(kind, start, fake_seek):
    fake_seek.answers["/oauth/token"] = grant(expires_in=1800, token_type=kind)
    service = start()
    service.must_post(event("A-1"))
    error = eventually(lambda: service.get("/v1/status").json["accessToken"].get("lastError"), "the status says why")
    assert kind in error and "Bearer" in error
    assert not fake_seek.calls["/graphql"]


def it_waits_as_long_as_the_issuer_says(start, fake_seek):
    fake_seek.answers["/oauth/token"] = (429, {"Retry-After": "4"}, b"")
    service = start(retry_base_ms=20, retry_max_ms=200)
    began = time.monotonic()
    service.must_post(event("A-1"))
    eventually(lambda: len(fake_seek.calls["/oauth/token"]) == 2, "it is asked again")
    assert time.monotonic() - began > 3.5
    fake_seek.answers["/oauth/token"] = grant(expires_in=1800)
    service.must_become("A-1", "delivered")
    assert len(fake_seek.calls["/oauth/token"]) == 3


# --- check ----------------------------------------------------------------------------------------------


def version(body):
    assert body == {"query": "{ version }"}
    return b'{"data":{"version":"v7"}}'


def it_checks_with_the_access_token(stand, redis, fake_seek):
    fake_seek.answers["/graphql"] = version
    done = stand.service(redis_url=redis.url, **settings(fake_seek)).run("check")
    assert done.returncode == 0 and "with this access token, version v7" in done.stdout
    assert fake_seek.calls["/graphql"][0][0]["Authorization"] == f"Bearer {ACCESS_TOKEN}"


@pytest.mark.parametrize("answer, words", [
    ((200, {}, refusal("UNAUTHENTICATED", "who are you?")), "UNAUTHENTICATED: who are you?; SEEK does not take this access token"),
    ((401, {}, b""), ": SEEK or a proxy answered HTTP 401 with an empty body, not GraphQL; SEEK does not take this access token"),
    ((404, {"Content-Type": "text/html"}, b"<html>"), ": SEEK or a proxy answered HTTP 404 with text/html, not GraphQL; is GRAPHQL_URL right"),
    ((503, {}, b"busy"), ": SEEK or a proxy answered HTTP 503 with "),
    ((503, {}, b"busy"), "SEEK has trouble of its own"),
    ((429, {}, b""), "SEEK is rate-limiting us"),
    ((200, {}, b"<html>"), "cannot be read: at byte 0: not a value; is GRAPHQL_URL right"),
    ((200, {}, refusal("FORBIDDEN", f"not with {ACCESS_TOKEN}")), "FORBIDDEN: not with ****"),
    ((200, {}, b"{}"), "neither GraphQL errors nor a success of sendSignal")], ids=range(9))
def it_says_in_a_check_what_seek_said(answer, words, stand, redis, fake_seek):
    fake_seek.answers["/graphql"] = answer
    done = stand.service(redis_url=redis.url, **settings(fake_seek)).run("check")
    line = next(line for line in done.stdout.splitlines() if line.startswith("FAIL  SEEK"))
    assert done.returncode == 1 and f"http://{fake_seek.address}/graphql" in line and words in line, line
    assert ACCESS_TOKEN not in done.stdout


def it_says_in_a_check_why_there_is_no_answer(stand, redis, fake_seek):
    """In the words that the service has for it in its status."""
    known = settings(fake_seek)
    done = stand.service(redis_url=redis.url, **known | {"graphql_url": "http://127.0.0.1:1/graphql"}).run("check")
    assert re.search(r"^FAIL  SEEK +http://127.0.0.1:1/graphql: no connection to SEEK: ", done.stdout, re.M), done.stdout
    done = stand.service(redis_url=redis.url, **known | {"graphql_url": f"https://{fake_seek.address}/graphql"}).run("check")
    assert re.search(r"^FAIL  SEEK .*/graphql: the TLS handshake with SEEK failed: ", done.stdout, re.M), done.stdout


def it_checks_for_a_program(stand, redis, fake_seek):
    fake_seek.answers["/graphql"] = (503, {"Content-Type": "text/html"}, b"<html>")
    done = stand.service(redis_url=redis.url, **settings(fake_seek)).run("check", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1 and all(sorted(line) == ["check", "message", "result"] for line in lines), lines
    found = {line["check"]: line for line in lines}
    assert found["settings"] == {"check": "settings", "result": "ok", "message": "valid"}
    assert found["SEEK"]["result"] == "failed" and "answered HTTP 503 with text/html, not GraphQL; " in found["SEEK"]["message"]
    assert found["Redis"]["result"] == "ok"


def it_checks_with_the_limits_of_the_service(stand, redis, fake_seek):
    fake_seek.answers["/graphql"] = version
    fake_seek.answers["/oauth/token"] = grant(expires_in=1800, padding=100_000 * "x")
    done = stand.service(redis_url=redis.url, **settings(fake_seek)).run("check")
    assert done.returncode == 1 and "FAIL  access token" in done.stdout, done.stdout


def it_checks_beside_a_running_service_with_a_private_redis(stand, fake_seek):
    fake_seek.answers["/graphql"] = version
    service = stand.service(data_dir=f"{stand.directory}/data", **settings(fake_seek)).start()
    done = service.run("check")
    assert done.returncode == 0 and "private Redis of the running service" in done.stdout, done.stdout
    fake_seek.answers["/graphql"] = DELIVERED
    service.must_post(event("A-1"))
    service.must_become("A-1", "delivered")
    service.must_stop()


# --- a run of refusals ----------------------------------------------------------------------------------


def it_pauses_after_a_run_of_refusals_for_the_same_reason(start, fake_seek):
    fake_seek.answers["/graphql"] = refusal("FORBIDDEN", "no relationship")
    service = start(pause_after_refusals=10, max_in_flight=5, listen=f"127.0.0.1:{free_port()}")
    service.must_post([event(f"A-{n}", f"token-{n}") for n in range(200)])
    status = eventually(lambda: (s := service.get("/v1/status").json)["sending"]["paused"] and s["sending"]["inFlight"] == 0 and s, "it pauses")
    time.sleep(0.5)
    assert 10 <= service.get("/v1/status").json["signals"]["dead"] <= 30, status
    [line] = service.must_log("refusals_braked")
    assert line["level"] == "error" and line["code"] == "FORBIDDEN" and line["detail"] == "no relationship"
    service.must_show("seek_signal_refusal_brakes_total", 1)
    dead = service.get("/v1/status").json["signals"]["dead"]
    fake_seek.answers["/graphql"] = DELIVERED
    assert service.run("resume").returncode == 0
    eventually(lambda: service.metric("seek_signal_delivered_total") == 200 - dead, "what waited is delivered")


def it_does_not_pause_for_refusals_among_deliveries(start, fake_seek):
    fake_seek.answers["/graphql"] = lambda body: DELIVERED if body["variables"]["input"]["token"].endswith("0") else refusal("FORBIDDEN", "no relationship")
    service = start(pause_after_refusals=50, max_in_flight=1, workers=1)
    for n in range(100):
        service.must_post(event(f"A-{n}", f"token-{n}"))
    eventually(lambda: service.get("/v1/status").json["signals"]["dead"] == 90, "all are sent")
    assert not service.logs("refusals_braked")
