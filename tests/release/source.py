# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The source tree as a release sees it."""
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def tracked():
    """Names of the files that git tracks and that are there, new ones included."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout
    return sorted(name for name in listed.split("\0") if name and (ROOT / name).is_file())


def version():
    """Of CMakeLists.txt, which is the one that counts."""
    return re.search(r"project\(seek-signal VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]
