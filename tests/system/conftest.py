# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Fixtures: `stand` starts processes one by one; `redis`, `sandbox` and `service` are the usual trio."""
import os
import pathlib
import shutil
import tempfile

import pytest

from fake_seek import FakeSeek
from machine import Volume
from second_try import pytest_terminal_summary  # noqa: F401
from stand import Stand


def scratch(room=1 << 30):
    """Where the tests' Redis keeps its files: in memory, where the machine has room for that. The disk of a machine that compiles beside
    makes an fsync last longer than the service waits for Redis (2 s), and then it answers 503, rightly."""
    memory = pathlib.Path("/dev/shm")
    has_room = memory.is_dir() and shutil.disk_usage(memory).free >= room
    return str(memory) if has_room and "TMPDIR" not in os.environ else None


tempfile.tempdir = scratch()  # of each stand, and of pytest's tmp_path


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    stand = item.funcargs.get("stand")
    if stand is not None and report.when == "call" and report.failed:
        report.sections.append(("processes", stand.report()))


@pytest.fixture
def stand():
    stand = Stand()
    yield stand
    stand.close()


@pytest.fixture
def redis(stand):
    return stand.redis()


@pytest.fixture
def sandbox(stand):
    return stand.sandbox()


@pytest.fixture
def fake_seek():
    seek = FakeSeek()
    yield seek
    seek.close()


@pytest.fixture
def service(stand, redis, sandbox):
    """Started and ready; its clean end is part of every test that uses it."""
    service = stand.service(sandbox, redis_url=redis.url)
    service.start()
    yield service
    if service.is_running():
        service.must_stop()


@pytest.fixture
def volume(stand):
    """Mounts a small file system over a directory of the stand, named as it or as the process in it."""
    volumes = []

    def mount(name, **options):
        volumes.append(Volume(pathlib.Path(stand.directory, name), **options))
        return volumes[-1]

    yield mount
    for each in volumes:
        each.unmount()
