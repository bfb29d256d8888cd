# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""What may stand on the way to SEEK: a front that ends connections, a proxy that one gets through by CONNECT, addresses that
do not answer. SEEK is the sandbox."""
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import threading

import pytest

from programs import debian_version, is_listening, program
from stand import Process, event, eventually, free_port

ONE_OF_BOTH = [pytest.param("HTTP/1.1", marks=pytest.mark.whole), "HTTP/2"]
PROTOCOLS = {"HTTP/1.1": "", "HTTP/2": " http2"}
BUSY = 60  # seconds


class Nginx(Process):
    """TLS in front of the sandbox, with a master, so that it can be told to read its configuration again."""

    def __init__(self, stand, sandbox, protocol="HTTP/2", server="", http="", address="127.0.0.1"):
        super().__init__("nginx", stand.directory)
        self.place = f"{address}:{free_port()}"
        self.access = pathlib.Path(stand.directory, "access.log")
        tls = pathlib.Path(stand.directory, "tls")
        configuration = pathlib.Path(stand.directory, "nginx.conf")
        configuration.write_text(f"""
user root; daemon off; worker_processes 2; pid {stand.directory}/nginx.pid; error_log stderr;
events {{}}
http {{
    log_format protocol "$server_protocol $connection $status"; access_log {self.access} protocol;
    client_body_temp_path {stand.directory}/body; proxy_temp_path {stand.directory}/temp;
    {http}
    upstream sandbox {{ server {sandbox.address}; keepalive 64; }}
    server {{
        listen {self.place} ssl{PROTOCOLS[protocol]};
        ssl_certificate {tls}/cert.pem; ssl_certificate_key {tls}/key.pem;
        {server}
        location / {{ proxy_pass http://sandbox; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_next_upstream off; }}
    }}
}}
""")
        self.spawn([program("nginx"), "-c", configuration])
        host, port = self.place.rsplit(":", 1)
        eventually(lambda: self.is_running() and is_listening(host.strip("[]"), int(port)), "nginx listens")

    def has_connections(self):
        """Of clients, as the kernel sees it: one that nginx has closed is not established (01) any more."""
        port = f":{int(self.place.rsplit(':', 1)[1]):04X}"
        sockets = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()]
        return any(fields[1].endswith(port) and fields[3] == "01" for fields in sockets)

    def lines(self):
        return [line.split() for line in self.access.read_text().splitlines()]


@pytest.fixture
def tls_sandbox(stand):
    return stand.sandbox("--tls-listen", "127.0.0.1:0", "--tls-dir", f"{stand.directory}/tls", "--tls-name", "seek.test")


@pytest.fixture
def start(stand, redis, tls_sandbox):
    def start(place, **settings):
        return stand.service(**dict(redis_url=redis.url, graphql_url=f"https://{place}/graphql", token_url=f"https://{place}/oauth/token",
                                    ca_file=tls_sandbox.ready["ca"], request_timeout_ms=60000) | settings).start()
    return start


def nginx_title():
    return f"nginx {debian_version('nginx')}"


def must_have_delivered(service, sandbox, count, patience=BUSY):
    """All, none twice, none dead; answers how many of them needed more than one attempt."""
    eventually(lambda: service.metric("seek_signal_delivered_total") == count, f"{count} are delivered", patience)
    counts = sandbox.control("GET", "/counts")
    assert counts["signals"]["distinct"] == count and service.get("/v1/status").json["signals"]["dead"] == 0, counts
    return counts["signals"]["duplicates"]


def must_not_have_lost_a_connection(service):
    """What was sent into an ended one is no attempt. A handshake that an overloaded machine does not end in time is another matter."""
    lines = [line for line in service.logs("signal_retry") + service.logs("breaker_opened") if line["code"] != "TIMEOUT"]
    assert not lines, json.dumps(lines[:3])


def attempts(service, names):
    return [service.application(name)["attempts"] for name in names]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def it_spends_no_attempt_where_connections_end_after_some_requests(protocol, stand, tls_sandbox, start, seen):
    nginx = stand.add(Nginx(stand, tls_sandbox, protocol, "keepalive_requests 10;"))
    service = start(nginx.place)
    names = [f"A-{n}" for n in range(200)]
    service.must_post([event(name, f"t-{name}") for name in names])
    assert must_have_delivered(service, tls_sandbox, len(names)) == 0
    must_not_have_lost_a_connection(service)
    assert {line[0].rstrip(".0") for line in nginx.lines()} == {protocol.rstrip(".0")} and len({line[1] for line in nginx.lines()}) >= len(names) / 10
    seen(f"{nginx_title()}, {protocol}", "`keepalive_requests 10`, 200 signals at once", "all delivered, none twice, no attempt is spent on an ended connection")
    service.must_stop()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def it_notices_that_a_silent_connection_was_closed(protocol, stand, tls_sandbox, start, seen):
    nginx = stand.add(Nginx(stand, tls_sandbox, protocol, "keepalive_timeout 1s;"))
    service = start(nginx.place)
    for number in range(4):
        service.must_post(event(f"A-{number}", f"t-{number}"))
        assert service.must_become(f"A-{number}", "delivered", BUSY)["attempts"] == 1
        eventually(lambda: not nginx.has_connections(), "nginx has closed it while nobody looks", BUSY)
    assert must_have_delivered(service, tls_sandbox, 4) == 0
    seen(f"{nginx_title()}, {protocol}", "`keepalive_timeout 1s`, a signal now and then", "all delivered with one attempt each")
    service.must_stop()


class Posting:
    """Posts ten events every tenth of a second, until it is told to end."""

    def __init__(self, service):
        self.service, self.names, self.is_over = service, [], threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.is_over.wait(0.1):
            names = [f"A-{len(self.names) + n}" for n in range(10)]
            self.service.must_post([event(name, f"t-{name}") for name in names])
            self.names += names

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()


def flows_on(service, more=50):
    before = service.metric("seek_signal_delivered_total")
    eventually(lambda: service.metric("seek_signal_delivered_total") >= before + more, "signals flow", BUSY)


@pytest.mark.parametrize("protocol", ONE_OF_BOTH)
def it_loses_nothing_when_the_front_is_reloaded(protocol, stand, tls_sandbox, start, seen):
    nginx = stand.add(Nginx(stand, tls_sandbox, protocol))
    service = start(nginx.place)
    with Posting(service) as posting:
        for _ in range(3):
            flows_on(service)
            nginx.send(signal.SIGHUP)
        flows_on(service)
    assert must_have_delivered(service, tls_sandbox, len(posting.names)) == 0
    must_not_have_lost_a_connection(service)
    seen(f"{nginx_title()}, {protocol}", "three reloads under load", "all delivered, none twice, no attempt is spent on an ended connection")
    service.must_stop()


@pytest.mark.parametrize("status", [429, pytest.param(503, marks=pytest.mark.whole)])
def it_waits_where_the_front_limits_requests(status, stand, tls_sandbox, start, seen):
    nginx = stand.add(Nginx(stand, tls_sandbox, server=f"limit_req zone=all burst=5 nodelay; limit_req_status {status};",
                            http="limit_req_zone $binary_remote_addr zone=all:1m rate=40r/s;"))
    service = start(nginx.place)
    service.must_post([event(f"A-{n}", f"t-{n}") for n in range(100)])
    assert must_have_delivered(service, tls_sandbox, 100) == 0
    refused = sum(line[2] == str(status) for line in nginx.lines())
    assert refused, "the limit was met"
    assert service.metric(f'seek_signal_attempts_total{{class="{"throttled" if status == 429 else "transient"}"}}') > 0
    seen(f"{nginx_title()}, HTTP/2", f"`limit_req` with {status}, 100 signals at once", "all delivered, none dead; what was refused is sent again")
    service.must_stop()


# --- proxies ------------------------------------------------------------------------------------------------------------


class Proxy(Process):
    """Squid or Tinyproxy with the names of `own_names`; `is_open`: whether it lets anybody through."""

    def __init__(self, stand, kind, own_names, target_port, is_open=True):
        super().__init__(kind, stand.directory)
        self.kind, self.own_names, self.port = kind, own_names, free_port()
        self.place = f"127.0.0.1:{self.port}"
        self.file = pathlib.Path(stand.directory, f"{kind}.conf")
        self.directory, self.target_port, self.starts = stand.directory, target_port, 0
        self.start(is_open)

    def start(self, is_open=True):
        if self.kind == "squid":
            verdict = "allow" if is_open else "deny"
            self.file.write_text(f"""http_port {self.place}
http_access {verdict} all
hosts_file {self.directory}/hosts
cache deny all
cache_effective_user proxy
pid_filename none
access_log none
cache_log /dev/null
logfile_rotate 0
shutdown_lifetime 1 second
coredump_dir /
""")
            os.chmod(self.directory, 0o711)  # it gives root's rights up before it reads its hosts
            self.starts += 1  # shared memory of one that was killed stays, under its name
            arguments = [program("squid"), "-N", "-d", "1", "-n", f"peers{self.port}x{self.starts}", "-f", self.file]
        else:
            self.file.write_text(f"Port {self.port}\nListen 127.0.0.1\nTimeout 600\nAllow 127.0.0.1\nMaxClients 200\n"
                                 f"ConnectPort {self.target_port if is_open else 443}\n")
            arguments = [*self.own_names, program("tinyproxy"), "-d", "-c", self.file]
        self.spawn(arguments)
        eventually(lambda: self.is_running() and is_listening("127.0.0.1", self.port), f"{self.kind} listens", BUSY)

    def kill(self):
        super().kill()
        for left in pathlib.Path("/dev/shm").glob(f"peers{self.port}x*"):
            left.unlink()

    def title(self):
        return f"{self.kind} {debian_version({'squid': 'squid', 'tinyproxy': 'tinyproxy-bin'}[self.kind])}"


@pytest.fixture
def own_names(stand):
    """A command before others: they have names of their own."""
    hosts = pathlib.Path(stand.directory, "hosts")
    hosts.write_text("127.0.0.1 localhost seek.test\n")
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", f'mount --bind {hosts} /etc/hosts && exec "$@"', "sh"]
    if subprocess.run([*command, "true"], capture_output=True).returncode != 0:
        pytest.skip("this machine does not let a test put another file over /etc/hosts")
    return command


@pytest.fixture
def without_proxies(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize("kind", ["squid", "tinyproxy"])
def it_delivers_through_a_proxy_that_is_restarted(kind, stand, tls_sandbox, start, own_names, without_proxies, seen):
    port = tls_sandbox.ready["https"].rsplit(":", 1)[1]
    proxy = stand.add(Proxy(stand, kind, own_names, port))
    without_proxies.setenv("HTTPS_PROXY", f"http://{proxy.place}")
    service = start(f"seek.test:{port}")
    check = service.run("check")
    assert check.returncode == 0, check.stdout
    with Posting(service) as posting:
        for _ in range(2):
            flows_on(service)
            proxy.kill()
            proxy.start()
        flows_on(service)
    twice = must_have_delivered(service, tls_sandbox, len(posting.names))
    assert twice <= 2 * 64, "no more than were on their way"
    assert service.must_log("proxy_used")[0]["seek"] == f"{proxy.place} (HTTPS_PROXY)"
    seen(proxy.title(), "CONNECT by HTTPS_PROXY, killed and started twice under load", "all delivered, none dead")
    service.must_stop()


@pytest.mark.parametrize("kind", ["squid", pytest.param("tinyproxy", marks=pytest.mark.whole)])
def it_waits_for_a_proxy_that_lets_nobody_through(kind, stand, tls_sandbox, start, own_names, without_proxies, seen):
    port = tls_sandbox.ready["https"].rsplit(":", 1)[1]
    proxy = stand.add(Proxy(stand, kind, own_names, port, is_open=False))
    without_proxies.setenv("HTTPS_PROXY", f"http://{proxy.place}")
    service = start(f"seek.test:{port}", token_url=f"http://{tls_sandbox.address}/oauth/token")
    service.must_post([event(f"A-{n}", f"t-{n}") for n in range(20)])
    eventually(lambda: service.logs("upstream_misconfigured"), "the log says it")
    error = eventually(lambda: next((a["lastError"] for n in range(20) if (a := service.application(f"A-{n}")).get("lastError")), None), "one was tried")
    assert error["code"] == "PROXY_REFUSED" and error["class"] == "misconfigured" and "403" in error["message"], error
    check = service.run("check")
    assert check.returncode == 1 and f"the proxy {proxy.place} (HTTPS_PROXY)" in check.stdout, check.stdout
    proxy.kill()
    proxy.start()
    assert must_have_delivered(service, tls_sandbox, 20) == 0
    seen(proxy.title(), "CONNECT refused with 403, later allowed", f"the queue waits, `PROXY_REFUSED`: {error['message'].replace(proxy.place, 'HOST:PORT')}; then all delivered")
    service.must_stop()


# --- addresses ------------------------------------------------------------------------------------------------------------


def it_delivers_over_ipv6_alone(stand, tls_sandbox, start, seen):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    nginx = stand.add(Nginx(stand, tls_sandbox, address="[::1]"))
    service = start(nginx.place)
    service.must_post([event(f"A-{n}", f"t-{n}") for n in range(20)])
    assert must_have_delivered(service, tls_sandbox, 20) == 0 and service.run("check").returncode == 0
    seen(f"{nginx_title()}, HTTP/2", "at `[::1]` only", "all delivered")
    service.must_stop()


@contextlib.contextmanager
def silent(host, port):
    """Whoever connects there gets no answer at all: the backlog is full, and nobody accepts."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket(family))
        try:
            listener.bind((host, port))
        except OSError as error:
            pytest.skip(f"nothing can listen at {host}: {error}")
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket(family))
            waiting.setblocking(False)
            waiting.connect_ex((host, port))
        yield


@pytest.mark.parametrize("address", ["127.0.0.66", "::1"])
def it_goes_on_to_the_second_address_when_the_first_is_silent(address, stand, redis, tls_sandbox, own_names, seen):
    port = int(tls_sandbox.ready["https"].rsplit(":", 1)[1])
    pathlib.Path(stand.directory, "hosts").write_text(f"127.0.0.1 localhost\n{address} seek.test\n127.0.0.1 seek.test\n")
    service = stand.service(redis_url=redis.url, graphql_url=f"https://seek.test:{port}/graphql", token_url=f"https://seek.test:{port}/oauth/token",
                            ca_file=tls_sandbox.ready["ca"])
    service.spawn = lambda arguments, environment: Process.spawn(service, [*own_names, *arguments], environment)
    with silent(address, port):
        service.start()
        service.must_post([event(f"A-{n}", f"t-{n}") for n in range(20)])
        assert must_have_delivered(service, tls_sandbox, 20) == 0
        assert set(attempts(service, [f"A-{n}" for n in range(20)])) == {1}
    kind = "IPv6" if ":" in address else "IPv4"
    seen("glibc and libcurl", f"a name with two addresses, the first of them ({kind}) silent", "all delivered with one attempt each")
    service.must_stop()
