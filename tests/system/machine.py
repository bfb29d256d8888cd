# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Faults of the machine: disks that fill, clocks that step, descriptors and memory that run out."""
import contextlib
import os
import pathlib
import subprocess
import time

import pytest

from stand import BUILD, eventually


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


class Clock:
    """The wall clock of the processes that it governs, to be set while they run. Clocks that nobody can set go on."""

    LIBRARY = BUILD / "tests" / "libstepped_clock.so"

    def __init__(self, directory):
        self.file = pathlib.Path(directory) / "clock"
        self.offset_s = 0
        self.step(0)

    def govern(self, process):
        """From its next start on."""
        spawn = process.spawn
        governed = {"LD_PRELOAD": str(self.LIBRARY), "STEPPED_CLOCK": str(self.file),
                    "ASAN_OPTIONS": "verify_asan_link_order=0"}
        process.spawn = lambda arguments, environment=None: spawn(arguments, (environment or dict(os.environ)) | governed)

    def step(self, seconds):
        self.offset_s += seconds
        new = self.file.with_suffix(".new")
        new.write_text(str(self.offset_s))
        new.rename(self.file)

    def now(self):
        return time.time() + self.offset_s


class MemoryLimit:
    """A cgroup of its own below ours, of either version. Where none can be made the test is skipped."""

    FILES = {"v1": ("memory.limit_in_bytes", "memory.usage_in_bytes"), "v2": ("memory.max", "memory.current")}

    def __init__(self, name):
        self.path, self.version = self.create(name)
        self.limit_file, self.used_file = (self.path / file for file in self.FILES[self.version])

    @staticmethod
    def create(name):
        for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, own = line.split(":", 2)
            version = "v1" if "memory" in controllers.split(",") else "v2" if controllers == "" else None
            root = pathlib.Path("/sys/fs/cgroup", "memory" if version == "v1" else "")
            path = root / own.lstrip("/") / name
            if version is None:
                continue
            with contextlib.suppress(OSError):
                path.mkdir()
                if (path / MemoryLimit.FILES[version][0]).exists():
                    return path, version
                path.rmdir()
        return pytest.skip("no cgroup with a memory limit can be made here")

    def govern(self, process, limit_bytes):
        self.set(limit_bytes)
        spawn = process.spawn
        enter = ["sh", "-c", 'echo $$ >"$0" && exec "$@"', self.path / "cgroup.procs"]
        process.spawn = lambda arguments, environment=None: spawn([*enter, *arguments], environment)

    def set(self, limit_bytes):
        self.limit_file.write_text(str(limit_bytes))

    def used(self):
        return int(self.used_file.read_text())

    def remove(self):
        """Once it is empty, which it is a moment after its last process was waited for."""
        eventually(self.is_removed, "the cgroup is empty")

    def is_removed(self):
        with contextlib.suppress(OSError):
            self.path.rmdir()
            return True
        return False
