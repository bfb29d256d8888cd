# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Every file says under which licence it is, as REUSE has it, and that is the MIT licence.

Debian 12's reuse is older than REUSE.toml. It gets a copy of what git tracks, with the same said in the older form
(.reuse/dep5), so that the maintained tool judges and nothing is written twice.
"""
import subprocess
import tomllib

import pytest

from source import ROOT, tracked

DEP5 = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: seek-signal\nSource: here\n"


def older_form(annotations):
    """In REUSE.toml `**` crosses folders and `*` does not; in the older form `*` does."""
    stanzas = [DEP5]
    for one in annotations:
        files = " ".join(path.replace("**", "*") for path in one["path"])
        stanzas.append(f"Files: {files}\nCopyright: {one['SPDX-FileCopyrightText']}\nLicense: {one['SPDX-License-Identifier']}\n")
    return "\n".join(stanzas)


def lint(folder):
    return subprocess.run(["reuse", "--root", str(folder), "lint"], capture_output=True, text=True)


@pytest.fixture
def copy(tmp_path):
    """What git tracks, as it is now."""
    for name in tracked():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    declared = tomllib.loads((ROOT / "REUSE.toml").read_text())
    assert declared["version"] == 1 and set(declared) == {"version", "annotations"}
    for one in declared["annotations"]:
        assert all(path.count("*") == 2 * path.count("**") for path in one["path"]), "only ** is in both forms"
    (tmp_path / ".reuse").mkdir()
    (tmp_path / ".reuse" / "dep5").write_text(older_form(declared["annotations"]))
    return tmp_path


def it_says_of_every_file_its_licence(copy):
    done = lint(copy)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name, text", [
    ("service/new.c", "int answer;\n"),  # says nothing
    ("service/new.c", "/* SPDX-FileCopyrightText: seek-signal contributors\n * SPDX-License-" + "Identifier: Apache-2.0 */\n"),  # no such text
])
def it_would_notice_a_file_that_does_not(copy, name, text):
    (copy / name).write_text(text)
    assert lint(copy).returncode == 1


def it_uses_no_other_licence():
    assert [path.name for path in (ROOT / "LICENSES").iterdir()] == ["MIT.txt"]


def it_has_the_text_where_people_and_hosts_look():
    assert (ROOT / "LICENSE").read_bytes() == (ROOT / "LICENSES" / "MIT.txt").read_bytes()


def it_has_the_same_text_in_the_debian_package():
    in_package = (ROOT / "cmake" / "package" / "copyright").read_text().split("License: MIT\n")[1]
    words = (ROOT / "LICENSE").read_text().split("contributors\n", 1)[1].split()
    assert in_package.replace("\n .\n", "\n").split() == words


def it_annotates_no_file_that_is_not_there():
    names = tracked()
    for one in tomllib.loads((ROOT / "REUSE.toml").read_text())["annotations"]:
        for path in one["path"]:
            begin, _, end = path.partition("**")
            assert any(n.startswith(begin) and n.endswith(end) if "**" in path else n == path for n in names), path
