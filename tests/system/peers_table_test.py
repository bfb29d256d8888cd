# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The table of docs/peers.md is the one that tests/peers/run writes: by its form, its groups and the versions in it."""
import json
import sys

import pytest

from stand import ROOT

sys.path.insert(0, str(ROOT / "tests" / "peers"))
import matrix  # noqa: E402

DOCUMENT = (ROOT / "docs" / "peers.md").read_text()


def it_is_as_the_run_writes_it():
    _, written, _ = matrix.between(DOCUMENT)
    assert matrix.parse(written), "nothing is recorded"
    assert matrix.record(DOCUMENT, []) == DOCUMENT, "the table was changed by hand: record it with tests/peers/run --record"


def it_has_the_groups_that_there_are():
    rows = matrix.parse(matrix.between(DOCUMENT)[1])
    files = {path.name.removesuffix("_test.py") for path in (ROOT / "tests" / "peers").glob("*_test.py")}
    assert {row[0] for row in rows} <= files
    for group in files:
        text = (ROOT / "tests" / "peers" / f"{group}_test.py").read_text()
        is_recorded = "seen(" in text or "_cases import" in text
        if is_recorded and "pytestmark = pytest.mark.whole" not in text:
            assert group in {row[0] for row in rows}, f"record the group: tests/peers/run --record {group}"


def it_names_the_versions_that_are_pinned():
    pinned = json.loads((ROOT / "tests" / "peers" / "package.json").read_text())["dependencies"]
    peers = {row[1] for row in matrix.parse(matrix.between(DOCUMENT)[1]) if row[0] in ("graphql", "oauth")}
    for peer in peers:
        version = peer.rsplit(" ", 1)[1]
        assert version in pinned.values(), f"{peer} is not in tests/peers/package.json"


LOCKS = [path for path in sorted((ROOT / "tests").rglob("package-lock.json")) if "node_modules" not in path.parts]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.parent.name)
def it_names_no_registry_host(lock):
    text = lock.read_text()
    assert '"resolved"' not in text and "registry." not in text


@pytest.mark.parametrize("rows", [[("a", "Peer 1", "one | two", "`x`")], [("b", "P", "s", "t"), ("a", "P", "s", "t")]])
def it_reads_back_what_it_writes(rows):
    document = "before\n" + matrix.BEGIN + "\n" + matrix.END + "after\n"
    once = matrix.record(document, rows)
    assert matrix.record(once, []) == once and matrix.record(once, rows) == once
    added = matrix.record(once, [("a", "Q", "s", "t")])
    assert added.count("| Q | s | t |") == 1 and len(matrix.parse(matrix.between(added)[1])) == len(rows) + 1
    assert matrix.parse(matrix.between(matrix.record(added, rows, True))[1]) == matrix.parse(matrix.between(once)[1])
    assert once.startswith("before\n") and once.endswith("after\n")
