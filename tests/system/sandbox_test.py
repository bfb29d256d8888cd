# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The stand-in for SEEK itself: what docs/sandbox.md promises to whoever tests against it."""
import concurrent.futures
import contextlib
import gzip
import http.client
import json
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.request

import pytest
from stand import SANDBOX, call, eventually

CREDENTIALS = {"audience": "https://graphql.seek.com", "client_id": "client-1",
               "client_secret": "hush-hush-Yw3", "grant_type": "client_credentials"}
MUTATION = "mutation ($input: SendSignalInput!) {\n  sendSignal(input: $input)\n}"
DELIVERED = {"data": {"sendSignal": True}, "extensions": {"requestLatency": 1}}


def get_access_token(sandbox, **members):
    return call(sandbox.address, "POST", "/oauth/token", CREDENTIALS | members)


def body_of(token):
    return {"query": MUTATION, "variables": {"input": {
        "typeCode": "ApplicationComplete", "token": token, "timestamp": "2020-01-02T00:00:00.000Z"}}}


class Caller:
    """An ATS that talks to SEEK directly."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.access_token = get_access_token(sandbox).json["access_token"]

    def send(self, token="t", timeout=60, **headers):
        headers = {"Authorization": f"Bearer {self.access_token}"} | headers
        return call(self.sandbox.address, "POST", "/graphql", body_of(token), headers, timeout)


@pytest.fixture
def caller(sandbox):
    return Caller(sandbox)


def it_answers_the_version_without_credentials(sandbox):
    answer = call(sandbox.address, "POST", "/graphql", {"query": "{ version }"})
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.json == {"data": {"version": "abcdefa.12345"}, "extensions": {"requestLatency": 1}}


def it_takes_a_signal_and_writes_it_down(sandbox, caller):
    headers = {"X-Request-Id": "r-1", "User-Agent": "ats/1", "Accept-Language": "en-AU", "X-Session-Id": "s-1",
               "traceparent": "00-1-1-01"}
    assert caller.send("token-1", **headers).json == DELIVERED
    entry = sandbox.calls("graphql")[0]
    assert entry.pop("monotonicUs") > 0 and entry.pop("receivedAt").endswith("Z")
    assert entry == {
        "sequence": 2, "kind": "graphql", "authorized": True, "status": 200, "requestId": "r-1", "userAgent": "ats/1",
        "acceptLanguage": "en-AU", "sessionId": "s-1", "traceparent": "00-1-1-01", "seekToken": "token-1",
        "timestamp": "2020-01-02T00:00:00.000Z", "typeCode": "ApplicationComplete", "accessToken": None,
        "outcome": "delivered", "fault": None, "remarks": []}


def it_counts_duplicates(sandbox, caller):
    for _ in range(3):
        assert caller.send("again", **{"X-Request-Id": "r"}).json == DELIVERED
    assert sandbox.control("GET", "/signals?seekToken=again")["signals"] == [{
        "seekToken": "again", "count": 3, "firstSequence": 2, "lastSequence": 4,
        "timestamps": ["2020-01-02T00:00:00.000Z"] * 3, "requestIds": ["r"] * 3}]
    assert sandbox.control("GET", "/counts")["signals"] == {
        "taken": 3, "distinct": 1, "duplicates": 2, "expired": 0}


def it_counts_expired_seek_tokens_and_says_nothing(sandbox, caller):
    sandbox.settings(expiredContains="old")
    assert caller.send("an-old-one").json == DELIVERED
    assert sandbox.control("GET", "/counts")["signals"]["expired"] == 1


def it_lets_access_tokens_expire_for_real(sandbox):
    sandbox.settings(expiresIn=1)
    caller = Caller(sandbox)
    began = time.monotonic()
    assert caller.send().json == DELIVERED
    eventually(lambda: "errors" in caller.send().json, "the access token expires")
    assert time.monotonic() - began >= 0.9
    assert caller.send().json["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def it_revokes_access_tokens(sandbox, caller):
    sandbox.control("POST", "/revoke")
    assert caller.send().json["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert Caller(sandbox).send().json == DELIVERED


def it_lets_the_secret_be_rotated(sandbox):
    sandbox.settings(clientSecret="next")
    assert get_access_token(sandbox).status == 401
    assert get_access_token(sandbox, client_secret="next").status == 200


def it_forbids_everything_in_the_playground(stand):
    answer = Caller(stand.sandbox("--playground")).send()
    assert answer.json["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert answer.json["data"] == {"sendSignal": None}


def it_keeps_bodies_when_asked(sandbox, caller):
    caller.send("unkept")
    sandbox.settings(keepBodies=True)
    caller.send("kept")
    get_access_token(sandbox)
    unkept, kept = sandbox.calls("graphql", bodies=True)
    assert unkept["body"] is None
    assert json.loads(kept["body"]) == body_of("kept")
    assert all(c["body"] is None for c in sandbox.calls("token", bodies=True)), "they hold the client secret"


def it_answers_a_scripted_status(sandbox, caller):
    sandbox.fault(kind="status", status=503, retryAfter=7, count=2)
    for _ in range(2):
        answer = caller.send()
        assert answer.status == 503 and answer.headers["Retry-After"] == "7"
        assert answer.headers["Content-Type"] == "text/html" and b"<h1>503" in answer.body
    assert caller.send().json == DELIVERED
    assert [c["outcome"] for c in sandbox.calls("graphql")] == ["status", "status", "delivered"]


def it_answers_an_error_at_any_status(sandbox, caller):
    """As GraphQL servers do, whose schema is another."""
    sandbox.fault(kind="graphql-error", status=400, code="BAD_USER_INPUT", message='Variable "$input" got invalid value')
    answer = caller.send("t-1")
    assert answer.status == 400 and answer.json["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT"}
    assert not sandbox.signals("t-1")


@pytest.mark.parametrize("on", ["graphql", "token"])
def it_answers_what_it_is_told(on, sandbox, caller):
    text = '\ufeff{"errors":"\\ud800","token_type":"mac"}'
    sandbox.fault(on=on, kind="answer", status=418, contentType="text/json; charset=x", text=text)
    answer = caller.send("t-1") if on == "graphql" else get_access_token(sandbox)
    assert (answer.status, answer.headers["Content-Type"], answer.body) == (418, "text/json; charset=x", text.encode())
    sandbox.fault(on=on, kind="answer", contentType="")
    answer = caller.send("t-2") if on == "graphql" else get_access_token(sandbox)
    assert (answer.status, answer.headers["Content-Type"], answer.body) == (200, None, b"")
    assert sandbox.calls(on)[-1]["outcome"] == "answer" and not sandbox.signals("t-1")


def it_codes_an_answer_that_nobody_asked_to_be_coded(sandbox, caller):
    sandbox.fault(kind="gzip")
    answer = caller.send("t-1")
    assert answer.headers["Content-Encoding"] == "gzip" and json.loads(gzip.decompress(answer.body)) == DELIVERED
    assert len(sandbox.signals("t-1")) == 1
    sandbox.fault(on="token", kind="gzip")
    assert json.loads(gzip.decompress(get_access_token(sandbox).body))["token_type"] == "Bearer"


def it_makes_an_answer_as_large_as_it_is_told(sandbox, caller):
    for size in (100_000, 8 << 20):
        sandbox.fault(kind="large", bytes=size)
        answer = caller.send("t-1")
        assert len(answer.body) == size and answer.json == DELIVERED
    sandbox.fault(kind="large")
    assert len(caller.send("t-1").body) == 2 << 20
    assert len(sandbox.signals("t-1")) == 3


def it_plays_what_the_service_must_understand(service, sandbox):
    """A success in unusual clothes is one; an answer that is too large may be one."""
    sandbox.fault(kind="gzip")
    service.must_post({"applicationId": "A-1", "token": "t-1"})
    assert service.must_become("A-1", "delivered")["attempts"] == 1
    sandbox.fault(kind="large", bytes=700_000)
    service.must_post({"applicationId": "A-2", "token": "t-2"})
    assert service.must_become("A-2", "delivered")["attempts"] == 1
    sandbox.fault(kind="large")
    service.must_post({"applicationId": "A-3", "token": "t-3"})
    error = eventually(lambda: service.application("A-3").get("lastError"), "tried once")
    assert error["code"] == "TOO_LARGE" and error["class"] == "unreadable"


def it_resets_before_and_after_the_signal_is_taken(sandbox, caller):
    for kind, outcome in (("reset", "reset"), ("reset-after", "delivered")):
        sandbox.control("DELETE", "/ledger")
        sandbox.fault(kind=kind)
        with pytest.raises(ConnectionResetError):
            caller.send()
        assert [(c["outcome"], c["fault"], c["status"]) for c in sandbox.calls()] == [(outcome, kind, 0)]


def it_closes_without_an_answer(sandbox, caller, service):
    sandbox.fault(kind="close")
    with pytest.raises(http.client.RemoteDisconnected):
        caller.send()
    assert [(c["fault"], c["status"]) for c in sandbox.calls("graphql")] == [("close", 0)]
    assert sandbox.control("GET", "/counts")["signals"]["distinct"] == 0, "SEEK has nothing of it"
    sandbox.fault(kind="close")
    service.must_post({"applicationId": "A-1", "token": "t-1"})
    service.must_become("A-1", "delivered")
    assert [c["outcome"] for c in sandbox.calls("graphql")][-1] == "delivered"


def it_cuts_a_body(sandbox, caller):
    sandbox.fault(kind="cut-body")
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        caller.send("cut")
    assert len(sandbox.signals("cut")) == 1


@pytest.mark.parametrize("recorded, seen_early", [("start", 1), ("end", 0)])
def it_answers_slowly(sandbox, caller, recorded, seen_early):
    sandbox.fault(kind="slow", latencyMs=700, recorded=recorded)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        began = time.monotonic()
        answer = pool.submit(caller.send, "slow")
        eventually(lambda: sandbox.control("GET", "/faults")["faults"] == [], "the fault is used")
        assert len(sandbox.signals("slow")) == seen_early or time.monotonic() - began > 0.7
        assert answer.result().json == DELIVERED
        assert time.monotonic() - began >= 0.7
    assert len(sandbox.signals("slow")) == 1


def it_hangs_until_the_faults_are_cleared(sandbox, caller):
    sandbox.fault(kind="hang")
    sandbox.fault(kind="timeout-after")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        hanging = [pool.submit(caller.send, "hung") for _ in range(2)]
        eventually(lambda: len(sandbox.calls("graphql")) == 2, "both calls came")
        assert caller.send("meanwhile").json == DELIVERED
        assert not any(h.done() for h in hanging)
        sandbox.clear_faults()
        for h in hanging:
            with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
                h.result()
    assert sorted(c["outcome"] for c in sandbox.calls("graphql")) == ["delivered", "delivered", "hang"]


def it_survives_callers_that_give_up(sandbox, caller):
    sandbox.fault(kind="hang", seekTokenContains="hung")
    for _ in range(20):
        with pytest.raises(TimeoutError):
            caller.send("hung", timeout=0.05)
    assert caller.send().json == DELIVERED
    sandbox.clear_faults()
    assert caller.send().json == DELIVERED


def it_lets_many_calls_wait_at_once(sandbox, caller):
    sandbox.settings(latencyMs=500, latencyJitterMs=100)
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda n: caller.send(f"t-{n}"), range(50)))
    took = time.monotonic() - began
    assert all(a.json == DELIVERED for a in answers)
    assert 0.5 <= took < 50 * 0.5 / 2


def it_picks_calls_by_seek_token(sandbox, caller):
    sandbox.fault(kind="forbidden", seekTokenContains="bad")
    outcomes = [caller.send(t).json.get("errors", [{}])[0].get("extensions", {}).get("code")
                for t in ("good", "bad-1", "good", "bad-2")]
    assert outcomes == [None, "FORBIDDEN", None, "FORBIDDEN"]


def it_spoils_the_token_endpoint_alone(sandbox, caller):
    sandbox.fault(on="token", kind="status", status=500, body="json")
    assert caller.send().json == DELIVERED
    assert get_access_token(sandbox).status == 500
    assert get_access_token(sandbox).status == 200


def it_starts_with_a_script(stand, tmp_path):
    script = tmp_path / "faults.json"
    script.write_text('[{"kind": "internal"}, {"on": "token", "kind": "empty"}]')
    sandbox = stand.sandbox("--script", script)
    assert get_access_token(sandbox).body == b""
    answer = Caller(sandbox).send()
    assert answer.json["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"


def it_explains_wrong_control_calls(sandbox):
    for method, path, body, status, text in (
            ("POST", "/faults", {"kind": "explode"}, 400, 'there is no \\"explode\\"'),
            ("POST", "/faults", [], 201, ""),
            ("PATCH", "/settings", {"latencyMs": "1"}, 400, "latencyMs: expected an integer"),
            ("GET", "/ledger?limit=many", None, 400, "limit: expected a number"),
            ("GET", "/ledger?limit=10001", None, 400, "limit: expected a number from 0 to 10000"),
            ("GET", "/ledger?after=-1", None, 400, "after: expected a number"),
            ("PUT", "/ledger", None, 405, "other methods"),
            ("GET", "/nothing", None, 404, "no such path")):
        answer = call(sandbox.address, method, "/sandbox" + path, body)
        assert answer.status == status and text in answer.body.decode(), answer
    assert call(sandbox.address, "GET", "/").status == 404


def it_refuses_what_is_too_large(sandbox, caller):
    answer = call(sandbox.address, "POST", "/graphql", body_of("x" * (2 << 20)))
    assert answer.status == 413
    assert caller.send().json == DELIVERED


def it_reads_a_request_byte_by_byte(sandbox):
    host, port = sandbox.address.split(":")
    body = b'{"query":"{ version }"}'
    request = (b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
               b"Content-Length: %d\r\n\r\n" % len(body)) + body
    with socket.create_connection((host, int(port))) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request:
            connection.sendall(bytes([byte]))
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 200") and b"abcdefa.12345" in answer


def it_says_when_the_ledger_is_full(stand):
    sandbox = stand.sandbox("--ledger-max", "2")
    caller = Caller(sandbox)
    for n in range(3):
        assert caller.send(f"t-{n}").json == DELIVERED
    assert len(sandbox.calls()) == 2
    counts = sandbox.control("GET", "/counts")
    assert counts["ledger"] == {"calls": 2, "max": 2, "full": True} and counts["signals"]["taken"] == 3
    eventually(lambda: "ledger_full" in sandbox.text(), "the line that says so")


def it_writes_no_secret_into_its_log(sandbox, caller):
    caller.send("very-secret-seek-token")
    caller.send("a b")
    eventually(lambda: "delivered" in sandbox.text() and "BAD_USER_INPUT" in sandbox.text(), "a line for each call")
    for secret in (CREDENTIALS["client_secret"], caller.access_token, "very-secret-seek-token"):
        assert secret not in sandbox.text()


def it_is_silent_when_asked(stand):
    sandbox = stand.sandbox("--quiet")
    Caller(sandbox).send()
    assert len(sandbox.text().splitlines()) == 1, "the line that says it is ready"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def it_ends_cleanly_with_calls_waiting(sandbox, caller, number):
    sandbox.fault(kind="hang")
    sandbox.fault(kind="slow", latencyMs=60000)
    threads = [threading.Thread(target=give_up_quietly, args=(caller,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(sandbox.calls("graphql")) == 2, "both calls came")
    sandbox.must_stop(number)
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


def give_up_quietly(caller):
    with contextlib.suppress(OSError, http.client.HTTPException):
        caller.send()


def it_starts_again_on_the_same_port(sandbox, caller):
    caller.send()
    port = sandbox.port
    sandbox.must_stop()
    sandbox.start()
    assert sandbox.port == port
    assert caller.send().json["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED", "a new start knows nobody"


def run(*arguments, **options):
    return subprocess.run([str(SANDBOX), *map(str, arguments)], capture_output=True, text=True, timeout=60, **options)


def it_explains_a_start_that_cannot_be(sandbox, tmp_path):
    bad = tmp_path / "bad.json"
    bad.write_text('[{"kind": "no"}]')
    for arguments, status, text in (
            (["--bogus"], 2, "--bogus: unknown"),
            (["--listen", "127.0.0.1:0", "--script", tmp_path / "none.json"], 2, "none.json"),
            (["--listen", "127.0.0.1:0", "--script", bad], 2, 'fault 1: kind: there is no "no"'),
            (["--listen", sandbox.address], 1, str(sandbox.port)),
    ):
        done = run(*arguments)
        assert done.returncode == status and text in done.stderr and not done.stdout, done


def it_shows_help_and_version():
    assert "--tls-listen" in run("--help").stdout
    assert run("--version").stdout.startswith("seek-sandbox ")


def version_over_tls(sandbox, context):
    request = urllib.request.Request(f"https://{sandbox.ready['https']}/graphql", b'{"query":"{ version }"}',
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, context=context, timeout=30) as answer:
        return json.load(answer)["data"]["version"]


def it_speaks_tls_with_a_certificate_of_its_own_authority(stand, tmp_path):
    certificates = set()
    for _ in range(2):
        sandbox = stand.sandbox("--tls-listen", "127.0.0.1:0", "--tls-dir", tmp_path / "tls")
        assert version_over_tls(sandbox, ssl.create_default_context(cafile=sandbox.ready["ca"])) == "abcdefa.12345"
        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            version_over_tls(sandbox, ssl.create_default_context())
        certificates.add((tmp_path / "tls" / "cert.pem").read_text())
        sandbox.must_stop()
    assert len(certificates) == 1, "the second start uses what the first one made"
    assert (tmp_path / "tls" / "key.pem").stat().st_mode & 0o077 == 0


def it_makes_a_certificate_for_one_more_name(stand, tmp_path):
    sandbox = stand.sandbox("--tls-listen", "127.0.0.1:0", "--tls-dir", tmp_path / "tls", "--tls-name", "sandbox.test")
    for name in ("sandbox.test", "localhost"):
        context = ssl.create_default_context(cafile=sandbox.ready["ca"])
        with socket.create_connection(sandbox.ready["https"].rsplit(":", 1), timeout=30) as connection:
            context.wrap_socket(connection, server_hostname=name).close()
    done = run("--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0", "--tls-dir", tmp_path / "other",
               "--tls-name", "a,DNS:b")
    assert done.returncode != 0 and "not the name of a host" in done.stderr


def it_can_show_an_expired_certificate(stand, tmp_path):
    sandbox = stand.sandbox("--tls-listen", "127.0.0.1:0", "--tls-dir", tmp_path / "tls", "--tls-expired")
    with pytest.raises(urllib.error.URLError, match="expired"):
        version_over_tls(sandbox, ssl.create_default_context(cafile=sandbox.ready["ca"]))


def it_says_when_openssl_is_missing(tmp_path):
    done = run("--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0", "--tls-dir", tmp_path / "tls",
               env={"PATH": str(tmp_path)})
    assert done.returncode == 1 and "openssl is missing" in done.stderr
