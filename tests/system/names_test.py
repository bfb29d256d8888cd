# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Listeners at a name that has several addresses: whoever tries one of them gets in."""
import pathlib
import socket
import subprocess

import pytest

from stand import Process, call, event, free_port


@pytest.fixture
def hosts(stand):
    """hosts(text): a command before others, which then have names of their own."""
    def make(text):
        path = pathlib.Path(stand.directory, "hosts")
        path.write_text(text)
        command = ["unshare", "--map-root-user", "--mount", "sh", "-c", f'mount --bind {path} /etc/hosts && exec "$@"', "sh"]
        if subprocess.run([*command, "true"], capture_output=True).returncode != 0:
            pytest.skip("this machine does not let a test put another file over /etc/hosts")
        return command
    return make


def start(service, command, is_ready=True):
    service.spawn = lambda arguments, environment: Process.spawn(service, [*command, *arguments], environment)
    return service.start(is_ready)


def has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
@pytest.mark.parametrize("threads", [1, 3])
def it_listens_at_both_families_of_a_name(threads, stand, redis, sandbox, hosts):
    api, ops = free_port(), free_port()
    service = stand.service(sandbox, redis_url=redis.url, listen=f"localhost:{api}", ops_listen=f"localhost:{ops}", intake_threads=threads)
    start(service, hosts("127.0.0.1 localhost\n::1 localhost ip6-localhost\n"))
    line = service.must_log("listening")[0]
    assert line["api"] == f"localhost:{api}" and sorted(line["api_addresses"].split(", ")) == [f"127.0.0.1:{api}", f"[::1]:{api}"]
    assert sorted(line["ops_addresses"].split(", ")) == [f"127.0.0.1:{ops}", f"[::1]:{ops}"]
    for number, host in enumerate(["127.0.0.1", "[::1]"] * 4):
        service.address = f"{host}:{api}"
        service.must_post(event(f"A-{number}", f"t-{number}"))
        assert call(f"{host}:{ops}", "GET", "/livez").status == 200
    for number in range(8):
        service.must_become(f"A-{number}", "delivered")
    service.must_stop()


def it_listens_where_one_address_of_the_name_is_not_here(stand, redis, sandbox, hosts):
    """Containers without IPv6 have `::1 localhost` in their file of hosts."""
    port = free_port()
    service = stand.service(sandbox, redis_url=redis.url, listen=f"sidecar.test:{port}", api_key="key-of-8-or-more")
    start(service, hosts("127.0.0.1 sidecar.test localhost\n192.0.2.1 sidecar.test\n"), is_ready=False)
    line = service.must_log("listening")[0]
    assert line["api"] == f"sidecar.test:{port}" and line["api_addresses"] == f"127.0.0.1:{port}"
    assert call(f"127.0.0.1:{port}", "GET", "/livez").status == 200
    service.must_stop()


@pytest.mark.parametrize("setting", ["listen", "ops_listen"])
def it_may_be_started_again_where_its_address_is_not_there_yet(setting, stand, redis, sandbox):
    """The package's unit does not try again after exit status 2."""
    service = stand.service(sandbox, redis_url=redis.url, api_key="key-of-8-or-more")
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        for address, reason in ((taken, "is in use by another process"), ("192.0.2.1:8787", "is not an address of this machine"),
                                ("no-such-host.invalid:8787", "the name in no-such-host.invalid:8787 cannot be resolved: ")):
            done = service.run("serve", **{setting: address})
            assert done.returncode == 1 and reason in done.stderr, done
    done = service.run("serve", **{setting: "8787"})
    assert done.returncode == 2 and "expected HOST:PORT" in done.stderr, done
