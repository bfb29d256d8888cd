# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""SEEK over TLS: verified always, HTTP/2 where it is offered."""
import os
import shutil
import subprocess

import pytest

from stand import SERVICE, TOKEN, Process, event, eventually, free_port


def https_sandbox(stand, *arguments):
    directory = f"{stand.directory}/tls"
    return stand.sandbox("--tls-listen", "127.0.0.1:0", "--tls-dir", directory, *arguments)


def https_settings(address, ca, **settings):
    return dict(graphql_url=f"https://{address}/graphql", token_url=f"https://{address}/oauth/token",
                ca_file=ca) | settings


def it_delivers_over_tls_with_the_given_ca(stand, redis):
    sandbox = https_sandbox(stand)
    service = stand.service(**https_settings(sandbox.ready["https"], sandbox.ready["ca"], redis_url=redis.url)).start()
    service.must_post(event("A-1"))
    sandbox.must_receive(TOKEN)
    assert service.run("check").returncode == 0
    service.must_stop()


@pytest.mark.parametrize("case", ["unknown-ca", "expired", "wrong-host"])
def it_sends_nothing_to_a_server_that_it_cannot_verify(case, stand, redis):
    sandbox = https_sandbox(stand, *(["--tls-expired"] if case == "expired" else []))
    address = sandbox.ready["https"]
    if case == "wrong-host":
        address = address.replace("127.0.0.1", "127.0.0.2")
    service = stand.service(**https_settings(
        address, None if case == "unknown-ca" else sandbox.ready["ca"], redis_url=redis.url)).start()
    service.must_post(event("A-1"))
    eventually(lambda: service.get("/v1/status").json["accessToken"]["lastError"], "the reason is told")
    assert not sandbox.calls(), "not even the client secret was sent"
    assert service.application("A-1")["attempts"] == 0
    check = service.run("check")
    assert check.returncode == 1 and "FAIL" in check.stdout
    service.must_stop()


def it_speaks_http_2_where_it_is_offered(stand, redis):
    sandbox = https_sandbox(stand)
    port = free_port()
    directory = f"{stand.directory}/tls"
    log = f"{stand.directory}/nginx-access.log"
    with open(f"{stand.directory}/nginx.conf", "w") as file:
        file.write(f"""
daemon off; master_process off; pid {stand.directory}/nginx.pid; error_log {stand.directory}/nginx-error.log;
events {{}}
http {{
    log_format protocol "$server_protocol $connection"; access_log {log} protocol;
    server {{
        listen 127.0.0.1:{port} ssl http2;
        ssl_certificate {directory}/cert.pem; ssl_certificate_key {directory}/key.pem;
        location / {{ proxy_pass http://{sandbox.address}; }}
    }}
}}
""")
    nginx = stand.add(Process("nginx", stand.directory))
    nginx.spawn([shutil.which("nginx") or "/usr/sbin/nginx", "-c", f"{stand.directory}/nginx.conf"])
    service = stand.service(**https_settings(f"127.0.0.1:{port}", sandbox.ready["ca"], redis_url=redis.url)).start()
    service.must_post([event(f"A-{n}", f"t-{n}") for n in range(100)])
    for n in range(100):
        service.must_become(f"A-{n}", "delivered")
    lines = open(log).read().split("\n")[:-1]
    assert {line.split()[0] for line in lines} == {"HTTP/2.0"}
    assert len({line.split()[1] for line in lines}) < 20, "connections are reused"
    service.must_stop()


def it_trusts_nobody_beside_the_given_ca(stand, redis):
    """Not the system's directory either, which Debian's libcurl would add."""
    sandbox, other, system = https_sandbox(stand), f"{stand.directory}/other.pem", f"{stand.directory}/system"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=other", "-keyout", f"{stand.directory}/other-key.pem", "-out", other], check=True, capture_output=True)
    os.mkdir(system)
    shutil.copy(sandbox.ready["ca"], system)
    subprocess.run(["openssl", "rehash", system], check=True)
    trusting = ["unshare", "--map-root-user", "--mount", "sh", "-c", f"mount --bind {system} /etc/ssl/certs && exec \"$@\"", "sh"]
    if subprocess.run([*trusting, "true"], capture_output=True).returncode != 0:
        pytest.skip("this machine does not let a test put another directory over /etc/ssl/certs")
    service = stand.service(**https_settings(sandbox.ready["https"], other, redis_url=redis.url))
    for ca, is_trusted in ((other, False), (sandbox.ready["ca"], True)):
        service.settings["ca_file"] = ca
        done = subprocess.run([*trusting, SERVICE, "check"], env=service.environment(), capture_output=True, text=True, timeout=60)
        assert (done.returncode == 0) is is_trusted, done.stdout
