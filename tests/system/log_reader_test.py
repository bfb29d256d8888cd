# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Nothing waits for whoever reads the log: a reader that stands still, goes away, is slow, or a full disk costs lines, no more."""
import contextlib
import errno
import fcntl
import json
import os
import pathlib
import re
import signal
import subprocess
import termios
import threading
import time

import pytest

from held_thread import held
from stand import SERVICE, Service, call, event, eventually, free_port

PIPE_BYTES, QUEUE_BYTES = 64 * 1024, 1024 * 1024


class Piped(Service):
    """A service whose standard error is a pipe that this test reads, or does not."""

    def start(self):
        self.reader, writer = os.pipe()
        self.seen = b""
        port = free_port()
        self.settings["ops_listen"] = self.ops = f"127.0.0.1:{port}"
        self.settings["listen"] = self.address = f"127.0.0.1:{free_port()}"
        self.child = subprocess.Popen([str(SERVICE), "serve"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=writer,
                                      env=self.environment())
        os.close(writer)
        eventually(self.is_ready, "the service is ready")
        return self

    def is_ready(self):
        with contextlib.suppress(OSError):
            return call(self.ops, "GET", "/readyz").status == 200

    def waiting(self):
        """Bytes in the pipe."""
        return int.from_bytes(fcntl.ioctl(self.reader, termios.FIONREAD, b"\0" * 4), "little")

    def read(self):
        """What the pipe holds, until nothing comes for a moment."""
        os.set_blocking(self.reader, False)  # the test's own end: a pipe's ends are two open files
        deadline = time.monotonic() + 0.5
        while time.monotonic() < deadline:
            try:
                piece = os.read(self.reader, 1 << 16)
            except BlockingIOError:
                time.sleep(0.01)
                continue
            if not piece:
                break
            self.seen += piece
            deadline = time.monotonic() + 0.5
        return self.seen

    def close(self):
        with contextlib.suppress(OSError):
            os.close(self.reader)

    def text(self):
        return self.seen.decode(errors="replace")

    def metric(self, name):
        for line in call(self.ops, "GET", "/metrics").body.decode().splitlines():
            if line.startswith(name + " "):
                return float(line.rsplit(" ", 1)[1])
        return None


@pytest.fixture
def piped(stand, redis, sandbox):
    services = []

    def start(**settings):
        services.append(stand.add(Piped(stand.directory, sandbox, redis_url=redis.url, **settings)))
        return services[-1].start()

    yield start
    for service in services:
        service.kill()
        service.close()


def post(service, number, size=200, count=100):
    """A batch: a line for each event when it is taken, and one when it is delivered."""
    events = [event(f"A-{number}-{n}-" + "x" * size, f"t-{number}-{n}") for n in range(count)]
    answer = call(service.address, "POST", "/v1/events", events, timeout=20)
    assert answer.status in (200, 202), answer


def fill(service, until_bytes):
    """Posts until so many bytes of log must have come into being."""
    for number in range(until_bytes // (100 * 400) + 2):
        post(service, number)


def lines_of(text):
    lines = [json.loads(line) for line in text.splitlines()]  # a mixed or cut line is no JSON
    assert lines
    return lines


def it_goes_on_while_nobody_reads(piped, redis):
    service = piped()
    fill(service, 3 * PIPE_BYTES)
    assert service.waiting() > PIPE_BYTES // 2, "the pipe takes no more: it holds whole pieces"
    service.must_post(event("A-last", "token-last"))
    service.must_become("A-last", "delivered")
    assert service.metric("seek_signal_ready") == 1
    eventually(lambda: service.metric("seek_signal_log_stuck_seconds") > 1, "it is seen that nobody reads")
    warning = eventually(lambda: call(service.ops, "GET", "/livez").json.get("warning"), "and said")
    assert warning.startswith("Nobody has read the log for "), warning
    assert service.metric("seek_signal_log_lines_lost_total") == 0, "the queue holds what the pipe does not"
    service.read()
    assert len([line for line in lines_of(service.text()) if line["event"] == "event_accepted"]) >= 600
    eventually(lambda: service.metric("seek_signal_log_stuck_seconds") == 0, "somebody reads")
    service.must_stop()


def it_counts_and_tells_what_found_no_room(piped):
    service = piped()
    fill(service, PIPE_BYTES + 2 * QUEUE_BYTES)
    lost = eventually(lambda: service.metric("seek_signal_log_lines_lost_total"), "lines are lost")
    service.read()
    post(service, 100000, count=1)
    eventually(lambda: service.read() and b"A-100000-" in service.seen, "lines come again")
    service.must_stop()
    lines = lines_of(service.read().decode())
    gaps = [line for line in lines if line["event"] == "log_lines_lost"]
    assert sum(gap["lines"] for gap in gaps) >= lost and gaps[0]["level"] == "warn"
    assert len(gaps) <= 3, "one line for each time, not for each line"
    taken = [line for line in lines if line["event"] == "event_accepted"]
    assert 0 < len(taken) < 100 * (2 * QUEUE_BYTES // 40000)


@pytest.mark.parametrize("reader", ["stands still", "is gone"])
def it_ends_without_a_reader(reader, piped, redis):
    service = piped()
    fill(service, 2 * PIPE_BYTES)
    if reader == "is gone":
        os.close(service.reader)
        fill(service, PIPE_BYTES)
        assert service.metric("seek_signal_log_lines_lost_total") > 0
    service.must_post(event("A-last", "token-last"))
    service.send(signal.SIGTERM)
    assert service.child.wait(timeout=30) == 0
    assert redis.application("A-last")["state"] == "delivered"


def it_ends_at_once_at_a_second_signal_without_a_reader(piped, sandbox):
    service = piped()
    fill(service, 2 * PIPE_BYTES)
    sandbox.fault(on="graphql", kind="hang", count=1, seekTokenContains="token-last")  # others may still be on their way
    service.must_post(event("A-1", "token-last"))
    eventually(lambda: service.application("A-1")["state"] == "sending", "on its way")
    service.send(signal.SIGTERM)
    eventually(lambda: call(service.ops, "GET", "/readyz").status == 503, "readiness goes")
    service.send(signal.SIGTERM)
    assert service.child.wait(timeout=15) == 1, "that is before its deadline"


def it_starts_with_a_pipe_that_is_full_already(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, ops_listen=f"127.0.0.1:{free_port()}", nonsense="1")
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"x" * 4096)
    os.set_blocking(writer, True)
    service.child = subprocess.Popen([str(SERVICE), "serve"], stderr=writer, env=service.environment())
    os.close(writer)

    def is_ready():
        with contextlib.suppress(OSError):
            return call(service.settings["ops_listen"], "GET", "/readyz").status == 200
    eventually(is_ready, "it is ready")
    service.must_stop()
    os.close(reader)


def it_says_what_is_wrong_at_the_start_and_ends_also_without_a_reader(stand):
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"x" * 4096)
    os.set_blocking(writer, True)
    child = subprocess.Popen([str(SERVICE), "serve", "--workers", "many"], stderr=writer, env={})
    os.close(writer)
    assert child.wait(timeout=10) == 2
    os.close(reader)
    done = subprocess.run([str(SERVICE), "serve", "--workers", "many"], env={}, capture_output=True, text=True, timeout=10)
    assert done.returncode == 2 and "WORKERS" in done.stderr


def it_writes_whole_lines_however_slow_the_reader_is(piped):
    """Lines longer than what a pipe takes in one piece, of several threads at once."""
    service = piped(log_upstream="full", workers=4, intake_threads=2)
    is_over = threading.Event()

    def read_slowly():
        while not is_over.is_set():
            service.seen += os.read(service.reader, 4096)
            time.sleep(0.002)
    reader = threading.Thread(target=read_slowly)
    reader.start()
    clients = [threading.Thread(target=lambda c=client: [call(service.address, "POST", "/v1/events", event(
        f"A-{c}-{n}", "t" * 4000 + f"{c}-{n}"), timeout=30) for n in range(50)]) for client in range(4)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    eventually(lambda: b"A-3-49" in service.seen and service.waiting() < 4096, "all is delivered", patience=60)
    is_over.set()
    service.must_stop()
    reader.join()
    service.read()
    lines = lines_of(service.text())
    assert len([line for line in lines if line["event"] == "upstream_request"]) >= 200


def it_does_not_change_the_open_file_of_others(piped):
    """Standard error is shared with other processes, a terminal's shell for example."""
    reader, writer = os.pipe()
    child = subprocess.Popen([str(SERVICE), "serve", "--workers", "1"], stderr=writer, env={})
    child.wait(timeout=10)
    assert not fcntl.fcntl(writer, fcntl.F_GETFL) & os.O_NONBLOCK
    os.close(reader)
    os.close(writer)
    service = piped()
    assert not int(pathlib.Path(f"/proc/{service.child.pid}/fdinfo/2").read_text().split("flags:")[1].split()[0], 8) & os.O_NONBLOCK
    service.read()
    service.must_stop()


def it_loses_nothing_on_a_file_that_somebody_else_made_non_blocking(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, ops_listen=f"127.0.0.1:{free_port()}", listen=f"127.0.0.1:{free_port()}")
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    service.child = subprocess.Popen([str(SERVICE), "serve"], stderr=writer, env=service.environment())
    os.close(writer)
    service.address = service.settings["listen"]

    def is_ready():
        with contextlib.suppress(OSError):
            return call(service.settings["ops_listen"], "GET", "/readyz").status == 200
    eventually(is_ready, "it is ready")
    fill(service, 3 * PIPE_BYTES)
    seen = b""
    while b"A-5-99-" not in seen:
        seen += os.read(reader, 4096)
    service.send(signal.SIGTERM)
    while piece := os.read(reader, 4096):
        seen += piece
    assert service.child.wait(timeout=30) == 0
    lines = lines_of(seen.decode())
    assert lines[-1]["event"] == "stopped"
    assert not [line for line in lines if line["event"] == "log_lines_lost"]


def it_outlives_a_full_disk_under_its_log(stand, redis, sandbox, volume):
    disk = volume("logs")
    service = stand.service(sandbox, redis_url=redis.url)
    service.log_path = disk.path / "service.log"
    service.start()
    disk.fill()
    post(service, 1)
    post(service, 2)
    eventually(lambda: service.metric("seek_signal_log_lines_lost_total"), "lines are lost")
    service.must_post(event("A-last", "token-last"))
    service.must_become("A-last", "delivered")
    disk.free()
    service.must_post(event("A-after", "token-after"))
    service.must_become("A-after", "delivered")
    service.must_stop()
    whole = [line for line in service.text().splitlines() if line.endswith("}")]
    events = [json.loads(line)["event"] for line in whole]
    assert "log_lines_lost" in events and events[-1] == "stopped"
    assert len(service.text().splitlines()) - len(whole) <= 1, "at most the line that was cut by the full disk is not whole"


def it_says_not_ready_and_which_thread_when_an_intake_thread_stands_still(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, intake_threads=2).start()
    with held(service, "intake-1"):
        began = time.monotonic()
        answer = eventually(lambda: (a := call(service.ops, "GET", "/readyz")).status == 503 and a, "it is noticed")
        found = re.match(r"The loop of intake-1 has not turned for (\d+) ms\.", answer.json["detail"])
        assert found and int(found[1]) >= 5000, answer  # a pause is no death
        is_alive = call(service.ops, "GET", "/livez").status == 200
        assert is_alive or time.monotonic() - began > 9, "that takes longer: it is no reason for a restart yet"
    eventually(lambda: call(service.ops, "GET", "/readyz").status == 200, "it turns again")
    service.must_stop()


def it_is_ready_and_alive_while_the_logs_own_thread_stands_still(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url).start()
    with held(service, "log"):
        service.must_post(event("A-1"))
        service.must_become("A-1", "delivered")
        service.send(signal.SIGTERM)
        eventually(lambda: not pathlib.Path(f"/proc/{service.child.pid}/fd").exists() or not has_listener(service),
                   "it stops")
    assert service.child.wait(timeout=30) == 0


def has_listener(service):
    try:
        call(service.ops, "GET", "/livez", timeout=5)
        return True
    except OSError as error:
        return error.errno not in (errno.ECONNREFUSED, errno.ECONNRESET)
