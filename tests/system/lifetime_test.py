# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Start, stop, crash, and the private Redis."""
import contextlib
import os
import pathlib
import signal
import time

import pytest

from stand import TOKEN, call, event, eventually

KEY = "key-of-a-stand-alone-service"
BEARER = {"Authorization": f"Bearer {KEY}"}


def it_is_alive_ready_and_started(service):
    for path in ("/livez", "/readyz", "/startupz"):
        assert service.get(path).status == 200
        assert call(service.ops, "GET", path).status == 200
    assert call(service.ops, "GET", "/metrics").headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert call(service.ops, "POST", "/v1/events", event("A")).status == 404, "nothing that changes anything"
    assert call(service.ops, "GET", "/v1/status").status == 404


def it_does_not_care_for_seek_to_be_ready(stand, redis):
    sandbox = stand.sandbox()
    service = stand.service(sandbox, redis_url=redis.url)
    sandbox.kill()
    service.start()
    assert service.get("/readyz").status == 200
    service.must_post(event("A-1"))
    sandbox.start()
    sandbox.must_receive(TOKEN)
    service.must_stop()


def it_finishes_what_is_on_its_way_at_sigterm(service, sandbox, redis):
    sandbox.fault(on="graphql", kind="slow", latencyMs=1000, count=1)
    service.must_post(event("A-1"))
    eventually(lambda: service.application("A-1")["state"] == "sending", "on its way")
    service.send(signal.SIGTERM)
    eventually(lambda: service.get("/readyz").status == 503, "readiness goes")
    service.must_post(event("A-2", "accepted-while-draining"))
    assert service.child.wait(timeout=30) == 0
    assert redis.application("A-1")["state"] == "delivered"
    assert redis.application("A-2")["state"] == "delivered", "nobody else may be there to send it"


def it_takes_new_connections_while_others_do_not_know_yet_that_it_ends(stand, redis, sandbox):
    """A Service of Kubernetes leads connections to a pod for seconds after its SIGTERM, and here nothing is in progress."""
    delay_s = 2
    service = stand.service(sandbox, redis_url=redis.url, listen="0.0.0.0:0", api_key=KEY, shutdown_delay_s=delay_s).start()
    began = time.monotonic()
    service.send(signal.SIGTERM)
    eventually(lambda: service.get("/readyz").status == 503, "readiness goes first")
    assert call(service.ops, "GET", "/readyz").status == 503 and call(service.ops, "GET", "/livez").status == 200
    posted, early = [], 0
    with contextlib.suppress(ConnectionError):  # at last
        while True:
            early = early if time.monotonic() - began > delay_s / 2 else len(posted)
            posted.append(f"A-{len(posted)}")
            answer = service.post("/v1/events", event(posted[-1], f"token-{posted[-1]}"), headers=BEARER)
            assert answer.status == 202 and answer.headers["Connection"] == "close", "the next post may go elsewhere"
            assert service.is_running()
    assert time.monotonic() - began >= delay_s and len(posted) > 1
    assert service.child.wait(timeout=30) == 0
    assert early > 0 and {redis.application(one)["state"] for one in posted[:early]} == {"delivered"}, "it works on, as before"
    # What came as the workers ended is sent by the next.
    assert {redis.application(one)["state"] for one in posted[early:-1]} <= {"delivered", "pending"}
    assert service.must_log("stopping")[0]["delay_s"] == delay_s


@pytest.mark.parametrize("settings", [{"listen": "127.0.0.1:0"}, {"listen": "unix:"}, {"listen": "0.0.0.0:0", "shutdown_delay_s": 0}],
                         ids=["loopback", "unix", "no-delay"])
def it_ends_at_once_if_only_this_machine_posts(stand, redis, sandbox, settings):
    """As in a Job: it ends when its own container has ended, and so does the sidecar."""
    listen = settings["listen"].replace("unix:", f"unix:{stand.directory}/api")
    service = stand.service(sandbox, redis_url=redis.url, api_key=KEY, **{"shutdown_delay_s": 3600} | settings | {"listen": listen}).start()
    service.must_stop()
    assert service.must_log("stopping")[0]["delay_s"] == 0


def it_ends_at_once_at_a_second_signal_while_it_still_takes_connections(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, listen="0.0.0.0:0", api_key=KEY, shutdown_delay_s=3600).start()
    service.send(signal.SIGTERM)
    eventually(lambda: service.get("/readyz").status == 503, "readiness goes")
    service.send(signal.SIGTERM)
    assert service.child.wait(timeout=15) == 1


def it_releases_what_is_left_at_the_deadline(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, shutdown_timeout_s=1, request_timeout_ms=60000).start()
    sandbox.fault(on="graphql", kind="hang", count=1)
    service.must_post(event("A-1"))
    eventually(lambda: service.application("A-1")["state"] == "sending", "on its way")
    began = time.monotonic()
    service.must_stop()
    assert time.monotonic() - began < 40
    assert redis.application("A-1")["state"] == "pending"
    sandbox.clear_faults()
    service.start()
    service.must_become("A-1", "delivered")
    service.must_stop()


