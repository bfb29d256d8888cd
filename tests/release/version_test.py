# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The version is the same wherever it stands, and one script sets it."""
import re
import shutil
import subprocess

import pytest
import yaml

from source import ROOT, tracked, version

# Where it stands by hand: the history, and other projects' versions.
OTHERS = ("CHANGELOG.md", "package-lock.json")
NEW = ".".join(("17", "23", "42"))  # in no file


def places(root, wanted):
    """{file: how often it names the version}"""
    pattern = re.compile(rf"(?<![\d.]){re.escape(wanted)}(?![\d.]*\d)")
    found = {}
    for name in tracked():
        count = len(pattern.findall((root / name).read_bytes().decode(errors="replace")))
        if count > 0 and name.rsplit("/", 1)[-1] not in OTHERS:
            found[name] = count
    return found


@pytest.fixture
def copy(tmp_path):
    for name in tracked():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def set_version(root, *arguments):
    return subprocess.run([root / "cmake" / "set-version", *arguments], capture_output=True, text=True)


def it_is_set_in_every_place_at_once(copy):
    before = places(copy, version())
    assert before["CMakeLists.txt"] == 1 and len(before) >= 7
    assert set_version(copy, NEW).returncode == 0
    assert places(copy, version()) == {}, "set-version leaves the old version there: add the place to its table"
    assert places(copy, NEW) == before


def it_changes_nothing_when_a_place_is_gone(copy):
    (copy / "docker" / "kubernetes" / "chart" / "Chart.yaml").write_text("name: seek-signal\n")
    done = set_version(copy, NEW)
    assert done.returncode != 0 and "Chart.yaml" in done.stderr
    assert places(copy, NEW) == {}


@pytest.mark.parametrize("wrong", ["1.2", "v1.2.3", "1.2.3-rc1", ""])
def it_refuses_what_is_no_version(copy, wrong):
    assert set_version(copy, wrong).returncode != 0
    assert places(copy, version()) == places(ROOT, version())


def it_is_told():
    assert set_version(ROOT).stdout == version() + "\n"


def it_is_in_the_history():
    """Newest first, in Keep a Changelog's form; the newest is this one, and its date is written at the release."""
    text = (ROOT / "CHANGELOG.md").read_text()
    headings = re.findall(r"^## \[(.*?)\] - (.*)$", text, re.M)
    assert headings and headings[0][0] == version(), "CHANGELOG.md has no section for this version"
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", date) for _, date in headings[1:])
    assert re.fullmatch(r"Unreleased|\d{4}-\d\d-\d\d", headings[0][1])
    assert set(re.findall(r"^### (.*)$", text, re.M)) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def it_is_another_one_than_that_of_the_api():
    contract = yaml.safe_load((ROOT / "openapi.yaml").read_text())
    major = contract["info"]["version"].split(".")[0]
    versions = {path.split("/")[1] for path in contract["paths"] if re.match(r"/v\d+/", path)}
    assert versions == {f"v{major}"}
