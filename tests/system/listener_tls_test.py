# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The API listener speaks TLS, to real clients: Python's ssl, which is OpenSSL, and curl."""
import http.client
import re
import socket
import ssl
import subprocess
import time

import pytest

import documents
from stand import call, event, eventually

KEY = "an-api-key-0123456789"
BEARER = {"Authorization": f"Bearer {KEY}"}


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Authority:
    """One that signs certificates for servers and clients."""

    def __init__(self, directory, name):
        self.directory, self.name = directory, name
        self.key, self.certificate = directory / f"{name}-key.pem", directory / f"{name}.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 30,
                "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.certificate)

    def sign(self, name, usage, days=10, names="DNS:api.example.com,DNS:localhost,IP:127.0.0.1"):
        """→ the paths of certificate and key."""
        base = self.directory / f"{self.name}-{name}"
        paths = base.with_suffix(".pem"), base.with_suffix(".key")
        request, extensions = base.with_suffix(".csr"), base.with_suffix(".ext")
        names = f"\nsubjectAltName={names}" if usage == "serverAuth" else ""
        extensions.write_text(f"extendedKeyUsage={usage}{names}\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
                "-keyout", paths[1], "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
                "-days", days, "-extfile", extensions, "-out", paths[0])
        return paths


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path, "authority")


class Files:
    """What the service reads; each change replaces a file as a whole."""

    def __init__(self, directory):
        self.directory = directory / "files"
        self.directory.mkdir()

    def path(self, name):
        return self.directory / name

    def put(self, **sources):
        for name, source in sources.items():
            fresh = self.directory / f".{name}"
            fresh.write_bytes(source if isinstance(source, bytes) else source.read_bytes())
            fresh.replace(self.path(name))

    def put_pair(self, pair):
        self.put(cert=pair[0], key=pair[1])


@pytest.fixture
def files(tmp_path, authority):
    files = Files(tmp_path)
    files.put_pair(authority.sign("server", "serverAuth"))
    return files


def trusting(authority, certificate=None):
    context = ssl.create_default_context(cafile=authority.certificate)
    if certificate is not None:
        context.load_cert_chain(*certificate)
    return context


def start(stand, redis, sandbox, files, authority, is_ready=True, **settings):
    service = stand.service(sandbox, redis_url=redis.url, tls_cert_file=files.path("cert"),
                            tls_key_file=files.path("key"), **settings)
    service.tls = trusting(authority)
    return service.start(is_ready)


def shown(service, context):
    """The certificate that a new connection is shown, its serial number."""
    host, port = service.address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=20) as plain:
        with context.wrap_socket(plain, server_hostname=host) as tls:
            return tls.getpeercert()["serialNumber"]


def curl(service, *arguments):
    return subprocess.run(["curl", "-sS", "-m", "20", *map(str, arguments), f"https://{service.address}/v1/status"],
                          capture_output=True, text=True, timeout=60)


def it_takes_events_over_tls(stand, redis, sandbox, files, authority):
    service = start(stand, redis, sandbox, files, authority)
    service.must_post(event("A-1", "token-1"))
    service.must_become("A-1", "delivered")
    assert service.logs("listening")[0]["tls"] == "api"
    assert curl(service, "--cacert", authority.certificate).returncode == 0
    assert curl(service).returncode == 60, "who does not trust the authority is not served"
    assert service.get("/v1/status").json["tls"]["reason"] is None
    assert service.metric("seek_signal_tls_files_unusable") == 0
    assert call(service.ops, "GET", "/readyz").status == 200, "the ops listener stays plain"
    service.must_stop()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def it_speaks_what_is_safe(version, stand, redis, sandbox, files, authority):
    service = start(stand, redis, sandbox, files, authority)
    context = trusting(authority)
    context.minimum_version = context.maximum_version = version
    assert service.get("/livez", tls=context).status == 200
    service.must_stop()


