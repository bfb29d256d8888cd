# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The stand of the system tests and its fixtures, here too."""
import importlib.util
import pathlib
import sys

SYSTEM = pathlib.Path(__file__).resolve().parents[1] / "system"
sys.path.insert(0, str(SYSTEM))
_specification = importlib.util.spec_from_file_location("system_conftest", SYSTEM / "conftest.py")
_system = importlib.util.module_from_spec(_specification)
_specification.loader.exec_module(_system)

stand, redis, sandbox, service = _system.stand, _system.redis, _system.sandbox, _system.service
pytest_runtest_makereport, pytest_terminal_summary = _system.pytest_runtest_makereport, _system.pytest_terminal_summary
