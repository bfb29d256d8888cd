# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Another revision of the service, built beside the working tree, and measured in the same rounds."""
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys

import contract
import stand


def shell(*arguments, **options):
    return subprocess.run([str(a) for a in arguments], check=True, text=True, stdout=subprocess.PIPE, **options).stdout.strip()


class Revision:
    """Its service, as the working tree's is built; everything else of a measurement is the working tree's."""

    def __init__(self, name, out):
        self.name = name
        commit = shell("git", "-C", stand.ROOT, "rev-parse", "--verify", f"{name}^{{commit}}")
        source = pathlib.Path(out) / "revisions" / commit
        self.service = source / "build" / "release" / "service" / "seek-signal"
        if not self.service.exists():
            self.build(commit, source)

    def build(self, commit, source):
        print(f"  building {self.name} ({commit[:12]})", file=sys.stderr)
        shutil.rmtree(source, ignore_errors=True)
        source.mkdir(parents=True)
        archive = source.with_suffix(".tar")
        shell("git", "-C", stand.ROOT, "archive", "--output", archive, commit)
        shell("tar", "-x", "-C", source, "-f", archive)
        archive.unlink()
        shell("cmake", "--preset", "release", "-DSEEK_SIGNAL_TESTS=OFF", cwd=source)
        shell("cmake", "--build", "--preset", "release", "--target", "seek-signal", cwd=source)
        assert os.access(self.service, os.X_OK), self.service

    @contextlib.contextmanager
    def in_place(self):
        """Meanwhile a stand starts this one, and its answers need not be those of the working tree's openapi.yaml."""
        ours = stand.SERVICE, contract.check
        stand.SERVICE, contract.check = self.service, lambda *_: None
        try:
            yield
        finally:
            stand.SERVICE, contract.check = ours

    def measuring(self, measure):
        def measure_in_place():
            with self.in_place():
                return measure()
        return measure_in_place
