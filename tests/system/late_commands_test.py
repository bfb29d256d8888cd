# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""A command that was given up arrives all the same: what was acknowledged after it stays."""
import contextlib
import socket
import threading
import time

import pytest

from stand import event, eventually


class Line:
    """One connection to Redis. While it is held, what the service sends is kept, and so is the connection after its end."""

    def __init__(self, client, port):
        self.client, self.redis = client, socket.create_connection(("127.0.0.1", port))
        self.lock, self.kept, self.heard = threading.Lock(), None, b""
        self.kept_since = 0
        for way in (self.carry_up, self.carry_down):
            threading.Thread(target=way, daemon=True).start()

    def carry_up(self):
        with contextlib.suppress(OSError):
            while data := self.client.recv(65536):
                with self.lock:
                    if self.kept is None:
                        self.redis.sendall(data)
                    else:
                        self.kept_since = self.kept_since or time.monotonic()
                        self.kept += data
        with self.lock:
            if self.kept is None:
                self.close()

    def carry_down(self):
        with contextlib.suppress(OSError):
            while data := self.redis.recv(65536):
                self.heard = (self.heard + data)[-64:]
                with contextlib.suppress(OSError):
                    self.client.sendall(data)

    def hold(self):
        with self.lock:
            self.kept = self.kept or b""

    def release(self):
        """Until Redis has done all of it."""
        self.redis.sendall(self.kept + b"*1\r\n$4\r\nPING\r\n")
        eventually(lambda: b"+PONG\r\n" in self.heard, "Redis has taken what was held")
        self.close()

    def close(self):
        for end in (self.client, self.redis):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class Network:
    """Between a service and Redis. It may be cut: what is sent then arrives later, on connections that nobody uses any more."""

    def __init__(self, redis):
        self.redis, self.lines, self.is_cut = redis, [], False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                if self.is_cut:
                    client.close()
                else:
                    self.lines.append(Line(client, self.redis.port))

    def cut(self):
        self.is_cut = True
        for line in self.lines:
            line.hold()

    def deliver(self):
        """First what was sent first: behind a drain the seek-token would be known as replaced."""
        for line in sorted((line for line in self.lines if line.kept), key=lambda line: line.kept_since):
            line.release()

    def mend(self):
        self.is_cut = False

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for line in self.lines:
            line.close()


@pytest.fixture
def network(redis):
    network = Network(redis)
    yield network
    network.close()


def start(stand, sandbox, url, name):
    service = stand.service(sandbox, redis_url=url, name=name, spool_dir=f"{stand.directory}/{name}").start()
    eventually(lambda: service.get("/v1/status").json["store"]["ready"], "Redis is connected")
    return service


def life(application):
    """Of the process by whose clock its seek-token came."""
    return application["spooled"].split(".")[1]


def must_be_drained(service):
    eventually(lambda: service.get("/v1/status").json["spool"]["bytes"] == 0, "the spool is drained")


def it_does_not_put_a_late_event_over_a_newer_one(stand, redis, sandbox, network):
    """The newer one came by another service, before the older one's spool was drained."""
    late, other = start(stand, sandbox, network.url, "late"), start(stand, sandbox, redis.url, "other")
    network.cut()
    assert late.must_post(event("A-1", "older"))["durability"] == "spool"
    assert other.must_post(event("A-1", "newer"))["durability"] == "fsync"
    other.must_become("A-1", "delivered")
    network.deliver()
    assert redis.application("A-1")["token"] == "newer"
    network.mend()
    must_be_drained(late)
    assert late.metric('seek_signal_spool_drained_total{result="superseded"}') == 1
    assert redis.application("A-1")["token"] == "newer" and redis.application("A-1")["state"] == "delivered"
    late.must_stop()
    other.must_stop()
    assert sandbox.signals("older") == []


def it_does_not_put_a_late_draft_over_a_newer_one(stand, redis, sandbox, network):
    """Both by one service, and the older one is drained already: what only drafts had brought is not remembered."""
    service = start(stand, sandbox, network.url, "late")
    network.cut()
    assert service.call("PUT", "/v1/applications/A-1/token", {"token": "older"}).status == 204
    network.mend()
    must_be_drained(service)
    drained = redis.application("A-1")
    assert service.call("PUT", "/v1/applications/A-1/token", {"token": "newer"}).status == 204
    stored = redis.application("A-1")
    assert (drained["token"], stored["token"]) == ("older", "newer") and life(drained) == life(stored)
    network.deliver()
    assert redis.application("A-1")["token"] == "newer"
    assert service.must_post({"applicationId": "A-1"})["durability"] == "fsync"
    sandbox.must_receive("newer")
    service.must_post(event("A-1", "newest"))
    assert life(redis.application("A-1")) == life(stored)
    service.must_stop()
    assert sandbox.signals("older") == []


def it_does_not_bring_back_what_was_deleted(stand, redis, sandbox, network):
    service = start(stand, sandbox, network.url, "late")
    network.cut()
    assert service.must_post(event("A-1", "t-1"))["durability"] == "spool"
    network.mend()
    must_be_drained(service)
    service.must_become("A-1", "delivered")
    assert service.call("DELETE", "/v1/applications/A-1").status == 204
    network.deliver()
    assert redis.application("A-1") == {}
    service.must_stop()
    assert len(sandbox.signals("t-1")) == 1
