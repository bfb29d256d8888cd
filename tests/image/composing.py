# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""A compose file, run. Images from a registry that are not here are stood in for by Debian's packages of the same programs."""
import contextlib
import json
import re
import shutil
import subprocess

import pytest
import yaml

from containers import docker
from stand import ROOT

STAND_IN = "seek-signal-test/stand-in"
# Image, without its version → the directory of its volume and its user, entry point.
STAND_INS = {"redis": ("/data", 999, "[]"), "prom/prometheus": ("/prometheus", 65534, '["/usr/bin/prometheus"]')}


def compose_program():
    done = subprocess.run(["docker", "compose", "version"], capture_output=True, timeout=60)
    if done.returncode == 0:
        return ["docker", "compose"]
    return [shutil.which("docker-compose") or pytest.skip("there is no docker compose")]


def is_here(image):
    return docker("image", "inspect", image, check=False).returncode == 0


class Composed:
    def __init__(self, file, project):
        self.file, self.project = ROOT / "docker" / file, project
        self.services = yaml.safe_load(self.file.read_text())["services"]

    def compose(self, *arguments):
        done = subprocess.run([*compose_program(), "-f", self.file, "-p", self.project, *arguments],
                              capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def container_of(self, service):
        return self.compose("ps", "--quiet", service).strip()

    @contextlib.contextmanager
    def stand_ins(self):
        made = []
        for image in {service["image"] for service in self.services.values()}:
            name = image.split(":")[0]
            if name not in STAND_INS or is_here(image):
                continue
            directory, user, entrypoint = STAND_INS[name]
            container = docker("create", STAND_IN, "sh", "-c", f"mkdir -p {directory} && chown {user} {directory}")
            docker("start", "--attach", container)
            docker("commit", f"--change=USER {user}", f"--change=ENTRYPOINT {entrypoint}", container, image)
            docker("rm", container)
            made.append(image)
        try:
            yield
        finally:
            for image in made:
                docker("rmi", "--force", image)

    @contextlib.contextmanager
    def up(self):
        """With what can be had: gives the names of these services."""
        subprocess.run([ROOT / "docker" / "make-secrets"], check=True, timeout=60)
        with self.stand_ins():
            wanted = [name for name, service in self.services.items() if "build" in service or is_here(service["image"])]
            try:
                self.compose("up", "--detach", "--no-build", *wanted)
                yield wanted
            finally:
                for name in wanted:
                    print(f"--- {name}\n" + self.compose("logs", "--no-color", name)[-3000:])
                self.compose("down", "--volumes", "--timeout", "30")

    def the_curl_of_the_guide(self):
        """The command in the head of the file, as somebody would paste it."""
        lines = [line.removeprefix("#") for line in self.file.read_text().splitlines() if line.startswith("#")]
        return re.search(r"^ +(curl .*?[^\\])$", "\n".join(lines), re.M | re.S)[1]

    def type_the_curl(self):
        """Its answer; None: the event is not taken yet."""
        done = subprocess.run(["bash", "-c", f". docker/.env\n{self.the_curl_of_the_guide()} --silent"], capture_output=True, text=True,
                              timeout=60, cwd=ROOT)
        answer = json.loads(done.stdout) if done.returncode == 0 else {}
        return answer if "applicationId" in answer else None


def key():
    (secret,) = re.findall(r"^SEEK_SIGNAL_API_KEY=(.+)$", (ROOT / "docker" / ".env").read_text(), re.M)
    return {"Authorization": f"Bearer {secret}"}
