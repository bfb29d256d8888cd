# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The manual pages: well-formed for both formatters, and about everything that the help is about."""
import os
import pathlib
import re
import subprocess

import pytest

from source import ROOT, version

BUILD = pathlib.Path(os.environ.get("SEEK_SIGNAL_BUILD", ROOT / "build" / "dev"))
PAGES = {"seek-signal": BUILD / "service", "seek-sandbox": BUILD / "service" / "sandbox"}


@pytest.fixture(params=PAGES)
def program(request):
    return request.param


def page(program):
    return PAGES[program] / f"{program}.1"


def run(*command, **environment):
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"MANWIDTH": "100", "LC_ALL": "C.UTF-8"} | environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, done.stderr


def text(program):
    return run("man", "--local-file", page(program), MAN_KEEP_FORMATTING="")[0]


def it_is_well_formed(program):
    assert run("mandoc", "-T", "lint", page(program)) == ("", "")
    assert run("man", "--warnings", "--local-file", page(program))[1] == ""


def it_is_found_by_its_name(program):
    assert run("lexgrog", page(program))[0].startswith(f'{page(program)}: "{program} - ')


def it_names_every_command_option_and_setting():
    helped = run(PAGES["seek-signal"] / "seek-signal", "--help", "all")[0]
    wanted = re.findall(r"^  ([a-z]+(?: [a-z]+)?)(?= [\[ ]|  )", helped, re.M) + re.findall(r"^  ([A-Z][A-Z_]+) ", helped, re.M)
    assert len(wanted) > 60
    written = text("seek-signal")
    for name in wanted:
        assert re.search(rf"^ +(SEEK_SIGNAL_)?{name}\b", written, re.M), f"seek-signal(1) does not explain {name}"


def it_names_every_option_of_the_sandbox():
    wanted = re.findall(r"^  (--[a-z0-9-]+)", run(PAGES["seek-sandbox"] / "seek-sandbox", "--help")[0], re.M)
    assert len(wanted) > 10
    written = text("seek-sandbox")
    for name in wanted:
        assert re.search(rf"^ +{name}\b", written, re.M), f"seek-sandbox(1) does not explain {name}"


def it_says_of_which_version_it_is(program):
    last = text(program).strip().splitlines()[-1]
    assert re.match(rf"seek-signal {re.escape(version())} +\d{{4}}-\d\d-\d\d ", last), last
