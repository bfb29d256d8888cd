# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Names that one place alone may define, and names that nothing may have.

A tag of a struct, union or enum means one thing in the whole tree, so that a search for it finds one definition.
"""
import re

FOLDERS = ("lib", "service", "tests")
TAG = re.compile(r"\b(struct|union|enum)\s+(\w+)\s*\{")
# Keys of Redis are values: service/store/shard.h says them.
FORBIDDEN = re.compile(r"\b\w*STORE_KEY_\w*")
# Words that were the project's own for what the field, or ARCHITECTURE.md, has a word for.
PRIVATE = re.compile(r"\b(?:\w+_)?(?:luck|keeper|rouse|strand|chronicle|guest|conclude|doom|obstacle|shortfall|objection|complaint|mend)(?:_\w+)?\b", re.I)


def read_files(tree):
    return {file.relative_to(tree).as_posix(): file.read_text(encoding="utf-8")
            for folder in FOLDERS for file in sorted((tree / folder).rglob("*.[ch]"))}


def check(tree, without_comments):
    """One line per violation, "file:line: rule"."""
    violations, first = [], {}
    for path, text in read_files(tree).items():
        for number, line in enumerate(without_comments(text).split("\n"), 1):
            for kind, tag in TAG.findall(line):
                place = f"{path}:{number}"
                if first.setdefault(tag, place) != place:
                    violations.append(f"{place}: {kind} {tag} is defined in {first[tag]} too: one of them needs another name")
            violations += [f"{path}:{number}: {name}: a key of Redis is a value of service/store/shard.h, no macro"
                           for name in FORBIDDEN.findall(line)]
            violations += [f"{path}:{number}: {name}: a word of nobody else's; ARCHITECTURE.md lists those for what goes wrong"
                           for name in PRIVATE.findall(line)]
    return violations
