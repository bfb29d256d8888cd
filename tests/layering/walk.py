# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The walk in docs/a-posts-way.md names files and functions: each `path` is there, and each `function()` behind one is defined in it."""
import re

PAGE = "docs/a-posts-way.md"
FILE = re.compile(r"`((?:lib|service|tests)/[\w/.-]+)`(?:\s+`(\w+)\(\)`)?")


def defines(path, text, function):
    if path.endswith(".lua"):
        return re.search(rf"^(?:local )?function {function}\(", text, re.M) is not None
    return re.search(rf"^[A-Za-z_][^;{{}}\n]*\b{function}\((?:[^;{{}}])*\n\{{$", text, re.M) is not None


def check(tree, without_comments):
    page = tree / PAGE
    if not page.exists():
        return [f"{PAGE}: is missing"]
    violations = []
    for number, line in lines_of(page.read_text(encoding="utf-8")):
        for path, function in FILE.findall(line):
            file = tree / path
            if not file.is_file():
                violations.append(f"{PAGE}:{number}: there is no {path}")
            elif function and not defines(path, without_comments(file.read_text(encoding="utf-8")), function):
                violations.append(f"{PAGE}:{number}: {path} defines no {function}()")
    return violations


def lines_of(text):
    """Paragraphs with the number of their first line, since a name may stand on the next line."""
    number = 1
    for paragraph in re.split(r"(?<=\n)(?=\d+\. |- |\n)", text):
        yield number, paragraph
        number += paragraph.count("\n")
