# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Rotated secrets are picked up from their files without a restart, as Kubernetes replaces them: all at once, by a link.

Each test lets the other side stop taking the old one first, sees the trouble told, then rotates and sees it over.
"""
import pathlib
import subprocess

import pytest

from secret_volume import SecretVolume
from stand import event, eventually, free_port

OLD, NEW = "old-secret-Rk41wd", "new-secret-Ty97mb"


@pytest.fixture
def secrets(tmp_path):
    return SecretVolume(tmp_path)


def authority(directory, name):
    """A certificate authority and a server certificate of it, for 127.0.0.1."""
    directory = pathlib.Path(directory) / name
    directory.mkdir()

    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], cwd=directory, check=True, capture_output=True, timeout=60)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *key, "-days", "2", "-subj", f"/CN={name}", "-keyout", "ca-key.pem", "-out", "ca.pem")
    openssl("req", *key, "-subj", "/CN=server", "-keyout", "key.pem", "-out", "request.pem")
    (directory / "extensions").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial",
            "-days", "2", "-extfile", "extensions", "-out", "cert.pem")
    return directory


def must_tell_once(service, setting):
    [line] = service.must_log("secret_rotated")
    assert line["setting"] == setting


def it_uses_a_rotated_client_secret(stand, redis, secrets):
    sandbox = stand.sandbox("--client-id", "client-1", "--client-secret", OLD)
    secrets.put(client_secret=OLD)
    service = stand.service(sandbox, redis_url=redis.url, client_secret=None,
                            client_secret_file=secrets.path("client_secret")).start()
    service.must_post(event("A-1", "token-1"))
    service.must_become("A-1", "delivered")

    sandbox.settings(clientSecret=NEW)
    sandbox.control("POST", "/revoke")
    service.must_post(event("A-2", "token-2"))
    service.must_log("access_token_failed")
    eventually(lambda: service.application("A-2")["state"] == "pending", "the attempt is recorded")

    secrets.put(client_secret=NEW + "\n")
    service.must_become("A-2", "delivered", patience=40)
    service.must_log("access_token_recovered")
    must_tell_once(service, "CLIENT_SECRET")
    service.must_stop()


@pytest.mark.parametrize("user", ["default", "seek-signal"])
def it_uses_a_rotated_redis_password(user, stand, sandbox, secrets):
    redis = stand.redis()

    def password(value):
        redis.cli("ACL", "SETUSER", user, "on", "resetpass", ">" + value, "~*", "+@all")

    def url(value):
        return f"redis://{'' if user == 'default' else user}:{value}@127.0.0.1:{redis.port}"

    def cut():  # Redis keeps the connections of a user whose password is changed
        redis.try_cli("--user", user, "--pass", NEW, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    password(OLD)
    secrets.put(redis_url=url(OLD))
    service = stand.service(sandbox, redis_url_file=secrets.path("redis_url")).start()
    service.must_post(event("A-1", "token-1"))
    service.must_become("A-1", "delivered")

    redis.try_cli("--user", user, "--pass", OLD, "ACL", "SETUSER", user, "resetpass", ">" + NEW)
    cut()
    eventually(lambda: service.get("/readyz").status == 503, "not ready with the old password")
    eventually(lambda: any("Redis refused the" in line["message"] for line in service.logs()), "the log says why")
    said = [line["message"] for line in service.logs("redis_lost") if line["level"] == "error"]
    assert said and all(text.startswith(f"Redis refuses us: 127.0.0.1:{redis.port}: Redis refused the") for text in said), "it needs a person"

    secrets.put(redis_url=url(NEW))
    eventually(lambda: service.get("/readyz").status == 200, "ready with the new password")
    service.must_post(event("A-2", "token-2"))
    service.must_become("A-2", "delivered")
    must_tell_once(service, "REDIS_URL")
    service.must_stop()
    assert OLD not in service.text() and NEW not in service.text()


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def it_uses_a_rotated_api_key(stand, redis, sandbox, secrets):
    secrets.put(api_key=OLD)
    service = stand.service(sandbox, redis_url=redis.url, api_key_file=secrets.path("api_key")).start()
    service.must_post(event("A-1"), headers=bearer(OLD))
    service.must_post(event("A-2"), 401, headers=bearer(NEW))

    secrets.put(api_key=NEW)
    eventually(lambda: service.post("/v1/events", event("A-2"), bearer(NEW)).status == 202, "the new key counts")
    service.must_post(event("A-3"), 401, headers=bearer(OLD))
    must_tell_once(service, "API_KEY")
    service.must_stop()


def it_takes_two_api_keys_while_callers_change_over(stand, redis, sandbox, secrets):
    secrets.put(api_key=OLD)
    service = stand.service(sandbox, redis_url=redis.url, api_key_file=secrets.path("api_key")).start()
    secrets.put(api_key=f"{NEW}\n{OLD}\n")
    eventually(lambda: service.post("/v1/events", event("A-1"), bearer(NEW)).status == 202, "the new key counts")
    service.must_post(event("A-2"), headers=bearer(OLD))
    for wrong in ("", NEW + OLD, NEW[:-1]):
        service.must_post(event("A-3"), 401, headers=bearer(wrong))
    assert service.run("status", listen=service.address).returncode == 0, "our own commands send the first"

    secrets.put(api_key=NEW)
    eventually(lambda: service.post("/v1/events", event("A-4"), bearer(OLD)).status == 401, "the old key is over")
    service.must_stop()


def it_uses_a_rotated_authority_for_seek(stand, redis, secrets, tmp_path):
    old, new = authority(tmp_path, "old"), authority(tmp_path, "new")
    port = free_port()
    sandbox = stand.sandbox("--tls-listen", f"127.0.0.1:{port}", "--tls-dir", old)
    secrets.put(ca=(old / "ca.pem").read_text())
    service = stand.service(workers=1, redis_url=redis.url, ca_file=secrets.path("ca"),
                            graphql_url=f"https://127.0.0.1:{port}/graphql",
                            token_url=f"https://127.0.0.1:{port}/oauth/token").start()
    service.must_post(event("A-1", "token-1"))
    service.must_become("A-1", "delivered")

    sandbox.must_stop()
    sandbox.arguments = ("--tls-listen", f"127.0.0.1:{port}", "--tls-dir", new)
    sandbox.start()
    service.must_post(event("A-2", "token-2"))
    eventually(lambda: "certificate" in str(service.application("A-2").get("lastError")), "the refusal is told")

    secrets.put(ca=(new / "ca.pem").read_text())
    service.must_become("A-2", "delivered", patience=60)
    service.must_stop()


def it_uses_a_rotated_authority_for_redis(stand, sandbox, secrets, tmp_path):
    old, new = authority(tmp_path, "old"), authority(tmp_path, "new")
    port = free_port()
    redis = stand.redis("--tls-port", port, "--tls-auth-clients", "no", "--tls-cert-file", old / "cert.pem",
                        "--tls-key-file", old / "key.pem")
    secrets.put(ca=(old / "ca.pem").read_text())
    service = stand.service(sandbox, redis_url=f"rediss://127.0.0.1:{port}", redis_ca_file=secrets.path("ca")).start()
    service.must_post(event("A-1", "token-1"))
    service.must_become("A-1", "delivered")

    redis.cli("CONFIG", "SET", "tls-cert-file", new / "cert.pem", "tls-key-file", new / "key.pem")
    redis.cli("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    eventually(lambda: service.get("/readyz").status == 503, "not ready while the certificate is refused")
    eventually(lambda: any("certificate" in line["message"] for line in service.logs()), "the log says why")

    secrets.put(ca=(new / "ca.pem").read_text())
    eventually(lambda: service.get("/readyz").status == 200, "ready with the new authority")
    service.must_post(event("A-2", "token-2"))
    service.must_become("A-2", "delivered")
    service.must_stop()


@pytest.mark.parametrize("state", ["missing", "empty", "only a newline"])
def it_goes_on_with_the_old_value_while_a_file_is_in_the_making(state, stand, redis, sandbox, secrets):
    secrets.put(api_key=OLD)
    service = stand.service(sandbox, redis_url=redis.url, api_key_file=secrets.path("api_key")).start()
    secrets.put(**{"missing": {}, "empty": {"api_key": ""}, "only a newline": {"api_key": "\n"}}[state])
    [line] = service.must_log("secret_unreadable")
    assert line["setting"] == "API_KEY" and str(secrets.path("api_key")) in line["message"]
    service.must_post(event("A-1"), headers=bearer(OLD))
    assert service.get("/readyz").status == 200

    secrets.put(api_key=NEW + "\r\n")
    eventually(lambda: service.post("/v1/events", event("A-2"), bearer(NEW)).status == 202, "the new key counts")
    must_tell_once(service, "API_KEY")
    service.must_log("secret_unreadable")  # once, not per look
    service.must_stop()
