# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The stand of the system tests and its fixtures, here too; and `seen`, which keeps what a case saw for docs/peers.md."""
import importlib.util
import os
import pathlib
import sys

import pytest

SYSTEM = pathlib.Path(__file__).resolve().parents[1] / "system"
sys.path.insert(0, str(SYSTEM))
_specification = importlib.util.spec_from_file_location("system_conftest", SYSTEM / "conftest.py")
_system = importlib.util.module_from_spec(_specification)
_specification.loader.exec_module(_system)

stand, redis, sandbox, service = _system.stand, _system.redis, _system.sandbox, _system.service
pytest_terminal_summary = _system.pytest_terminal_summary

ROWS = pytest.StashKey()  # of a case, and of all that passed


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    yield from _system.pytest_runtest_makereport(item, call)
    if call.when == "setup":
        item.stash[ROWS] = []  # a first try that failed has kept some
    if call.when == "call" and call.excinfo is None:
        item.config.stash[ROWS] += item.stash.get(ROWS, [])


def pytest_configure(config):
    config.addinivalue_line("markers", "whole: not in what fits into five minutes")
    config.stash[ROWS] = []


@pytest.fixture
def seen(request):
    """seen(peer with its version, situation, what was seen): a row of the table of docs/peers.md."""
    group = request.path.name.removesuffix("_test.py")

    def keep(peer, situation, saw):
        request.node.stash.setdefault(ROWS, []).append((group, peer, situation, saw))
        print(f"{peer}: {situation}: {saw}")
    return keep


def pytest_sessionfinish(session, exitstatus):
    """What passed is written. When all of the groups ran and passed, nothing else of theirs stays."""
    document = os.environ.get("PEERS_RECORD")
    if not document:
        return
    import matrix
    options = session.config.option
    is_all = exitstatus == 0 and not options.markexpr and not options.keyword
    path = pathlib.Path(document)
    path.write_text(matrix.record(path.read_text(), session.config.stash[ROWS], is_all))
