# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""cmake/release, run for real: twice, in other places, at other times, by people with other habits. The bytes are the same."""
import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile

import jsonschema
import pytest

from links import dead_links
from source import ROOT, tracked, version

DATE = "2026-02-03T04:05:06Z"
EPOCH = 1770091506


def run(*command, cwd=None, umask=0o022, **environment):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, umask=umask,
                          env=os.environ | {"GIT_CONFIG_GLOBAL": "/dev/null"} | environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def repository(folder):
    """What git tracks here, changes included, as one commit."""
    for name in tracked():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name, follow_symlinks=False)
    run("git", "init", "-q", cwd=folder)
    commit(folder)
    return folder


def commit(folder):
    run("git", "add", "--all", "--force", cwd=folder)
    run("git", "-c", "user.name=somebody", "-c", "user.email=somebody@localhost", "commit", "-q", "--allow-empty", "-m", "The source", cwd=folder,
        GIT_AUTHOR_DATE=DATE, GIT_COMMITTER_DATE=DATE)


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    return repository(tmp_path_factory.mktemp("origin") / "source")


@pytest.fixture(scope="module")
def source_files(origin):
    return sorted(run("git", "ls-files", cwd=origin).splitlines())


@pytest.fixture(scope="module")
def builds(origin, tmp_path_factory):
    """Two releases of one commit."""
    here = tmp_path_factory.mktemp("one")
    run("cmake/release", "--unreleased", here / "out", cwd=origin, TMPDIR="/var/tmp")
    there = tmp_path_factory.mktemp("a-place-with-a-longer-name")
    clone = there / "somewhere" / "else"
    run("git", "clone", "--quiet", origin, clone, umask=0o077)
    run("cmake/release", "--unreleased", there / "out", cwd=clone, umask=0o077, TZ="Asia/Kolkata", LC_ALL="C", CFLAGS="-O0",
        TMPDIR=str(there))
    return here / "out", there / "out"


@pytest.fixture(scope="module")
def release(builds):
    return builds[0]


