# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""From the private Redis of the Debian package to another one, by the commands of docs/scaling.md; the ATS posts all the while."""
import os
import re
import subprocess
import threading
import time

import pytest

from stand import ROOT, SERVICE, call, event, eventually, free_port


class Machine:
    """The unit, its file of settings, and what root types."""

    def __init__(self, stand, sandbox, target):
        self.stand, self.sandbox, self.target = stand, sandbox, target
        self.usual, self.other = (f"127.0.0.1:{free_port()}" for _ in range(2))
        self.data = f"{stand.directory}/data"
        self.file = stand.directory + "/environment"
        settings = {"CLIENT_ID": "client-1", "DATA_DIR": self.data, "GRAPHQL_URL": f"http://{sandbox.address}/graphql",
                    "TOKEN_URL": f"http://{sandbox.address}/oauth/token"}
        with open(self.file, "w", encoding="utf-8") as file:
            file.writelines(f"SEEK_SIGNAL_{name}={value}\n" for name, value in settings.items())
        self.service = None

    def settings(self):
        """As systemd reads them: the last line of a name counts."""
        with open(self.file, encoding="utf-8") as file:
            return {name.removeprefix("SEEK_SIGNAL_").lower(): value for name, value in (line.strip().split("=", 1) for line in file)}

    def restart(self):
        if self.service is not None:
            self.service.must_stop()
        self.service = self.stand.service(self.sandbox, name="unit", **{"listen": self.usual} | self.settings()).start()

    def type(self, command):
        if command == "systemctl restart seek-signal":
            self.restart()
            return ""
        for theirs, ours in {"/etc/seek-signal/environment": self.file, "/var/lib/seek-signal": self.data, "127.0.0.1:8797": self.other,
                             "redis://127.0.0.1:6379": self.target.url, "; seek-signal ": f"; {SERVICE} "}.items():
            command = command.replace(theirs, ours)
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, env={"PATH": os.environ["PATH"]})
        assert done.returncode == 0, (command, done)
        return done.stdout


def documented():
    """How they stand there."""
    section = (ROOT / "docs" / "scaling.md").read_text().split("### From the private Redis of the Debian package\n")[1]
    section = section.split("\n## ")[0]
    blocks = re.findall(r"^```sh\n(.*?)^```$", section, re.M | re.S)
    assert len(blocks) == 2 and "rm -r /var/lib/seek-signal/appendonlydir" in section
    return [block.splitlines() for block in blocks]


@pytest.fixture
def machine(stand, sandbox):
    machine = Machine(stand, sandbox, stand.redis(name="target"))
    machine.restart()
    yield machine
    machine.service.must_stop()


class Ats(threading.Thread):
    """Posts one event after the other, each until it is acknowledged."""

    def __init__(self, address):
        super().__init__()
        self.address, self.posted, self.refused, self.is_over = address, 0, 0, False

    def run(self):
        while not self.is_over:
            try:
                answer = call(self.address, "POST", "/v1/events", event(f"A-{self.posted}", f"token-{self.posted}"), timeout=10)
                is_taken = answer.status in (200, 202)
            except OSError:
                is_taken = False
            self.posted, self.refused = self.posted + is_taken, self.refused + (not is_taken)
            if not is_taken:
                time.sleep(0.05)


def it_moves_from_the_private_redis_as_documented(machine, sandbox):
    before, after = documented()
    service = machine.service
    sandbox.fault(kind="forbidden", count=1)
    service.must_post(event("dead", "token-dead"))
    service.must_become("dead", "dead")
    assert service.call("PUT", "/v1/applications/draft/token", {"token": "token-draft"}).status in (200, 204)
    ats = Ats(machine.usual)
    ats.start()
    try:
        eventually(lambda: ats.posted > 50, "the ATS posts")
        said = [machine.type(command) for command in before]
        assert "--from is empty" in said[-1], said
        assert machine.target.application_ids() >= {"dead", "draft", *(f"A-{number}" for number in range(ats.posted))}
        count = ats.posted
        for command in after:
            machine.type(command)
        eventually(lambda: ats.posted > count + 50, "the ATS posts to the same address as before")
    finally:
        ats.is_over = True
        ats.join()
    service = machine.service
    assert "redis_url" in machine.settings() and "listen" not in machine.settings() and service.address == machine.usual
    assert ats.refused > 0, "meanwhile nobody answered"
    eventually(lambda: service.get("/v1/status").json["signals"]["due"] == 0, "everything is sent")
    assert len({c["seekToken"] for c in sandbox.calls("graphql") if c["outcome"] == "delivered"}) == ats.posted
    assert service.application("dead")["state"] == "dead" and service.application("draft")["state"] == "draft"
    assert service.get("/v1/status").json["sending"]["paused"] is False
    machine.type("rm -r /var/lib/seek-signal/appendonlydir")