def it_refuses_what_is_not(stand, redis, sandbox, files, authority):
    service = start(stand, redis, sandbox, files, authority)
    weak = "ALL@SECLEVEL=0"
    for arguments, is_taken in ((["-tls1_2", "-cipher", weak], True), (["-tls1_1", "-cipher", weak], False),
                                (["-tls1", "-cipher", weak], False),
                                (["-tls1_2", "-cipher", "AES128-SHA:AES128-GCM-SHA256@SECLEVEL=0"], False)):
        done = subprocess.run(["openssl", "s_client", "-connect", service.address, *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60)
        assert (done.returncode == 0) == is_taken, (arguments, done)
        assert is_taken or "eof" in done.stderr or "alert" in done.stderr, "the server refuses, not the client"
    assert service.get("/livez").status == 200
    service.must_stop()


def it_tells_who_speaks_http_to_the_tls_port(stand, redis, sandbox, files, authority):
    service = start(stand, redis, sandbox, files, authority)
    for method, body in (("GET", None), ("POST", event("A-1")), ("POST", "x" * 100000)):
        answer = call(service.address, method, "/v1/events", body)
        assert answer.status == 400 and answer.json["code"] == "tls_required", answer
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert "https://" in answer.json["remedy"]
    [line] = service.must_log("plain_http_refused")  # once, not per call
    assert line["address"].startswith("127.0.0.1:"), "who it is"
    assert service.application("A-1") is None
    service.must_stop()


def it_keeps_no_place_for_who_is_silent(stand, redis, sandbox, files, authority):
    service = start(stand, redis, sandbox, files, authority, max_connections=4, read_timeout_ms=1000, intake_threads=1)
    host, port = service.address.rsplit(":", 1)
    silent = [socket.create_connection((host, int(port)), timeout=20) for _ in range(4)]
    assert service.get("/livez").status == 200
    for each in silent:
        assert each.recv(1) == b""
        each.close()
    eventually(lambda: service.metric("seek_signal_http_connections") == 1, "their places are free")
    with socket.create_connection((host, int(port)), timeout=20):
        service.must_stop()


def it_shows_a_renewed_certificate(stand, redis, sandbox, files, authority):
    service = start(stand, redis, sandbox, files, authority)
    before = shown(service, service.tls)
    kept = http.client.HTTPSConnection(service.address, timeout=20, context=service.tls)
    kept.request("GET", "/livez")
    assert kept.getresponse().read()

    files.put_pair(authority.sign("renewed", "serverAuth"))
    eventually(lambda: shown(service, service.tls) != before, "new connections get the new one")
    service.must_log("tls_renewed")
    kept.request("GET", "/livez")
    answer = kept.getresponse()
    assert answer.status == 200 and answer.headers["Connection"] == "close", "an old connection ends with its answer"
    kept.close()
    assert service.get("/v1/status").json["tls"]["renewals"] == 1
    service.must_stop()


def broken(authority, tmp_path):
    other = authority.sign("other", "serverAuth")
    return {
        "another's key": ({"key": other[1]}, "does not belong to"),
        "no certificate": ({"cert": b"rubbish"}, "not a certificate in PEM form"),
        "no key": ({"key": b""}, "not a private key"),
    }


@pytest.mark.parametrize("kind", ["another's key", "no certificate", "no key", "missing"])
def it_keeps_the_certificate_when_the_new_files_cannot_be_used(kind, stand, redis, sandbox, files, authority, tmp_path):
    service = start(stand, redis, sandbox, files, authority)
    before = shown(service, service.tls)
    if kind == "missing":
        words = "No such file"
        files.path("key").unlink()
    else:
        sources, words = broken(authority, tmp_path)[kind]
        files.put(**sources)
    [line] = service.must_log("tls_files_unusable")
    assert words in line["message"] and str(files.directory) in line["message"], line
    assert shown(service, service.tls) == before
    eventually(lambda: words in (service.get("/v1/status").json["tls"]["reason"] or ""), "the status says why")
    service.must_show("seek_signal_tls_files_unusable", 1)

    files.put_pair(authority.sign("renewed", "serverAuth"))
    eventually(lambda: shown(service, service.tls) != before, "the next pair is used")
    service.must_log("tls_files_usable")
    service.must_log("tls_files_unusable")  # once, not per look
    service.must_stop()


def it_serves_the_certificate_that_the_document_makes(stand, redis, sandbox, tmp_path):
    """To curl as the document has it, and to Python with the variable that it names."""
    (block,) = (block for block in documents.blocks() if block.place.startswith("docs/tls.md"))
    make, _, serve = block.commands()
    assert make.startswith("openssl req") and serve == "seek-signal"
    subprocess.run(make, shell=True, check=True, capture_output=True, cwd=tmp_path)
    service = stand.service(sandbox, redis_url=redis.url, tls_cert_file=tmp_path / "cert.pem", tls_key_file=tmp_path / "key.pem")
    service.tls = ssl.create_default_context(cafile=tmp_path / "cert.pem")
    service.start()
    (ask,) = (b.text for b in documents.one_liners() if b.place.startswith("docs/tls.md") and b.text.startswith("curl --cacert"))
    done = subprocess.run(ask.replace("127.0.0.1:8787", service.address), shell=True, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 0 and '"sending"' in done.stdout, done
    assert "`SSL_CERT_FILE=cert.pem` for Python" in (documents.ROOT / "docs" / "tls.md").read_text()
    done = subprocess.run(["/usr/bin/python3", "-c", f"import urllib.request; urllib.request.urlopen('https://{service.address}/v1/status')"],
                          env={"SSL_CERT_FILE": "cert.pem"}, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 0, done
    service.must_stop()


def it_says_that_its_certificate_has_ended(stand, redis, sandbox, files, authority):
    """It goes on, and clients refuse it: the log tells why, and so do the commands, which are such clients."""
    files.put_pair(authority.sign("old", "serverAuth", days=-1))
    service = start(stand, redis, sandbox, files, authority, is_ready=False)
    ended = service.must_log("tls_certificate_ended")[0]
    assert ended["level"] == "error" and ended["expires_at"]
    here = {"listen": service.address, "ops_listen": service.ops}
    done = service.run("status", **here)
    assert done.returncode == 1 and "expired" in done.stderr and "Run `seek-signal check`" in done.stderr
    assert re.search(r"^FAIL .* expired at .*: put the new one and its key into the files$", service.run("check", **here).stdout, re.M)
    metrics = call(service.ops, "GET", "/metrics").body.decode()
    assert float(re.search(r"^seek_signal_tls_certificate_expiry_timestamp_seconds (.*)$", metrics, re.M)[1]) < time.time()
    files.put_pair(authority.sign("next", "serverAuth"))
    service.must_log("tls_renewed")
    eventually(lambda: service.run("status", **here).returncode == 0, "clients take the next one")
    files.put_pair(authority.sign("older", "serverAuth", days=-1))
    eventually(lambda: len(service.logs("tls_certificate_ended")) == 2, "each one that has expired is logged once")
    service.must_stop()


def it_does_not_start_with_files_that_cannot_be_used(stand, redis, sandbox, files, authority):
    settings = {"redis_url": redis.url, "tls_cert_file": files.path("cert"), "tls_key_file": files.path("key")}
    files.put(key=authority.sign("other", "serverAuth")[1])
    for command in ("serve", "check"):
        done = stand.service(sandbox, **settings).run(command)
        assert done.returncode != 0 and "does not belong to" in done.stdout + done.stderr, done
    done = stand.service(sandbox, redis_url=redis.url, tls_cert_file=files.path("cert")).run("check")
    assert done.returncode == 2 and "belong together" in done.stderr
    done = stand.service(sandbox, redis_url=redis.url, tls_client_ca_file=authority.certificate).run("check")
    assert done.returncode == 2 and "TLS_CERT_FILE" in done.stderr


@pytest.mark.parametrize("key", [KEY, None])
def it_lets_the_commands_reach_it(stand, redis, sandbox, files, authority, key):
    service = start(stand, redis, sandbox, files, authority, api_key=key)
    service.must_post(event("A-1", "token-1"), headers=BEARER)
    here = {"listen": service.address, "ops_listen": service.ops}
    for command in (["status"], ["status", "A-1"], ["dead", "list"], ["pause"], ["resume"], ["health"]):
        done = service.run(*command, **here)
        assert done.returncode == 0, done
    assert "TLS" in service.run("check", **here).stdout
    # By whatever name the certificate has, also where it is not the address that is called.
    elsewhere = service.address.replace("127.0.0.1", "0.0.0.0")
    assert service.run("status", **here | {"listen": elsewhere}).returncode == 0
    other = authority.sign("other", "serverAuth")
    done = service.run("status", **here, tls_cert_file=other[0], tls_key_file=other[1])
    assert done.returncode == 1 and "certificate" in done.stderr, "another server is not taken for the own"
    assert f" at {service.address}: " in done.stderr and "does it use the certificate that is in TLS_CERT_FILE now" in done.stderr
    done = service.run("status", **here, tls_cert_file=None, tls_key_file=None)
    assert done.returncode == 1 and "give this command the service's TLS_CERT_FILE and TLS_KEY_FILE" in done.stderr
    service.must_stop()


# GnuTLS ends the connection of a client that asks for such a name.
def it_is_not_called_by_a_name_with_an_underscore(stand, redis, sandbox, files, authority):
    files.put_pair(authority.sign("some", "serverAuth", names="DNS:seek_signal,DNS:localhost,IP:127.0.0.1"))
    service = start(stand, redis, sandbox, files, authority)
    here = {"listen": service.address, "ops_listen": service.ops}
    done = service.run("status", **here)
    assert done.returncode == 0, done
    only = authority.sign("only", "serverAuth", names="DNS:seek_signal")
    done = service.run("status", **here, tls_cert_file=only[0], tls_key_file=only[1])
    assert done.returncode == 1 and "is for no name that can be asked for" in done.stderr, done
    service.must_stop()


def it_takes_a_clients_certificate_for_a_key(stand, redis, sandbox, files, authority, tmp_path):
    clients, strangers = Authority(tmp_path, "clients"), Authority(tmp_path, "strangers")
    files.put(ca=clients.certificate)
    service = start(stand, redis, sandbox, files, authority, api_key=KEY, tls_client_ca_file=files.path("ca"))
    good = trusting(authority, clients.sign("ats", "clientAuth"))
    service.must_post(event("A-1", "token-1"), headers=BEARER)
    assert service.post("/v1/events", event("A-2", "token-2"), tls=good).status == 202
    assert service.post("/v1/pause", {}, tls=good).status == 204
    assert service.post("/v1/resume", {}, tls=good).status == 204
    assert service.get("/v1/status").status == 401
    for certificate, words in ((strangers.sign("ats", "clientAuth"), "issuer is unknown"),
                               (clients.sign("expired", "clientAuth", days=-1), "expired"),
                               (clients.sign("server", "serverAuth"), "purpose")):
        bad = trusting(authority, certificate)
        answer = service.get("/v1/status", tls=bad)
        assert answer.status == 401 and words in answer.json["detail"], answer
        assert service.get("/v1/status", headers=BEARER, tls=bad).status == 200, "the key counts all the same"
        assert service.get("/livez", tls=bad).status == 200
    service.must_stop()


def it_needs_no_key_where_certificates_are_asked_for(stand, redis, sandbox, files, authority, tmp_path):
    clients = Authority(tmp_path, "clients")
    files.put(ca=clients.certificate)
    service = start(stand, redis, sandbox, files, authority, listen="localhost:0", tls_client_ca_file=files.path("ca"))
    assert service.get("/v1/status").status == 401
    good = trusting(authority, clients.sign("ats", "clientAuth"))
    assert service.get("/v1/status", tls=good).status == 200

    others = Authority(tmp_path, "others")
    files.put(ca=others.certificate)
    eventually(lambda: service.get("/v1/status", tls=good).status == 401, "a replaced authority is over")
    good = trusting(authority, others.sign("ats", "clientAuth"))
    assert service.get("/v1/status", tls=good).status == 200
    service.must_stop()


def it_warns_of_plain_http_beyond_this_machine(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, listen="0.0.0.0:0", api_key=KEY).start(is_ready=False)
    service.must_log("listening_plain")
    service.must_stop()
    service = stand.service(sandbox, redis_url=redis.url, name="local").start()
    assert not service.logs("listening_plain")
    service.must_stop()