@pytest.fixture(scope="module")
def installed(release, tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    run("dpkg-deb", "--extract", the(release, "*.deb"), folder)
    return folder


def the(folder, pattern):
    (found,) = folder.glob(pattern)
    return found


def it_is_the_same_to_the_byte(builds):
    one, other = ({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()} for folder in builds)
    architecture = run("dpkg", "--print-architecture").strip()
    package = f"seek-signal_{version()}_{architecture}.deb"
    assert set(one) == {f"seek-signal-{version()}.tar.gz", package, f"{package}.cdx.json", "SHA256SUMS"}
    assert one == other


def it_tells_its_size_as_the_policy_counts_it(release, installed):
    """Not as a file system does, which made the bytes of a release another's on tmpfs."""
    kib = sum(-(-path.stat().st_size // 1024) if path.is_file() and not path.is_symlink() else 1 for path in installed.rglob("*"))
    assert run("dpkg-deb", "--field", the(release, "*.deb"), "Installed-Size").strip() == str(kib)


def it_can_be_checked_by_its_sums(release):
    assert run("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=release).count(": OK\n") == 3


def it_has_the_whole_source_and_nothing_else(release, source_files):
    with tarfile.open(the(release, "*.tar.gz")) as archive:
        members = archive.getmembers()
    prefix = f"seek-signal-{version()}/"
    assert sorted(m.name.removeprefix(prefix) for m in members if not m.isdir()) == source_files
    assert {m.mtime for m in members} == {EPOCH}


def it_installs_programs_and_their_manual_pages(installed):
    assert {path.name for path in (installed / "usr" / "bin").iterdir()} == {"seek-signal", "seek-sandbox"}
    for name in ("seek-signal", "seek-sandbox"):
        assert version() in run(installed / "usr" / "bin" / name, "--version")
        page = (installed / "usr" / "share" / "man" / "man1" / f"{name}.1").read_text()
        assert page.splitlines()[1] == f'.TH {name.upper()} 1 {DATE[:10]} "seek-signal {version()}" "User Commands"'


def it_installs_every_document_with_links_that_lead_somewhere(installed, source_files):
    root = installed / "usr" / "share" / "doc" / "seek-signal"
    documents = sorted(root.rglob("*.md"))
    expected = {name for name in source_files if name.endswith(".md") and not name.startswith("tests/")}
    assert {str(path.relative_to(root)) for path in documents} == expected
    assert dead_links(root, documents) == []
    assert (root / "LICENSE").exists() and (root / "copyright").exists()


def it_can_be_asked_with_its_own_settings_as_the_document_says(installed, tmp_path):
    """docs/image.md: check and status; neither Redis nor SEEK is here, but the settings are found."""
    commands = re.findall(r"^\(set -a; .*\)$", (ROOT / "docs" / "image.md").read_text(), re.M)
    assert [re.search(r"seek-signal (\w+)\)$", command)[1] for command in commands] == ["check", "status"]
    settings = (installed / "etc" / "seek-signal" / "environment").read_text()
    settings = settings.replace("CLIENT_ID=\n", "CLIENT_ID=client\n")
    for name in ("REDIS_URL=redis://127.0.0.1:1", "TOKEN_URL=http://127.0.0.1:1/", "GRAPHQL_URL=http://127.0.0.1:1/", "LISTEN=127.0.0.1:1"):
        settings += f"SEEK_SIGNAL_{name}\n"
    (tmp_path / "environment").write_text(settings)
    (tmp_path / "client-secret").write_text("secret\n")
    check, status = (subprocess.run(command.replace("/etc/seek-signal", str(tmp_path)), shell=True, capture_output=True, text=True,
                                    env={"PATH": f"{installed}/usr/bin:{os.environ['PATH']}"}) for command in commands)
    assert re.search(r"^ok +settings", check.stdout, re.M), check.stdout + check.stderr
    assert "127.0.0.1:1" in status.stdout + status.stderr


def it_names_no_place_of_the_machine_that_built_it(installed):
    for path in (installed / "usr" / "bin").iterdir():
        assert re.findall(rb"/tmp/[ -~]*|/[ -~]*/seek-signal-\d[ -~]*", path.read_bytes()) == []


def it_lists_what_the_package_is_linked_with(release):
    bill = json.loads(the(release, "*.cdx.json").read_text())
    package = the(release, "*.deb")
    subject = bill["metadata"]["component"]
    assert subject["version"] == version()
    assert subject["hashes"][0]["content"] == hashlib.sha256(package.read_bytes()).hexdigest()
    listed = {one["name"]: one for one in bill["components"]}
    linked = set(re.findall(r"(lib\S+) \(", run("dpkg-deb", "--field", package, "Depends")))
    assert {"libc6", "libcurl4", "libhiredis0.14"} <= linked <= set(listed)
    assert "libgnutls30" in listed, "what the libraries themselves load is listed, too"
    for name, one in listed.items():
        assert one["version"] == run("dpkg-query", "--show", "--showformat=${Version}", name).split("\n")[0]
        assert one["purl"].startswith(f"pkg:deb/debian/{name}@") and "distro=" in one["purl"]
    assert "upstream=curl" in listed["libcurl4"]["purl"], "advisories are about source packages"
    assert bill["dependencies"] == [{"ref": subject["bom-ref"], "dependsOn": [one["bom-ref"] for one in bill["components"]]}]


# --- a bill of materials as CycloneDX has it: by its own schema, which the makers of the form publish for npm

CYCLONEDX = "@cyclonedx/cyclonedx-library@6.13.1"


@pytest.fixture(scope="session")
def schema():
    folder = ROOT / "build" / "cyclonedx"
    schemas = folder / "node_modules" / "@cyclonedx" / "cyclonedx-library" / "res" / "schema"
    if not schemas.exists():
        if shutil.which("npm") is None:
            pytest.skip("npm is not here to bring the schema")
        folder.mkdir(parents=True, exist_ok=True)
        run("npm", "install", "--silent", "--no-save", "--no-audit", "--no-fund", "--omit=optional", "--ignore-scripts", "--prefix", folder, CYCLONEDX)
    store = {f"http://cyclonedx.org/schema/{path.name}": json.loads(path.read_text()) for path in schemas.glob("*.json")}
    main = store["http://cyclonedx.org/schema/bom-1.5.SNAPSHOT.schema.json"]
    return jsonschema.Draft7Validator(main, resolver=jsonschema.RefResolver(main["$id"], main, store=store))


def it_lists_them_in_a_form_that_scanners_read(release, schema):
    bill = json.loads(the(release, "*.cdx.json").read_text())
    schema.validate(bill)
    assert list(schema.iter_errors(bill | {"specVersion": 15}))
    assert list(schema.iter_errors(bill | {"components": [{"type": "library"}]}))


def it_lists_what_an_image_holds(installed, schema, tmp_path):
    """An image's root as its build makes it (docker/collect-runtime), without Docker."""
    if os.getuid() != 0:
        pytest.skip("a root file system is tried by chroot, which only root may")
    root = tmp_path / "root"
    run(ROOT / "docker" / "collect-runtime", root, "seek-signal", PATH=f"{installed}/usr/bin:{os.environ['PATH']}")
    bill = json.loads(run(ROOT / "cmake" / "sbom", "root", root, SOURCE_DATE_EPOCH=str(EPOCH)))
    schema.validate(bill)
    assert bill["metadata"]["timestamp"] == DATE
    assert {one["name"] for one in bill["components"]} == {path.name for path in (root / "var/lib/dpkg/status.d").iterdir()}
    assert "ca-certificates" in {one["name"] for one in bill["components"]}


# --- what is no release

def refusal(folder, *arguments):
    done = subprocess.run(["cmake/release", *arguments, folder.parent / "out"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 1
    assert list((folder.parent / "out").glob("*")) == []
    return done.stderr


@pytest.fixture
def source(tmp_path):
    return repository(tmp_path / "source")


def it_refuses_changes_that_are_not_committed(source):
    (source / "README.md").write_text("changed")
    assert "not committed" in refusal(source, "--unreleased")


def it_refuses_a_version_whose_history_is_not_written(source):
    history = source / "CHANGELOG.md"
    history.write_text(re.sub(r"^(## \[.*?\] - ).*$", r"\1Unreleased", history.read_text(), count=1, flags=re.M))
    commit(source)
    assert f"no date for {version()}" in refusal(source)
