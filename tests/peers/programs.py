# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Programs of other people's: how they are found, started and named with their versions."""
import contextlib
import functools
import json
import pathlib
import shutil
import socket
import subprocess

import pytest

from stand import ROOT, Process, eventually

HERE = pathlib.Path(__file__).resolve().parent
NODE = ROOT / "build" / "peers"  # the npm packages, beside a copy of servers/
NODE_MAJOR_LEAST = 20


def program(name):
    """Its path; Debian keeps daemons outside of an ordinary user's PATH."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def is_listening(host, port):
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
        return True
    return False


def trixie(name, binary, *packages):
    """The command line of a program of Debian 13, whatever Debian this is: its packages are unpacked into build/peers/NAME once, not
    installed, and it runs by the loader and with the libraries of that Debian, so that neither root nor a chroot is needed."""
    tree = NODE / name
    if not (tree / "usr" / "bin").exists():
        unfinished = tree.with_suffix(".unfinished")  # what broke off has another name
        shutil.rmtree(unfinished, ignore_errors=True)
        tree.parent.mkdir(parents=True, exist_ok=True)
        done = subprocess.run([program("mmdebstrap"), "--variant=extract", f"--include={','.join(packages)}", "--dpkgopt=path-exclude=/usr/share/*",
                               "trixie", unfinished], capture_output=True, text=True, timeout=900)
        if done.returncode != 0:
            pytest.skip(f"no packages of Debian 13: {done.stderr[-300:]}")
        unfinished.rename(tree)
    [loader] = (tree / "usr").glob("lib*/ld-linux-*.so.*")
    libraries = ":".join(str(path) for path in (tree / "usr" / "lib").glob("*-linux-gnu"))
    return [loader, "--library-path", libraries, tree / "usr" / "bin" / binary]


@functools.cache
def debian_version(package):
    """ "7.0.15" of "5:7.0.15-1~deb12u3": what its own people call it."""
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True)
    return done.stdout.split(":")[-1].split("-")[0].split("+")[0]


def pinned(package):
    """The version in package.json."""
    return json.loads((HERE / "package.json").read_text())["dependencies"][package]


def npm_ci(source, where):
    """Installs into `where` what the package-lock.json of `source` names, once; skips where Node.js is too old for it."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node.js and npm are not installed")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.lstrip("v").split(".")[0]) < NODE_MAJOR_LEAST:
        pytest.skip(f"these packages need Node.js {NODE_MAJOR_LEAST}; here is {version}")
    where.mkdir(parents=True, exist_ok=True)
    lock = (source / "package-lock.json").read_bytes()
    installed = where / "installed"  # written last: an installation that broke off is made again
    if not installed.exists() or installed.read_bytes() != lock:
        installed.unlink(missing_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(source / name, where / name)
        subprocess.run(["npm", "ci", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"], cwd=where, check=True, timeout=600)
        installed.write_bytes(lock)


def node_ready():
    npm_ci(HERE, NODE)
    for script in (HERE / "servers").glob("*.mjs"):
        shutil.copy(script, NODE / script.name)


class NodeServer(Process):
    """One of servers/*.mjs; `said` are the words behind its "ready"."""

    def __init__(self, directory, name, script, *arguments, environment=None):
        super().__init__(name, directory)
        self.arguments, self.environment = ["node", NODE / script, *arguments], environment
        self.start()

    def start(self):
        before = len(self.text())
        self.spawn(self.arguments, self.environment)

        def ready():
            assert self.is_running(), self.text()
            return next((line.split()[1:] for line in self.text()[before:].splitlines() if line.startswith("ready ")), None)
        self.said = eventually(ready, f"{self.name} is ready", 60)
