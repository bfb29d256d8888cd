# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Every link of the documents leads somewhere, as they lie in the source."""
import pytest

from links import dead_links
from source import ROOT, tracked


def it_links_only_to_what_is_there():
    documents = [ROOT / name for name in tracked() if name.endswith(".md")]
    assert len(documents) > 10
    assert dead_links(ROOT, documents) == []


@pytest.mark.parametrize("link, is_dead", [
    ("b.md", False), ("b.md#a-heading-with-code", False), ("#here", False), ("https://example.com/gone", False),
    ("c.md", True), ("b.md#another", True), ("../outside.md", True), ("#there", True),
])
def it_would_notice_a_dead_one(tmp_path, link, is_dead):
    (tmp_path / "outside.md").write_text("")
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.md").write_text(f"# Here\n[a link]({link})\n```\n[no](link)\n```\n")
    (root / "b.md").write_text("## A heading: with `code`\n")
    assert dead_links(root, [root / "a.md"]) == ([("a.md", link)] if is_dead else [])


@pytest.mark.parametrize("name, is_dead", [("a.svg", False), ("b.svg", True)])
def it_would_notice_a_picture_that_is_not_there(tmp_path, name, is_dead):
    (tmp_path / "a.svg").write_text("")
    (tmp_path / "a.md").write_text(f'<picture>\n<source media="(x)" srcset="{name}">\n<img src="a.svg" alt="">\n</picture>\n')
    assert dead_links(tmp_path, [tmp_path / "a.md"]) == ([("a.md", name)] if is_dead else [])
