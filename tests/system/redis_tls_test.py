# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Redis over TLS as it is by default: it demands a certificate. And what is said when the two ends do not agree."""
import subprocess

import pytest

from stand import Process, event, eventually, free_port


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Authority:
    def __init__(self, directory, name):
        self.directory, self.name = directory, name
        self.key, self.certificate = directory / f"{name}-ca.key", directory / f"{name}-ca.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 30,
                "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.certificate)

    def sign(self, name):
        base = self.directory / f"{self.name}-{name}"
        certificate, key = base.with_suffix(".pem"), base.with_suffix(".key")
        base.with_suffix(".ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
                "-keyout", key, "-out", base.with_suffix(".csr"))
        openssl("x509", "-req", "-in", base.with_suffix(".csr"), "-CA", self.certificate, "-CAkey", self.key,
                "-CAcreateserial", "-days", 10, "-extfile", base.with_suffix(".ext"), "-out", certificate)
        return certificate, key


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path, "authority")


@pytest.fixture
def tls_redis(stand, authority):
    """Also on a plain port; `tls_port` demands a certificate, as Redis has it by default."""
    certificate, key = authority.sign("redis")
    port = free_port()
    redis = stand.redis("--tls-port", port, "--tls-auth-clients", "yes", "--tls-cert-file", certificate,
                        "--tls-key-file", key, "--tls-ca-cert-file", authority.certificate)
    redis.tls_port = port
    return redis


class Pair:
    def __init__(self, directory):
        self.certificate, self.key = directory / "ours.pem", directory / "ours.key"

    def put(self, pair):
        for source, target in zip(pair, (self.certificate, self.key)):
            fresh = target.with_suffix(".new")
            fresh.write_bytes(source.read_bytes())
            fresh.replace(target)


def start(stand, sandbox, redis, authority, is_ready=True, **settings):
    return stand.service(sandbox, **{"redis_url": f"rediss://127.0.0.1:{redis.tls_port}",
                                     "redis_ca_file": authority.certificate} | settings).start(is_ready)


def must_say(service, words):
    return eventually(lambda: [line for line in service.logs("redis_lost") if words in line["message"]], f"the log says {words}")


def it_shows_its_certificate(stand, sandbox, tls_redis, authority, tmp_path):
    pair = Pair(tmp_path)
    pair.put(authority.sign("ours"))
    service = start(stand, sandbox, tls_redis, authority, redis_cert_file=pair.certificate, redis_key_file=pair.key)
    service.must_post(event("A-1", "token-1"))
    service.must_become("A-1", "delivered")
    done = service.run("check")
    assert "ok    Redis" in done.stdout, done
    service.must_stop()


def it_says_that_one_is_demanded(stand, sandbox, tls_redis, authority):
    service = start(stand, sandbox, tls_redis, authority, is_ready=False)
    must_say(service, "set REDIS_CERT_FILE and REDIS_KEY_FILE")
    service.must_stop()


def it_says_that_its_own_is_refused_and_uses_the_next(stand, sandbox, tls_redis, authority, tmp_path):
    pair = Pair(tmp_path)
    pair.put(Authority(tmp_path, "stranger").sign("ours"))
    service = start(stand, sandbox, tls_redis, authority, is_ready=False, redis_cert_file=pair.certificate,
                    redis_key_file=pair.key)
    must_say(service, "the server refuses our certificate")
    pair.put(authority.sign("ours"))
    eventually(lambda: service.get("/readyz").status == 200, "ready with the renewed one, without a restart")
    pair.key.unlink()
    tls_redis.cli("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    must_say(service, f"cannot read {pair.key}: No such file or directory")
    pair.put(authority.sign("again"))
    eventually(lambda: service.get("/readyz").status == 200, "ready again")
    service.must_stop()


def it_refuses_half_a_pair(stand, sandbox, authority):
    done = stand.service(sandbox, redis_url="rediss://127.0.0.1", redis_cert_file=authority.certificate).run("check")
    assert done.returncode == 2 and "REDIS_KEY_FILE belong together" in done.stderr


def it_tells_plain_from_tls(stand, sandbox, tls_redis, authority):
    service = stand.service(sandbox, redis_url=f"redis://127.0.0.1:{tls_redis.tls_port}").start(is_ready=False)
    must_say(service, "does the port speak TLS? Then use rediss://")
    service.must_stop()
    service = start(stand, sandbox, tls_redis, authority, is_ready=False, redis_url=f"rediss://127.0.0.1:{tls_redis.port}",
                    name="other")
    must_say(service, "use redis://")
    service.must_stop()


@pytest.mark.parametrize("scheme", ["valkey", "valkeys"])
def it_takes_the_other_name_of_redis(scheme, stand, sandbox, tls_redis, authority, tmp_path):
    certificate, key = authority.sign("ours")
    port = tls_redis.tls_port if scheme == "valkeys" else tls_redis.port
    service = start(stand, sandbox, tls_redis, authority, redis_url=f"{scheme}://127.0.0.1:{port}/0",
                    redis_cert_file=certificate, redis_key_file=key)
    service.must_post(event("A-1", "token-1"))
    service.must_become("A-1", "delivered")
    service.must_stop()


def it_finds_the_master_through_sentinels_over_tls(stand, sandbox, tls_redis, authority, tmp_path):
    certificate, key = authority.sign("ours")
    port, directory = free_port(), tmp_path / "sentinel"
    directory.mkdir()
    (directory / "sentinel.conf").write_text(f"""port 0
tls-port {port}
tls-cert-file {certificate}
tls-key-file {key}
tls-ca-cert-file {authority.certificate}
tls-replication yes
dir {directory}
sentinel monitor applications 127.0.0.1 {tls_redis.tls_port} 1
""")

    sentinel = stand.add(Process("sentinel", tmp_path))
    sentinel.spawn(["redis-sentinel", directory / "sentinel.conf"])
    service = start(stand, sandbox, tls_redis, authority, redis_url=f"rediss+sentinel://127.0.0.1:{port}/applications",
                    redis_cert_file=certificate, redis_key_file=key)
    service.must_post(event("A-1", "token-1"))
    service.must_become("A-1", "delivered")
    service.must_stop()


def it_takes_a_long_password_from_a_file(stand, sandbox, redis, tmp_path):
    password = "IAM" + "0123456789abcdef" * 256  # 4 KiB, as tokens of clouds are
    redis.cli("ACL", "SETUSER", "cloud", "on", ">" + password, "~*", "&*", "+@all")
    (tmp_path / "url").write_text(f"redis://cloud:{password}@127.0.0.1:{redis.port}\n")
    service = stand.service(sandbox, redis_url_file=tmp_path / "url").start()
    service.must_post(event("A-1", "token-1"))
    service.must_become("A-1", "delivered")
    service.must_stop()
    assert password[:40] not in service.text()


def it_refuses_what_follows_a_question_mark(stand, sandbox):
    for url in ("redis://127.0.0.1:6379/0?timeout=5", "rediss://127.0.0.1?ssl_cert_reqs=none", "redis://u:p@127.0.0.1:1?x"):
        done = stand.service(sandbox, redis_url=url).run("check")
        assert done.returncode == 2 and "the part after the ? is not supported" in done.stderr, done
