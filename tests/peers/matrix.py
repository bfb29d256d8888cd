# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The table of docs/peers.md that tests/peers/run --record writes: between two marks, a part for each group."""
BEGIN = "<!-- written by tests/peers/run --record: from here -->\n"
END = "<!-- to here -->\n"
HEAD = "| peer | situation | what was seen |\n| --- | --- | --- |\n"


def cell(text):
    return " ".join(text.replace("|", "\\|").split())


def render(rows):
    """`rows` are (group, peer, situation, saw); the groups in the order of their names, the rows in theirs."""
    parts = []
    for group in sorted({row[0] for row in rows}):
        lines = "".join(f"| {' | '.join(cell(text) for text in row[1:])} |\n" for row in rows if row[0] == group)
        parts.append(f"\n### {group}\n\n{HEAD}{lines}")
    return "".join(parts) + "\n"


def parse(text):
    """The rows again, as they are shown."""
    rows, group = [], None
    for line in text.splitlines():
        if line.startswith("### "):
            group = line.removeprefix("### ")
        elif line.startswith("| ") and not line.startswith(("| peer |", "| --- |")):
            rows.append((group, *line.removeprefix("| ").removesuffix(" |").split(" | ")))
    return rows


def between(document):
    """(what stands before, the written part, what stands behind)."""
    before, _, rest = document.partition(BEGIN)
    written, mark, after = rest.partition(END)
    assert mark, f"the document has no part between {BEGIN.strip()!r} and {END.strip()!r}"
    return before, written, after


def record(document, rows, is_all=False):
    """The document with these rows in the place of those of the same situation, or, when they are all, of the same group."""
    before, written, after = between(document)
    kept = [tuple(text.replace("\\|", "|") for text in row) for row in parse(written)]
    if is_all:
        groups = {row[0] for row in rows}
        kept = [row for row in kept if row[0] not in groups]
    table = {row[:1] + tuple(cell(text) for text in row[1:3]): row for row in kept}
    for row in rows:
        table[row[:1] + tuple(cell(text) for text in row[1:3])] = row
    return before + BEGIN + render(list(table.values())) + END + after
