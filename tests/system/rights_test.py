# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Who may do what: the keys' rights are those of openapi.yaml, operation by operation, and wrong keys are slow."""
import concurrent.futures
import contextlib
import http.client
import json
import time

import pytest

import contract
from stand import call, event, eventually

KEY, READ_KEY = "everything-0123456789", "only-looks-0123456789"
SCHEMES = [{"apiKey": []}, {"apiReadKey": []}, {"clientCertificate": []}, {}]


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def service(stand, redis, sandbox):
    return stand.service(sandbox, redis_url=redis.url, api_key=KEY, api_read_key=READ_KEY, intake_threads=1).start()


def security(operation):
    return operation.get("security", contract.document()["security"])


def it_has_a_right_for_each_operation():
    for template, method, operation in contract.operations():
        wanted = SCHEMES if method == "get" else [s for s in SCHEMES if "apiReadKey" not in s]
        assert security(operation) == (wanted if template.startswith("/v1/") else []), template


def it_gives_each_key_the_rights_of_the_contract(service):
    for template, method, operation in contract.operations():
        path = template.replace("{id}", "A-none") + ("?state=due" if template == "/v1/applications" else "")
        body = {} if method in ("post", "put") else None
        may_look = not security(operation) or {"apiReadKey": []} in security(operation)
        for key, is_allowed in ((KEY, True), (READ_KEY, may_look), (None, not security(operation))):
            answer = service.call(method.upper(), path, body, bearer(key) if key else None)
            assert (answer.status not in (401, 403)) == is_allowed, (template, method, key, answer)
            if not is_allowed and key is not None:
                assert answer.json["code"] == "key_read_only", answer
    service.must_stop()


def it_tells_a_command_without_the_key_what_it_lacks(service):
    for keys in ({"api_key": None, "api_read_key": None}, {"api_key": "another-key-0123456789", "api_read_key": None}):
        done = service.run("status", **{"listen": service.address} | keys)
        assert done.returncode == 1 and "give this command the service's API_KEY or API_KEY_FILE" in done.stderr, done


def it_reads_both_keys_from_files(stand, redis, sandbox, tmp_path):
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "read").write_text(READ_KEY + "\n")
    service = stand.service(sandbox, redis_url=redis.url, api_key_file=tmp_path / "key",
                            api_read_key_file=tmp_path / "read").start()
    assert service.get("/v1/status", headers=bearer(READ_KEY)).status == 200
    (tmp_path / "read").write_text("another-that-looks\n")
    eventually(lambda: service.get("/v1/status", headers=bearer("another-that-looks")).status == 200, "the new key counts")
    [line] = service.must_log("secret_rotated")
    assert line["setting"] == "API_READ_KEY"
    service.must_stop()


def it_refuses_a_reading_key_alone(stand, redis, sandbox):
    done = stand.service(sandbox, redis_url=redis.url, api_read_key=READ_KEY).run("check")
    assert done.returncode == 2 and "API_KEY" in done.stderr, done
    done = stand.service(sandbox, redis_url=redis.url, api_key=KEY, api_read_key="change-me-please").run("check")
    assert done.returncode == 2 and "API_READ_KEY: it is an example's placeholder" in done.stderr, done


def it_answers_wrong_keys_late_and_nobody_else(service):
    with contextlib.ExitStack() as stack:
        wrong = [stack.enter_context(contextlib.closing(http.client.HTTPConnection(service.address, timeout=60))) for _ in range(90)]
        for each in wrong:
            each.connect()
        begun = time.monotonic()
        for each in wrong:  # all of them within the second that the first one waits
            each.request("POST", "/v1/events", json.dumps(event("A-1")), {"Content-Type": "application/json"} | bearer("wrong-key-0123"))
        eventually(lambda: service.metric("seek_signal_http_wrong_keys_total") == 90, "all are in")
        service.must_post(event("A-2", "token-2"), headers=bearer(KEY))
        answers = [each.getresponse() for each in wrong]
    assert {answer.status for answer in answers} == {401}
    closed = [answer for answer in answers if answer.headers.get("Connection") == "close"]
    assert len(closed) == 90 - 64, "who finds no place to wait loses the connection"
    assert time.monotonic() - begun >= 1, "the others have waited"
    (line,) = service.must_log("wrong_keys")
    assert line["address"].startswith("127.0.0.1:"), "who it is"
    service.must_stop()


def it_takes_the_next_key_on_the_same_connection(service):
    connection = http.client.HTTPConnection(service.address, timeout=20)
    for key, status in (("wrong-key-0123", 401), (KEY, 200), ("", 401), (READ_KEY, 200)):
        connection.request("GET", "/v1/status", headers=bearer(key))
        answer = connection.getresponse()
        assert (answer.status, bool(answer.read())) == (status, True)
    connection.close()
    service.must_stop()


def it_ends_while_wrong_keys_wait(service):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        wrong = [pool.submit(call, service.address, "GET", "/v1/status", None, bearer("wrong-key-0123")) for _ in range(8)]
        eventually(lambda: service.metric("seek_signal_http_wrong_keys_total") == 8, "all are in")
        service.must_stop()
        assert {each.result().status for each in wrong} <= {401, 503}
