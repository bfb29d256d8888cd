# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""What a service manager hears over $NOTIFY_SOCKET."""
import pathlib
import signal
import socket
import time

from stand import eventually


class Manager:
    def __init__(self, directory):
        self.path = str(pathlib.Path(directory) / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.setblocking(False)
        self.heard = []

    def has_heard(self, line):
        try:
            while True:
                self.heard += self.socket.recv(4096).decode().split("\n")
        except BlockingIOError:
            return line in self.heard


def it_says_when_it_is_ready_and_when_it_stops(stand, sandbox, monkeypatch):
    manager = Manager(stand.directory)
    monkeypatch.setenv("NOTIFY_SOCKET", manager.path)
    redis = stand.redis()
    redis.kill()
    service = stand.service(sandbox, redis_url=redis.url).start(is_ready=False)
    eventually(lambda: manager.has_heard("WATCHDOG=1"), "it lives, also without Redis")
    assert not manager.has_heard("READY=1")
    redis.start()
    eventually(lambda: manager.has_heard("READY=1"), "it is ready once Redis is there")
    assert not manager.has_heard("STOPPING=1")
    service.must_stop(signal.SIGTERM)
    assert manager.has_heard("STOPPING=1")
    assert manager.heard.count("READY=1") == 1


def it_shows_the_state_as_it_is(stand, sandbox, monkeypatch):
    manager = Manager(stand.directory)
    monkeypatch.setenv("NOTIFY_SOCKET", manager.path)
    redis = stand.redis()
    service = stand.service(sandbox, redis_url=redis.url).start()

    def shown():
        manager.has_heard("")
        return next((line for line in reversed(manager.heard) if line.startswith("STATUS=")), "")
    eventually(lambda: shown() == "STATUS=Events can be accepted durably.", "ready")
    redis.kill()
    eventually(lambda: shown().startswith("STATUS=Not ready: Redis is away"), "Redis is away")
    redis.start()
    eventually(lambda: shown() == "STATUS=Events can be accepted durably.", "and back")
    service.must_stop()


def it_shows_that_the_spool_takes_over(stand, sandbox, monkeypatch):
    manager = Manager(stand.directory)
    monkeypatch.setenv("NOTIFY_SOCKET", manager.path)
    redis = stand.redis()
    service = stand.service(sandbox, redis_url=redis.url, spool_dir=f"{stand.directory}/spool").start()
    redis.kill()
    eventually(lambda: manager.has_heard("") or any(
        "Redis is away" in line and "Events are kept in the spool." in line for line in manager.heard), "both are shown")
    service.must_stop()


def it_beats_more_often_than_the_watchdog_asks(stand, redis, sandbox, monkeypatch):
    """Twice in the time of WatchdogSec=: with 3 s and a beat every 5 s, systemd restarted the service."""
    watchdog_s = 4
    manager = Manager(stand.directory)
    manager.socket.settimeout(2 * watchdog_s)
    monkeypatch.setenv("NOTIFY_SOCKET", manager.path)
    monkeypatch.setenv("WATCHDOG_USEC", str(watchdog_s * 1_000_000))
    service = stand.service(sandbox, redis_url=redis.url).start()
    beats = []
    while len(beats) < 4:
        if "WATCHDOG=1" in manager.socket.recv(4096).decode().split("\n"):
            beats.append(time.monotonic())
    # The first may have waited for this test to look.
    assert all(later - earlier < watchdog_s for earlier, later in zip(beats[1:], beats[2:])), beats
    service.must_stop()


def it_serves_without_a_manager_that_listens(stand, redis, sandbox, monkeypatch):
    monkeypatch.setenv("NOTIFY_SOCKET", str(pathlib.Path(stand.directory) / "nobody"))
    service = stand.service(sandbox, redis_url=redis.url).start()
    service.must_log("notify_failed")
    service.must_stop()
