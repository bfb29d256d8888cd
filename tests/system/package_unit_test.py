# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The package's unit, and what the documents tell to add to it: as far as systemd-analyze can tell where no systemd runs."""
import re
import shutil
import subprocess

import pytest

import documents
from stand import ROOT, SERVICE

UNIT = ROOT / "cmake" / "package" / "seek-signal.service"

pytestmark = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


def analyze(*arguments):
    done = subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr


@pytest.fixture
def unit(tmp_path):
    """The unit where systemd-analyze finds its program."""
    path = tmp_path / UNIT.name
    path.write_text(UNIT.read_text().replace("/usr/bin/seek-signal", str(SERVICE)))
    return path


def additions():
    """(place, text) of each [Service] that is added by `systemctl edit`."""
    for name in documents.READ:
        for language, text, line, _ in documents.fences(name):
            if language == "ini":
                yield f"{name}:{line}", text
    commented = re.search(r"^#   systemctl edit seek-signal\n((?:#     .*\n)+)", (ROOT / "cmake/package/environment").read_text(), re.M)
    yield "environment", re.sub(r"^#     ", "", commented[1], flags=re.M)


def it_has_no_mistake(unit):
    assert analyze("verify", "--man=no", unit) == ""
    unit.write_text(unit.read_text().replace("UMask=", "UMasque="))
    assert "UMasque" in analyze("verify", "--man=no", unit), "a mistake is seen"


def it_is_as_confined_as_the_document_says(unit):
    said = re.search(r"`systemd-analyze security seek-signal` says (\d\.\d)", (ROOT / "docs" / "image.md").read_text())[1]
    assert f": {said} " in analyze("security", "--offline=true", "--no-pager", unit)


@pytest.mark.parametrize("text", [pytest.param(text, id=place) for place, text in additions()])
def it_takes_what_a_document_adds_to_it(text, unit):
    folder = unit.with_name(f"{unit.name}.d")
    folder.mkdir()
    (folder / "override.conf").write_text(text)
    assert analyze("verify", "--man=no", unit) == ""
    # What is handed over is what a setting names, and the setting is one.
    handed = set(re.findall(r"^LoadCredential=([\w-]+):/", text, re.M))
    named = re.findall(r"SEEK_SIGNAL_(\w+)=%d/([\w-]+)", text)
    assert handed == {credential for _, credential in named} and handed
    settings = (ROOT / "docs" / "settings.md").read_text()
    for setting, _ in named:
        assert f"`{setting}`" in settings or f"`{setting.removesuffix('_FILE')}`, `…_FILE`" in settings, setting
