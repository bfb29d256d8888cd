# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Faults of the machine: disks that fill, clocks that step, descriptors and memory that run out."""
import contextlib
import os
import pathlib
import subprocess

import pytest


class Volume:
    """A file system of its own, small enough to be filled. Where nobody may mount the test is skipped."""

    def __init__(self, path, mebibytes=8):
        self.path = pathlib.Path(path)
        self.path.mkdir(exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=755", "tmpfs", self.path],
                              capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip(f"no small file system can be mounted here: {done.stderr.strip()}")

    @property
    def ballast(self):
        return self.path / "of-somebody-else"

    def fill(self):
        """To the last page. What has begun a page may still end it, as on a real disk."""
        with open(self.ballast, "ab", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(b"\0" * 65536) > 0:
                pass

    def free(self):
        os.unlink(self.ballast)

    def unmount(self):
        """Also with processes in it."""
        subprocess.run(["umount", "--lazy", self.path], check=True)
