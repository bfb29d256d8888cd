# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""How many assertions the functions of a folder have. clang-format puts the { of a function's body, and no other, on a line of
its own that begins with it."""
import re

RATIO_MIN = 0.3
# Where state changes. The rest is rules, settings and texts, which the tests hold with tables of cases.
FOLDERS = ("lib", "service/store", "service/outbound", "service/inbound")
FUNCTION = re.compile(r"^\{$", re.M)
ASSERTION = re.compile(r"\bassert\(")


def count(tree, folder, without_comments):
    texts = [without_comments(file.read_text(encoding="utf-8")) for file in sorted((tree / folder).rglob("*.[ch]"))]
    return sum(len(FUNCTION.findall(text)) for text in texts), sum(len(ASSERTION.findall(text)) for text in texts)


def table(tree, without_comments):
    """Folder, functions, assertions and how many there are of these per function."""
    rows = []
    for folder in FOLDERS:
        functions, assertions = count(tree, folder, without_comments)
        rows.append((folder, functions, assertions, assertions / functions if functions > 0 else RATIO_MIN))
    return rows


def check(tree, without_comments):
    return [f"{folder}: {assertions} assertions in {functions} functions are {ratio:.2f} each; at least {RATIO_MIN} state what "
            "holds where state changes (`tests/layering/run --assertions`)"
            for folder, functions, assertions, ratio in table(tree, without_comments) if ratio < RATIO_MIN]
