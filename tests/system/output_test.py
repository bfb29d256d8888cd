# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""A command whose output is lost has failed, and says so: `dead list --format csv > dead.csv` on a full disk is no success. A reader that
has seen enough (`| head`) gets no complaint."""
import os
import pty
import re
import subprocess

import pytest

from operate_test import bury
from stand import ROOT, SANDBOX, SERVICE, call, event, eventually

FULL = "standard output: No space left on device: the output is not complete"
# As they are typed. A page of the dead does not fit into the buffer of standard output, so it is lost in the middle.
PRINTING = ["check", "health", "status", "status --json", "status D-00001", "replay D-00002", "replay D-00003 --json", "forget D-00004",
            "forget D-00005 --json", "dead list", "dead list --limit 300", "dead list --json --limit 300", "dead list --format csv",
            "dead list --format ndjson", "dead show D-00001", "dead replay --all --dry-run", "dead replay --class transient",
            "dead replay --class refused --per-second 1000 --json", "dead forget --all", "dead forget --all --json", "pause", "resume",
            "version", "--version", "--help", "--help all", "--help man", "dead --help"]
MOVES = ["move --to {to} --from {source}", "move --to {to} --from {source} --json", "move --abandon --from {source}"]
ELSEWHERE = {"serve", "tail"}  # the one prints nothing, the other does not end by itself: below


def it_fails_if_nothing_can_be_printed(stand, service, redis):
    settings = dict(listen=service.address, ops_listen=service.ops)
    bury(redis, 450)
    help_all = service.run("--help", "all").stdout
    known = {re.match("[a-z]+( list| show| replay| forget)?", line.strip())[0] for line in help_all.split("settings, default")[0].splitlines()[1:]}
    assert all(any(line.startswith(name) for line in PRINTING + MOVES) for name in known - ELSEWHERE), known
    moves = [line.format(source=redis.url, to=stand.redis(name="target").url) for line in MOVES]
    with open("/dev/full", "w") as full:
        for line in PRINTING + moves:
            done = service.run(*line.split(), stdout=full, **settings)
            assert done.returncode == 1 and done.stderr.splitlines()[-1] == FULL, (line, done)


def it_stops_following_if_nothing_can_be_printed(service):
    with open("/dev/full", "w") as full:
        child = subprocess.Popen([str(SERVICE), "tail"], env=service.environment() | {"SEEK_SIGNAL_LISTEN": service.address}, stdout=full, stderr=subprocess.PIPE, text=True)
    numbers = iter(range(10000))

    def has_ended():
        service.must_post(event(f"A-{next(numbers)}"))
        return child.poll() is not None
    eventually(has_ended, "there was a line to print")
    assert child.returncode == 1 and child.stderr.read().splitlines() == [FULL]


def it_keeps_its_own_status_if_that_was_worse(stand):
    with open("/dev/full", "w") as full:
        done = stand.service(None, client_id=None).run("check", stdout=full)
    assert done.returncode == 2 and FULL not in done.stderr, "nothing was printed to standard output"


def it_asks_no_more_for_what_nobody_reads(service, redis):
    """`| head`: no complaint, and no further page."""
    bury(redis, 450)

    def asked():
        page = call(service.ops, "GET", "/metrics").body.decode()
        return int(re.search(r'^seek_signal_http_requests_total{status="2xx"} (\d+)', page, re.M)[1])
    for line in ("dead list --limit 450", "dead list --json --limit 450", "dead list --format csv", "status", "--help all"):
        reader, writer = os.pipe()
        os.close(reader)
        before = asked()
        done = service.run(*line.split(), stdout=writer, listen=service.address)
        os.close(writer)
        assert done.returncode == 1 and done.stderr == "", (line, done)
        eventually(lambda: asked() == before + ("--help" not in line), f"{line} asked once")
    whole = subprocess.run(f"{SERVICE} dead list --format csv | head -n 2", shell=True, capture_output=True, text=True,
                           env=service.environment() | {"SEEK_SIGNAL_LISTEN": service.address})
    assert len(whole.stdout.splitlines()) == 2 and whole.stderr == ""


def it_fails_in_the_sandbox_too():
    for line in ("--version", "--help", "--help man"):
        with open("/dev/full", "w") as full:
            done = subprocess.run([str(SANDBOX), *line.split()], stdout=full, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 1 and done.stderr == "seek-sandbox: standard output cannot be written\n", done


@pytest.mark.parametrize("is_terminal, settings, is_bold", [
    (False, {}, False), (True, {}, True), (True, {"NO_COLOR": "1"}, False), (True, {"TERM": "dumb"}, False)])
def it_is_bold_in_the_quickstart_on_a_terminal_alone(is_terminal, settings, is_bold):
    script = (ROOT / "quickstart").read_text()
    say = script[script.index("\nbold="):script.index("\nfail() ")] + "\nsay hello"
    reader, writer = pty.openpty() if is_terminal else os.pipe()
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm"} | settings
    subprocess.run(["bash", "-euo", "pipefail", "-c", say], stdout=writer, env=environment, check=True, timeout=60)
    os.close(writer)
    said = os.read(reader, 1000).decode()
    os.close(reader)
    assert "hello" in said and ("\033" in said) == is_bold, said


def it_writes_to_no_socket_if_its_own_output_is_closed(stand, service):
    """A descriptor that is opened later would have the number of standard error."""
    settings = stand.service(listen=service.address, ops_listen=service.ops).environment()
    command = subprocess.Popen(["bash", "-c", 'exec "$0" tail <&- >&- 2>&-', SERVICE], env=settings)
    try:
        eventually(lambda: service.metric("seek_signal_http_waiters") == 1, "it follows")
        places = [os.readlink(f"/proc/{command.pid}/fd/{number}") for number in range(3)]
        assert places == ["/dev/null"] * 3
    finally:
        command.kill()
        command.wait()