def it_says_at_the_stop_what_will_be_sent_again(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, shutdown_timeout_s=1, request_timeout_ms=1000).start()
    sandbox.fault(on="graphql", kind="slow", latencyMs=500, count=1)
    service.must_post(event("A-1"))
    eventually(lambda: service.get("/v1/status").json["sending"]["inFlight"] == 1, "on its way")
    redis.kill()
    sandbox.must_receive(TOKEN)
    service.must_stop()
    redis.start()
    [line] = service.must_log("stopped")
    assert (line["level"], line["unrecorded"], line["repeats"], line["signals_cut"]) == ("warn", 1, 1, 0), line
    service.start()
    service.must_become("A-1", "delivered")
    first, second = sandbox.must_receive(TOKEN, 2)
    assert first["timestamp"] == second["timestamp"]
    service.must_stop()
    assert service.must_log("stopped", 2)[1]["level"] == "info"


def it_ends_at_once_at_a_second_signal(service, sandbox):
    sandbox.fault(on="graphql", kind="hang", count=1)
    service.must_post(event("A-1"))
    eventually(lambda: service.application("A-1")["state"] == "sending", "on its way")
    service.send(signal.SIGTERM)
    service.must_log("stopping")
    service.send(signal.SIGTERM)
    assert service.child.wait(timeout=15) == 1, "that is before its deadline"


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2], ids=lambda number: number.name)
def it_says_that_a_signal_changes_nothing(number, service, sandbox):
    sandbox.fault(on="graphql", kind="slow", latencyMs=500, count=1)
    service.must_post(event("A-1"))
    eventually(lambda: service.application("A-1")["state"] == "sending", "on its way")
    service.send(number)
    [line] = service.must_log("signal_ignored")
    assert line["signal"] == number.name and "SIGTERM" in line["message"]
    service.must_become("A-1", "delivered")
    sandbox.must_receive(TOKEN)


def it_dies_of_no_signal_but_those_that_nobody_can_hold_off(service):
    deadly = {signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}
    faults = {signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT, signal.SIGTRAP, signal.SIGSYS}
    stops = {signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGCONT}
    limits = {signal.SIGXCPU}
    for number in signal.valid_signals() - deadly - faults - stops - limits:
        service.send(number)
    service.must_post(event("A-1"))
    service.must_become("A-1", "delivered")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT], ids=lambda number: number.name)
def it_ends_as_by_sigterm(number, service):
    service.must_stop(number)
    assert service.must_log("stopping")[0]["signal"] == number.name


def it_delivers_after_a_kill_what_was_acknowledged_before(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, request_timeout_ms=500).start()
    sandbox.settings(latencyMs=100)
    for n in range(50):
        service.must_post(event(f"A-{n}", f"t-{n}"))
    service.kill()
    service.start()
    for n in range(50):
        service.must_become(f"A-{n}", "delivered", patience=60)
        assert 1 <= len(sandbox.signals(f"t-{n}")) <= 2
    service.must_stop()


def it_keeps_its_private_redis_and_finds_its_data_again(stand, sandbox, tmp_path):
    service = stand.service(sandbox, data_dir=tmp_path / "data").start()
    assert service.must_post(event("A-1"))["durability"] == "fsync"
    service.must_become("A-1", "delivered")
    service.must_stop()
    assert not redis_children(tmp_path), "the private Redis is stopped last"
    service.start()
    assert service.application("A-1")["state"] == "delivered"
    service.kill()
    service.start()
    assert service.must_post(event("A-1"), status=200)["result"] == "duplicate"
    service.must_stop()


def redis_children(directory):
    """The private Redis of a data directory below `directory`: it works there."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if (path / "comm").read_text() == "redis-server\n" and str(directory) in os.readlink(path / "cwd"):
                found.append(int(path.name))
        except OSError:
            continue  # it ended meanwhile
    return found


def it_heals_the_death_of_its_private_redis(stand, sandbox, tmp_path):
    service = stand.service(sandbox, data_dir=tmp_path / "data").start()
    service.must_post(event("A-1"))
    service.must_become("A-1", "delivered")
    [child] = redis_children(tmp_path)
    os.kill(child, signal.SIGKILL)
    eventually(lambda: redis_children(tmp_path) not in ([], [child]), "another one runs")
    eventually(lambda: service.get("/readyz").status == 200, "ready again")
    service.must_post(event("A-2", "t-2"))
    sandbox.must_receive("t-2")
    assert service.application("A-1")["state"] == "delivered"
    service.must_stop()


def it_names_the_package_when_there_is_no_redis_server(stand, sandbox, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    done = stand.service(sandbox).run("serve", data_dir=tmp_path / "data")
    assert done.returncode == 2 and "redis-server" in done.stderr and "REDIS_URL" in done.stderr


def it_shares_its_data_directory_with_nobody(stand, sandbox, tmp_path):
    service = stand.service(sandbox, data_dir=tmp_path / "data").start()
    done = stand.service(sandbox).run("serve", data_dir=tmp_path / "data")
    assert done.returncode != 0 and str(tmp_path / "data") in done.stderr
    service.must_post(event("A-1"))
    service.must_stop()


def it_is_served_by_two_processes_on_one_redis(stand, redis, sandbox):
    one = stand.service(sandbox, name="one", redis_url=redis.url).start()
    two = stand.service(sandbox, name="two", redis_url=redis.url).start()
    for n in range(200):
        (one if n % 2 else two).must_post(event(f"A-{n}", f"t-{n}"))
    for n in range(200):
        (two if n % 2 else one).must_become(f"A-{n}", "delivered")
    assert len(sandbox.calls("graphql")) == 200
    one.must_stop()
    two.must_stop()
