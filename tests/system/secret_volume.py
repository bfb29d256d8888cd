# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""A directory that looks and changes as a Secret does that Kubernetes mounts."""
import os
import pathlib


class SecretVolume:
    """A mounted Secret: every file is a link through `..data` to a directory that is replaced whole."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory) / "secrets"
        self.directory.mkdir()
        self.generation = 0

    def put(self, **files):
        """What the kubelet does: a new directory beside the old one, then one rename."""
        self.generation += 1
        fresh = self.directory / f"..2026_01_02_03_04_05.{self.generation:09}"
        fresh.mkdir()
        for name, content in files.items():
            (fresh / name).write_text(content)
            if not (self.directory / name).is_symlink():
                (self.directory / name).symlink_to(f"..data/{name}")
        before = self.directory / "..data"
        old = os.readlink(before) if before.is_symlink() else None
        link = self.directory / "..data_tmp"
        link.symlink_to(fresh.name)
        link.rename(before)
        if old is not None:
            for file in (self.directory / old).iterdir():
                file.unlink()
            (self.directory / old).rmdir()

    def path(self, name):
        return self.directory / name
