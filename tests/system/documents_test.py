# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""What the documents quote is what the program says."""
import functools
import pathlib
import re

import pytest

from stand import ROOT

# Things to type or to look up, not words of the program.
NOT_QUOTED = re.compile(r"[A-Z0-9_]+|SEEK_SIGNAL_\w+|…_FILE|[a-z]\w*(\.\w+)+|[-/\w]*|(redis|rediss|http|https|unix):.*|CONFIG SET .*|seek-signal .*|ssh .*|"
                        r"redis\.log|[a-z]+ -.*")


@functools.lru_cache
def said():
    """All texts of the program, with those put together that C puts together."""
    texts = []
    for folder, pattern in (("service", "*.c"), ("lib", "*.c"), ("service", "*.lua"), ("service", "*.html")):
        for path in sorted((pathlib.Path(ROOT) / folder).rglob(pattern)):
            text = re.sub(r'"\s*\n\s*"', "", path.read_text())
            texts.append(re.sub(r'" SETTING_PREFIX "|SETTING_PREFIX\s*"', "SEEK_SIGNAL_", text).replace('\\"', '"'))
    return "\n".join(texts)


def quotations():
    """Table cells of troubleshooting.md: the first ones, and messages among the second ones."""
    text = (pathlib.Path(ROOT) / "docs" / "troubleshooting.md").read_text()
    for line in text.splitlines():
        if line.startswith("| ") and not line.startswith("| ---"):
            cells = line.split(" | ")
            for quoted in re.findall(r"`([^`]+)`", " ".join(cells[:2])):
                if not NOT_QUOTED.fullmatch(quoted):
                    yield quoted


@pytest.mark.parametrize("quoted", sorted(set(quotations())))
def it_quotes_what_the_program_says(quoted):
    for piece in filter(None, (piece.strip(" ;:,") for piece in quoted.split("…"))):
        assert piece in said(), f"nobody says: {piece}"


def it_quotes_enough():
    assert len(set(quotations())) > 40
