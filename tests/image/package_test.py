# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The Debian package, in a Debian with systemd: installed, configured, run, upgraded, removed, purged."""
import json
import os
import pathlib
import re

import pytest

from containers import docker
from stand import ROOT, eventually

RELEASE = next(line.split("=")[1].strip() for line in pathlib.Path("/etc/os-release").read_text().splitlines()
               if line.startswith("VERSION_CODENAME="))
MACHINE = f"seek-signal-test-machine-{os.getpid()}"
# For systemd as process 1. Not --privileged: the machine may lack SYS_RESOURCE itself. Shared mounts and control groups that
# can be written (in version 2 of those) are what systemd expects of a machine; a container does not have them by itself.
OPTIONS = ["--cgroupns=private", "--cap-add=ALL", "--cap-drop=SYS_RESOURCE", "--security-opt=seccomp=unconfined", "--security-opt=apparmor=unconfined",
           "--tmpfs=/run", "--tmpfs=/run/lock", "--tmpfs=/tmp:exec", "--env=container=docker", "--network=none"]
BOOT = "mount --make-rshared / && (mount -o remount,rw /sys/fs/cgroup || :) && exec /lib/systemd/systemd"

EVENT = '{"applicationId": "%s", "token": "a-seek-token"}'


class Machine:
    def run(self, command, check=True):
        return docker("exec", MACHINE, "bash", "-c", command, check=check)

    def show(self, name):
        return self.run(f"systemctl show seek-signal --property {name} --value")

    def post(self, application_id):
        return self.run("curl --silent --fail http://127.0.0.1:8787/v1/events -H 'Content-Type: application/json' "
                        f"-d '{EVENT % application_id}'")

    def application(self, application_id):
        return self.run(f"curl --silent http://127.0.0.1:8787/v1/applications/{application_id}")

    def journal(self):
        return self.run("journalctl --unit seek-signal --no-pager --output cat")


@pytest.fixture(scope="module")
def machine():
    package = next(pathlib.Path(os.environ["SEEK_SIGNAL_PACKAGES"]).glob("*.deb"))
    docker("run", "--detach", "--name", MACHINE, *OPTIONS, f"seek-signal-test/systemd-{RELEASE}", "sh", "-c", BOOT)
    machine = Machine()
    try:
        eventually(lambda: machine.run("systemctl is-system-running", check=False).stdout.strip() in ("running", "degraded"),
                   "systemd has started", 60)
        docker("cp", package, f"{MACHINE}:/root/package.deb")
        yield machine
    finally:
        print(machine.run("journalctl --no-pager -n 60", check=False).stdout)
        docker("rm", "--force", "--volumes", MACHINE)


# The tests are one story, in this order.

def it_installs_and_is_not_started_without_its_configuration(machine):
    said = machine.run("dpkg --install /root/package.deb")
    assert "fill in /etc/seek-signal/environment" in said
    assert machine.run("systemctl is-enabled seek-signal") == "enabled"
    assert machine.show("ActiveState") == "inactive" and machine.show("ConditionResult") == "no"
    assert machine.run("dpkg --verify seek-signal") == ""


def it_has_a_unit_without_a_mistake(machine):
    assert machine.run("systemd-analyze verify seek-signal.service 2>&1") == ""
    exposure = machine.run("systemd-analyze security --no-pager seek-signal.service | tail -1")
    assert float(exposure.split(":")[1].split()[0]) <= 1.5, exposure


def it_is_started_when_an_event_can_be_accepted(machine):
    machine.run("systemd-run --quiet --unit sandbox seek-sandbox")
    machine.run("install -m 600 /dev/null /etc/seek-signal/client-secret && echo hush-Xq7 >/etc/seek-signal/client-secret")
    machine.run("sed -i 's/^SEEK_SIGNAL_CLIENT_ID=.*/SEEK_SIGNAL_CLIENT_ID=client/' /etc/seek-signal/environment")
    machine.run("printf 'SEEK_SIGNAL_%s\\n' TOKEN_URL=http://127.0.0.1:8790/oauth/token "
                "GRAPHQL_URL=http://127.0.0.1:8790/graphql >>/etc/seek-signal/environment")
    machine.run("systemctl start seek-signal")
    # At once: that is what Type=notify promises to whatever is ordered after us.
    assert '"durability":"fsync"' in machine.post("A-1")
    assert machine.show("ActiveState") == "active"
    assert machine.show("StatusText") == "Events can be accepted durably."
    eventually(lambda: '"state":"delivered"' in machine.application("A-1"), "A-1 is delivered")


