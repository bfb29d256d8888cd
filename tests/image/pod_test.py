# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The pods of docker/kubernetes/sidecar, run: an ATS that posts to the sidecar beside it, the order of start and stop."""
import pathlib
import re
import shutil
import tempfile

import pytest

from pods import ATS, IMPORTS, KEEPS_POSTING, LIVES, Node, Pod
from containers import EMBEDDED, SANDBOX, SERVICE
from stand import eventually


@pytest.fixture(scope="module")
def machine():
    """Podman with the images; a node of its own for each test would load them each time."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="seek-signal-pods-"))
    directory.chmod(0o755)
    node = Node(directory)
    try:
        node.load(SERVICE, EMBEDDED, SANDBOX, ATS)
        tried = node.podman("run", "--rm", "--network=none", SERVICE, "version", check=False)
        if tried.returncode != 0:
            pytest.skip(f"podman runs no container on this machine: {tried.stderr.strip().splitlines()[-1]}")
        yield directory
    finally:
        node.podman("system", "reset", "--force", check=False)
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def node(machine):
    node = Node(machine)
    node.start()
    yield node
    node.close()
    shutil.rmtree(machine / "secrets")


@pytest.fixture
def pod(node):
    """pod("deployment.yaml", ATS's command)"""
    made = []

    def make(manifest, ats):
        made.append(Pod(node, manifest, ats))
        return made[-1]
    yield make
    for pod in made:
        print(pod.report())
        pod.close()


def outage(node):
    node.sandbox("POST", "/faults", {"on": "graphql", "kind": "status", "status": 503, "count": 1000000})


def it_starts_the_ats_when_an_event_can_be_accepted(pod, node):
    node.podman("kill", "--signal", "STOP", "redis")
    pod = pod("deployment.yaml", LIVES)
    pod.start_sidecar()
    eventually(lambda: pod.probe("livenessProbe"), "the sidecar lives")
    assert not pod.probe("startupProbe"), "and is not started: Redis is away"
    node.podman("kill", "--signal", "CONT", "redis")
    pod.start_ats()
    node.must_deliver("token-first")
    assert pod.probe("readinessProbe")
    pod.stop()


def it_takes_the_last_event_of_an_ats_that_is_stopped(pod, node):
    pod = pod("deployment.yaml", LIVES).start()
    node.must_deliver("token-first")
    node.sandbox("POST", "/faults", {"on": "graphql", "kind": "slow", "latencyMs": 2000, "count": 1})
    pod.stop()
    assert sorted(node.delivered()) == ["token-first", "token-last"], "finished before its own end"
    [line] = eventually(lambda: pod.logs("stopped"), "its last line")
    assert line["signals_cut"] == 0


def it_loses_nothing_when_it_is_stopped_first(pod, node):
    """Not the order of Kubernetes 1.29, but that of older ones: both get SIGTERM, and the ATS still posts."""
    pod = pod("deployment.yaml", KEEPS_POSTING).start()
    node.must_deliver("token-3")
    node.sandbox("POST", "/faults", {"on": "graphql", "kind": "slow", "latencyMs": 2000, "count": 1})
    eventually(lambda: not node.sandbox("GET", "/faults")["faults"], "a signal is on its way")
    node.podman("kill", "--signal", "TERM", pod.sidecar)
    eventually(lambda: not pod.state(pod.sidecar)["Running"], "the sidecar has ended", 30)
    assert pod.state(pod.sidecar)["ExitCode"] == 0
    eventually(lambda: pod.logs("stopped"), "its last line")
    stopping, last = pod.logs("stopping")[0], pod.logs("event_accepted")[-1]
    assert last["time"] > stopping["time"], "events are accepted while it stops"

    pod.start_sidecar()  # restartPolicy: Always; the ATS repeats until it is back
    eventually(lambda: len(pod.logs("listening")) == 2 and pod.logs("event_accepted")[-1]["time"] > pod.logs("listening")[-1]["time"],
               "the ATS goes on", 60)
    node.podman("stop", "--time", "20", pod.ats)
    acknowledged = re.findall(r"^\{.*\} (\d+)$", node.log(pod.ats), re.M)
    assert acknowledged == [str(n + 1) for n in range(len(acknowledged))], "each of them, in the end"
    node.must_deliver(*(f"token-{n}" for n in acknowledged))
    pod.stop()


def it_comes_back_when_it_is_killed(pod, node):
    pod = pod("deployment.yaml", KEEPS_POSTING).start()
    outage(node)
    eventually(lambda: len(pod.logs("event_accepted")) > 10, "events wait")
    waiting = {line["application"] for line in pod.logs("event_accepted")}
    node.podman("kill", "--signal", "KILL", pod.sidecar)
    node.sandbox("DELETE", "/faults")
    pod.start_sidecar()
    node.must_deliver(*(f"token-{n}" for n in waiting))
    pod.stop()


def it_lets_a_job_complete(pod, node):
    pod = pod("job.yaml", IMPORTS).start()
    assert node.podman("wait", pod.ats) == "0", "the job's own container ends by itself"
    pod.stop()  # as the kubelet does then
    node.must_deliver(*(f"token-{n}" for n in range(1, 11)))


def it_leaves_to_the_next_what_a_job_could_not_send(pod, node):
    outage(node)
    job = pod("job.yaml", IMPORTS).start()
    assert node.podman("wait", job.ats) == "0"
    job.stop()
    assert node.delivered() == []
    node.sandbox("DELETE", "/faults")
    shutil.rmtree(job.secrets.directory)
    pod("deployment.yaml", LIVES).start()
    node.must_deliver(*(f"token-{n}" for n in range(1, 11)))


def it_uses_a_secret_that_is_rotated_while_it_runs(pod, node):
    pod = pod("deployment.yaml", LIVES).start()
    node.must_deliver("token-first")
    node.sandbox("PATCH", "/settings", {"clientSecret": "secret-2"})
    node.sandbox("POST", "/revoke")
    node.podman("exec", pod.ats, "/usr/bin/sh", "/samples/curl.sh", "later", "token-later")
    eventually(lambda: pod.logs("access_token_failed"), "the refusal is told")
    pod.put_secrets("secret-2")
    node.must_deliver("token-later")
    [line] = eventually(lambda: pod.logs("secret_rotated"), "the rotation is told")
    assert line["setting"] == "CLIENT_SECRET"
    pod.stop()
