# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Proxies of the environment: for SEEK, never for what is on this machine, and nobody sees their passwords."""
import contextlib
import socket
import threading

import pytest

from stand import event, eventually, free_port

API_KEY = "api-key-Lw82nq"
PASSWORD = "s3cretpw#1"
VARIABLES = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]


class RecordingProxy:
    """Keeps what it is sent and answers `answer`."""

    def __init__(self, answer=b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n<html>P</html>\n"):
        self.answer, self.seen = answer, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.place = f"127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return  # closed
            with contextlib.suppress(OSError), connection:
                connection.settimeout(5)
                self.seen.append(connection.recv(65536))
                connection.sendall(self.answer)

    def close(self):
        self.listener.close()


@pytest.fixture
def proxy():
    proxy = RecordingProxy()
    yield proxy
    proxy.close()


@pytest.fixture
def environment(monkeypatch):
    """Proxy variables for whatever is started next, and no others."""
    for name in [*VARIABLES, "no_proxy", "NO_PROXY"]:
        monkeypatch.delenv(name, raising=False)

    def put(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
    return put


def all_of(proxy):
    return dict.fromkeys(VARIABLES, f"http://{proxy.place}")


@pytest.mark.parametrize("listen", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "[::]", "127.9.9.9", "[::ffff:127.0.0.1]", "unix"])
def it_asks_the_own_service_without_a_proxy(listen, stand, redis, sandbox, proxy, environment):
    def place(name):
        return f"unix:{stand.directory}/{name}" if listen == "unix" else f"{listen}:{free_port()}"
    service = stand.service(sandbox, redis_url=redis.url, api_key=API_KEY, listen=place("api"), ops_listen=place("ops"))
    service.start(is_ready=False)
    environment(**all_of(proxy))
    eventually(lambda: service.run("health").returncode == 0, "healthy")
    for command in (["health"], ["status"], ["status", "A"], ["pause"], ["resume"], ["dead", "list"], ["dead", "replay", "--all"], ["dead", "show", "A"]):
        done = service.run(*command)
        assert done.returncode == (1 if command[-1] == "A" else 0), (command, done.stdout, done.stderr)
        assert "html" not in done.stdout + done.stderr
    assert proxy.seen == []
    service.must_stop()


def it_asks_the_own_service_at_any_of_its_addresses_without_a_proxy(stand, proxy, environment):
    """Whatever LISTEN names is this machine; here nobody listens, and the proxy is not asked instead."""
    environment(**all_of(proxy))
    for host in ("192.0.2.1", "127.1", "host.invalid", "localhost."):
        done = stand.service(api_key=API_KEY, listen=f"{host}:9", ops_listen=f"{host}:9").run("status", timeout=30)
        assert done.returncode == 1 and "no answer from" in done.stderr
    assert proxy.seen == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def it_reaches_sandbox_and_collector_on_this_machine_without_a_proxy(host, stand, redis, sandbox, proxy, environment):
    environment(**all_of(proxy))
    collector = RecordingProxy(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
    service = stand.service(sandbox, redis_url=redis.url, graphql_url=f"http://{host}:{sandbox.port}/graphql",
                            token_url=f"http://{host}:{sandbox.port}/oauth/token", otel_exporter_otlp_protocol="http/json", otel_bsp_schedule_delay="50",
                            otel_exporter_otlp_endpoint=f"http://{host}:{collector.place.rsplit(':', 1)[1]}")
    check = service.run("check")
    assert check.returncode == 0, check.stdout
    service.start()
    service.must_post(event("A-1"))
    service.must_become("A-1", "delivered")
    eventually(lambda: any(b"/v1/traces" in seen for seen in collector.seen), "a span comes")
    service.must_stop()
    assert proxy.seen == []
    collector.close()


def it_reaches_seek_through_the_proxy_and_names_it(stand, redis, environment):
    refusing = RecordingProxy(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
    environment(HTTPS_PROXY=f"http://user:p%40ss-Qz81@{refusing.place}")
    service = stand.service(redis_url=redis.url, graphql_url="https://seek.invalid/graphql", token_url="https://seek.invalid/oauth/token")
    check = service.run("check")
    assert check.returncode == 1 and f"the proxy {refusing.place} (HTTPS_PROXY)" in check.stdout and "407" in check.stdout, check.stdout
    assert any(seen.startswith(b"CONNECT seek.invalid:443") for seen in refusing.seen)
    service.start()
    service.must_post(event("A-1"))
    error = eventually(lambda: service.get("/v1/status").json["accessToken"].get("lastError"), "the status says why")
    assert f"the proxy {refusing.place} (HTTPS_PROXY)" in error and "407" in error
    [line] = service.must_log("proxy_used")
    assert line["seek"] == line["issuer"] == f"{refusing.place} (HTTPS_PROXY)"
    [line] = service.must_log("access_token_failed")
    assert f"the proxy {refusing.place} (HTTPS_PROXY)" in line["detail"]
    service.must_stop()
    seen = check.stdout + check.stderr + service.text() + error
    assert "p%40ss" not in seen and "p@ss" not in seen and "user:" not in seen
    refusing.close()


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize("value", [f"http://user:{PASSWORD}@127.0.0.1:3128", f"user:{PASSWORD}@127.0.0.1:3128", f"ftp://user:{PASSWORD}@127.0.0.1:3128",
                                   f"http://user:12#{PASSWORD}@127.0.0.1", f"http://user:{PASSWORD}/x@127.0.0.1:3128", f"http://user: {PASSWORD}@h:port",
                                   f"http://us/er:{PASSWORD}@h", f"http://user:{PASSWORD}@", f"http://h:99999/{PASSWORD}"], ids=range(9))
def it_refuses_a_proxy_that_cannot_be_used_without_showing_it(value, variable, stand, redis, environment):
    environment(**{variable: value})
    service = stand.service(redis_url=redis.url, graphql_url="https://seek.invalid/graphql", token_url="https://seek.invalid/oauth/token")
    for command in ("check", "serve"):
        done = service.run(command)
        assert done.returncode == 2 and f"{variable}=(hidden): " in done.stderr, done.stdout + done.stderr
        assert "s3cret" not in done.stdout + done.stderr
    running = service.run("status")
    assert running.returncode == 1 and "s3cret" not in running.stdout + running.stderr


def it_asks_for_no_good_proxy_where_none_is_used(stand, redis, sandbox, environment):
    environment(HTTPS_PROXY=f"http://user:{PASSWORD}@127.0.0.1:3128", http_proxy=f"http://user:{PASSWORD}@127.0.0.1:3128")
    service = stand.service(sandbox, redis_url=redis.url).start()
    service.must_post(event("A-1"))
    service.must_become("A-1", "delivered")
    service.must_stop()
    assert "s3cret" not in service.text()


@pytest.mark.parametrize("status, code, state", [("407 Proxy Authentication Required", "PROXY_REFUSED", "misconfigured"), ("403 Forbidden", "PROXY_REFUSED", "misconfigured"),
                                                 ("502 Bad Gateway", "NO_CONNECTION", "transient"), ("429 Too Many Requests", "NO_CONNECTION", "transient")])
def it_says_that_the_proxy_lets_nobody_through(status, code, state, stand, redis, sandbox, environment):
    refusing = RecordingProxy(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
    environment(HTTPS_PROXY=f"http://{refusing.place}")
    service = stand.service(sandbox, redis_url=redis.url, graphql_url="https://seek.invalid/graphql", retry_base_ms=60000, retry_max_ms=60000).start()
    service.must_post(event("A-1"))
    application = eventually(lambda: (a := service.application("A-1")).get("lastError") and a, "tried once")
    assert application["lastError"]["code"] == code and application["lastError"]["class"] == state
    assert f"the proxy {refusing.place} (HTTPS_PROXY)" in application["lastError"]["message"] and status[:3] in application["lastError"]["message"]
    told = service.must_log("upstream_misconfigured", int(state == "misconfigured"))
    assert all("The proxy refuses the connection to SEEK." in line["message"] for line in told)
    service.must_stop()
    refusing.close()
