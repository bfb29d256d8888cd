# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The tests of the images share the helpers of the system tests. `containers` removes what a test started."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

from containers import Containers  # noqa: E402
from second_try import pytest_terminal_summary  # noqa: E402, F401


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    containers = item.funcargs.get("containers")
    if containers is not None and report.failed:
        report.sections.append(("containers", containers.report()))


@pytest.fixture
def containers():
    containers = Containers()
    yield containers
    containers.close()
