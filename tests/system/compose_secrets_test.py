# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""docker/compose.yaml has no password of its own: docker/make-secrets makes them, and nothing starts without."""
import re
import shutil
import subprocess

import pytest

from stand import ROOT


def make(directory):
    shutil.copy(ROOT / "docker" / "make-secrets", directory)
    subprocess.run([directory / "make-secrets"], check=True, capture_output=True, timeout=60)
    return dict(line.split("=", 1) for line in (directory / ".env").read_text().splitlines())


def it_makes_what_the_file_wants(tmp_path):
    compose = (ROOT / "docker" / "compose.yaml").read_text()
    wanted = set(re.findall(r"\$\{(\w+):\?run docker/make-secrets first\}", compose))
    made = make(tmp_path)
    assert set(made) == wanted == {"SEEK_SIGNAL_API_KEY", "REDIS_PASSWORD"}
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in made.values()) and len(set(made.values())) == 2
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600


def it_changes_none_that_is_there(tmp_path):
    before = make(tmp_path)
    assert make(tmp_path) == before


@pytest.mark.parametrize("before", ["SEEK_SIGNAL_CLIENT_ID=mine\n", "REDIS_PASSWORD=old", "# mine\nREDIS_PASSWORD=\nSEEK_SIGNAL_API_KEY=old"])
def it_adds_what_is_missing_in_a_file_that_is_there(tmp_path, before):
    (tmp_path / ".env").write_text(before)
    shutil.copy(ROOT / "docker" / "make-secrets", tmp_path)
    subprocess.run([tmp_path / "make-secrets"], check=True, capture_output=True, timeout=60)
    text = (tmp_path / ".env").read_text()
    assert text.startswith(before), "what was there stays"
    last = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    assert len(last["SEEK_SIGNAL_API_KEY"]) in (3, 64) and len(last["REDIS_PASSWORD"]) in (3, 64), text
    assert ("old" in before) == ("old" in last.values())
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600


def it_has_no_other_password():
    compose = (ROOT / "docker" / "compose.yaml").read_text()
    assert not re.search(r"(PASSWORD|API_KEY)\w*:-", compose), "a default would be a password that everybody knows"
    assert "docker/.env" in (ROOT / ".gitignore").read_text()
