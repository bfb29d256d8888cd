# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Clients that generators make of openapi.yaml: they are generated, compiled, and call the running service."""
import json
import pathlib
import shutil
import subprocess

import pytest

from programs import NODE, npm_ci
from stand import ROOT

SOURCES = pathlib.Path(__file__).resolve().parent / "generated"
WHERE = NODE / "generated"
GENERATORS = {
    "openapi-typescript": (["openapi-typescript", "openapi.yaml", "-o", "seek-signal.d.ts"], "with_types"),
    "@hey-api/openapi-ts": (["openapi-ts"], "with_sdk"),
}


def run(*command):
    done = subprocess.run([WHERE / "node_modules" / ".bin" / command[0], *command[1:]], cwd=WHERE, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


@pytest.fixture(scope="module")
def compiled():
    npm_ci(SOURCES, WHERE)
    shutil.rmtree(WHERE / "out", ignore_errors=True)
    shutil.copy(ROOT / "openapi.yaml", WHERE)
    for source in SOURCES.glob("*.*"):
        shutil.copy(source, WHERE)
    for command, _ in GENERATORS.values():
        run(*command)
    run("tsc", "-p", ".")
    return WHERE / "out"


@pytest.mark.parametrize("generator", GENERATORS)
def it_is_called_by_the_client_that_is_made_by(generator, compiled, stand, sandbox, redis, seen):
    service = stand.service(sandbox, redis_url=redis.url, api_key="a-key-for-the-test").start()
    script = compiled / f"{GENERATORS[generator][1]}.js"
    done = subprocess.run(["node", script, f"http://{service.address}", "a-key-for-the-test"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stdout.strip() == "ok", done.stdout + done.stderr
    version = json.loads((SOURCES / "package.json").read_text())["dependencies"][generator]
    seen(f"{generator} {version}", "a client generated of openapi.yaml and compiled strictly", "events, a batch, `?wait`, lists, problems and operators' calls, as they are typed")
    service.must_stop()
