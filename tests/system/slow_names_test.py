# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""A resolver's first name server is dead: each name takes the 5 s until it goes on to the second, longer than an attempt waits."""
import contextlib
import os
import pathlib
import random
import socket
import struct
import subprocess
import threading
import time

import pytest

from stand import SERVICE, Process, event, eventually, free_port

A = 1


class NameServer:
    """Says that every name is 127.0.0.1, or nothing at all."""

    def __init__(self, is_silent):
        self.is_silent = is_silent
        self.address = f"127.53.{random.randrange(256)}.{random.randrange(1, 255)}"
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((self.address, 53))
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while True:
            query, peer = self.socket.recvfrom(512)
            if not query:
                return
            if not self.is_silent:
                self.socket.sendto(self.answer(query), peer)

    @staticmethod
    def answer(query):
        end = query.index(b"\0", 12) + 5  # of the question: its name, type and class
        is_known = struct.unpack("!H", query[end - 4:end - 2])[0] == A
        head = query[:2] + struct.pack("!5H", 0x8180, 1, is_known, 0, 0)
        record = struct.pack("!HHHIH4s", 0xC00C, A, 1, 0, 4, bytes([127, 0, 0, 1]))
        return head + query[12:end] + (record if is_known else b"")

    def close(self):
        with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as last:
            last.sendto(b"", (self.address, 53))
        self.thread.join()
        self.socket.close()


@pytest.fixture
def name_servers():
    with contextlib.ExitStack() as stack:
        try:
            servers = [stack.enter_context(contextlib.closing(NameServer(True))) for _ in range(2)]
        except OSError as error:
            pytest.skip(f"this machine does not let a test be a name server: {error}")
        yield servers


def within_names(stand, service, name_servers):
    """The service then has these name servers, and no file of hosts."""
    hosts, resolver = pathlib.Path(stand.directory, "hosts"), pathlib.Path(stand.directory, "resolv.conf")
    hosts.write_text("127.0.0.1 localhost\n")
    resolver.write_text("".join(f"nameserver {each.address}\n" for each in name_servers))
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c",
               f'mount --bind {hosts} /etc/hosts && mount --bind {resolver} /etc/resolv.conf && exec "$@"', "sh"]
    if subprocess.run([*command, "true"], capture_output=True).returncode != 0:
        pytest.skip("this machine does not let a test put another file over /etc/hosts")
    service.spawn = lambda arguments, environment: Process.spawn(service, [*command, *arguments], environment)
    return command


def lookups(service):
    """How many threads of ours wait for a name."""
    count = 0
    for each in pathlib.Path(f"/proc/{service.child.pid}/task").glob("*/comm"):
        with contextlib.suppress(OSError):
            count += each.read_text() == "name-lookup\n"
    return count


def descriptors(service):
    return len(os.listdir(f"/proc/{service.child.pid}/fd"))


def service_by_names(stand, redis):
    port = free_port()
    sandbox = stand.sandbox("--tls-listen", f"127.0.0.1:{port}", "--tls-dir", f"{stand.directory}/tls", "--tls-name", "seek.test")
    return stand.service(redis_url=redis.url.replace("127.0.0.1", "redis.test"), ca_file=sandbox.ready["ca"],
                         graphql_url=f"https://seek.test:{port}/graphql", token_url=f"https://seek.test:{port}/oauth/token")


def it_delivers_with_names_that_take_five_seconds(stand, redis, name_servers):
    silent, answering = name_servers
    service = service_by_names(stand, redis)
    within_names(stand, service, [silent, answering])
    service.start(is_ready=False)
    first_lookups, first_descriptors, until = lookups(service), descriptors(service), time.monotonic() + 8
    while time.monotonic() < until:  # what is counted grows with time
        assert lookups(service) <= max(first_lookups, 1), "one for all connections to Redis"
        assert descriptors(service) < first_descriptors + 32
        time.sleep(0.2)
    assert service.get("/readyz").status == 503
    answering.is_silent = False
    eventually(lambda: service.get("/readyz").status == 200, "Redis is reached", patience=60)
    service.must_post(event("A-1"))
    assert service.must_become("A-1", "delivered", patience=60)["attempts"] == 1
    service.must_stop()


def it_checks_with_the_patience_of_the_service(stand, redis, name_servers):
    silent, answering = name_servers
    answering.is_silent = False
    service = service_by_names(stand, redis)
    command = within_names(stand, service, [silent, answering])
    done = subprocess.run([*command, SERVICE, "check"], env=service.environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "FAIL" not in done.stdout, done.stdout + done.stderr