def it_answers_questions_with_its_own_settings(machine):
    """The commands of docs/image.md, as they stand there."""
    commands = re.findall(r"^\(set -a; .*\)$", (ROOT / "docs" / "image.md").read_text(), re.M)
    check, status = (machine.run(command, check=False).stdout for command in commands)
    assert re.search(r"^ok +settings", check, re.M) and re.search(r"^ok +SEEK", check, re.M), check
    assert status.startswith("Working.\n"), status


def it_runs_as_nobody_in_particular(machine):
    pid = machine.show("MainPID")
    status = dict(line.split(":", 1) for line in machine.run(f"cat /proc/{pid}/status").splitlines())
    assert 61184 <= int(status["Uid"].split()[0]) <= 65519, "a user that systemd made for this run"
    assert int(status["CapEff"], 16) == 0 and int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"].strip() == "1" and status["Seccomp"].strip() == "2"
    assert machine.run("stat --format %a /var/lib/private/seek-signal") == "700"
    assert "hush-Xq7" not in machine.run(f"tr '\\0' '\\n' </proc/{pid}/environ") + machine.journal()


def it_keeps_the_order_of_the_stop(machine):
    """The private Redis outlives what is on its way to SEEK: KillMode=mixed."""
    machine.run("curl --silent --fail http://127.0.0.1:8790/sandbox/faults "
                """-d '{"on": "graphql", "kind": "slow", "latencyMs": 1500, "count": 1}'""")
    machine.post("A-2")
    eventually(lambda: '"state":"sending"' in machine.application("A-2"), "A-2 is on its way")
    machine.run("systemctl stop seek-signal")
    assert machine.show("Result") == "success" and machine.show("ExecMainStatus") == "0"
    assert '"event":"stopped"' in machine.journal()
    assert "embedded_redis_died" not in machine.journal(), "nobody else ended it meanwhile"
    machine.run("systemctl start seek-signal")
    left = json.loads(machine.application("A-2"))
    assert left["state"] == "delivered" and left["attempts"] == 1, left


def it_is_ended_and_started_again_when_it_hangs(machine):
    """Sooner than after the unit's 30 s, but not sooner than the service reports."""
    machine.run("mkdir -p /run/systemd/system/seek-signal.service.d && printf '[Service]\\nWatchdogSec=8\\nRestartSec=0\\n' "
                ">/run/systemd/system/seek-signal.service.d/test.conf && systemctl daemon-reload && systemctl restart seek-signal")
    before = machine.show("MainPID")
    machine.run(f"kill -STOP {before}")
    eventually(lambda: machine.show("MainPID") not in ("0", before) and machine.show("ActiveState") == "active",
               "another process serves", 60)
    assert machine.show("NRestarts") == "1"
    assert '"state":"delivered"' in machine.application("A-1"), "nothing was lost"


def it_does_not_try_again_with_a_wrong_setting(machine):
    machine.run("echo SEEK_SIGNAL_WORKERS=many >>/etc/seek-signal/environment")
    assert machine.run("systemctl restart seek-signal", check=False).returncode != 0
    assert machine.show("ExecMainStatus") == "2" and machine.show("ActiveState") == "failed"
    assert "WORKERS" in machine.journal()
    machine.run("sed -i /WORKERS/d /etc/seek-signal/environment && systemctl start seek-signal")


def it_is_restarted_by_an_upgrade_and_keeps_its_settings(machine):
    before = machine.show("MainPID")
    machine.run("dpkg --install /root/package.deb")
    assert machine.show("ActiveState") == "active" and machine.show("MainPID") != before
    assert "CLIENT_ID=client" in machine.run("cat /etc/seek-signal/environment")


def it_keeps_settings_and_data_when_removed(machine):
    machine.run("dpkg --remove seek-signal")
    assert machine.run("ls -l /proc/[0-9]*/cwd /proc/[0-9]*/exe 2>/dev/null | grep 'seek-signal$'", check=False).stdout == ""
    machine.run("test -e /etc/seek-signal/environment -a -e /etc/seek-signal/client-secret")
    machine.run("test -d /var/lib/private/seek-signal/appendonlydir")
    machine.run("dpkg --install /root/package.deb")
    assert '"state":"delivered"' in machine.application("A-1")


def it_leaves_nothing_when_purged(machine):
    machine.run("dpkg --purge seek-signal")
    left = machine.run("find / -xdev -name '*seek-signal*' -not -path '/proc/*' -not -path '/run/*' -not -path '/var/log/*'")
    assert left == ""
    assert machine.run("systemctl is-enabled seek-signal", check=False).returncode != 0
