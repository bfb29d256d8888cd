# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The drawings of the documents: each for light and for dark, the same but for its colours, and told in words."""
import re
import xml.etree.ElementTree

import pytest

from source import ROOT, tracked

FOLDER = ROOT / "docs" / "images"
STYLE = re.compile(r"<style>.*?</style>", re.S)
COLOUR = re.compile(r"#[0-9a-f]{6}")
NAMES = sorted(path.name.removesuffix("-light.svg") for path in FOLDER.glob("*-light.svg"))


def drawings():
    """The <picture> elements of all documents, each with where it stands."""
    for name in tracked():
        if name.endswith(".md"):
            for found in re.findall(r"<picture>.*?</picture>", (ROOT / name).read_text(), re.S):
                yield name, found


@pytest.mark.parametrize("name", NAMES)
def it_draws_light_and_dark_the_same(name):
    light, dark = ((FOLDER / f"{name}-{scheme}.svg").read_text() for scheme in ("light", "dark"))
    assert STYLE.sub("", light) == STYLE.sub("", dark)
    assert light != dark and COLOUR.sub("", light) == COLOUR.sub("", dark), "other rules, not only other colours"
    tree = xml.etree.ElementTree.fromstring(light)
    assert tree.find("{http://www.w3.org/2000/svg}title").text


def it_shows_each_by_the_readers_scheme_and_in_words():
    shown = set()
    for place, picture in drawings():
        (light,) = re.findall(r'<img src="[^"]*/([a-z]+)-light.svg" alt="([^"]{40,})">', picture)
        assert re.search(rf'<source media="\(prefers-color-scheme: dark\)" srcset="[^"]*/{light[0]}-dark.svg">', picture), place
        shown.add(light[0])
    assert shown == set(NAMES) and shown, "a drawing that no document shows, or the other way round"
