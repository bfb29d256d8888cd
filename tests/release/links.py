# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Links between documents, in the source and in the package."""
import re

FENCE = re.compile(r"^```.*?^```$", re.M | re.S)
LINK = re.compile(r"\]\(([^)\s]+)\)|<(?:img|source)\b[^>]*? src(?:set)?=\"([^\" ]+)\"")
HEADING = re.compile(r"^#+ +(.*)$", re.M)


def anchors(text):
    """As hosts make them of headings."""
    found = set()
    for heading in HEADING.findall(FENCE.sub("", text)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        found.add(re.sub(r"[^\w\- ]", "", words).replace(" ", "-"))
    return found


def dead_links(root, documents):
    """[(document, link)] of those that lead to no file, or to no heading of it. Links to other hosts are not followed."""
    dead = []
    for document in documents:
        for link in map("".join, LINK.findall(FENCE.sub("", document.read_text()))):
            if re.match(r"[a-z]+:", link):
                continue
            path, _, anchor = link.partition("#")
            target = (document.parent / path).resolve() if path else document
            is_there = target.exists() and root.resolve() in (target, *target.parents)
            if not is_there or (anchor and anchor not in anchors(target.read_text())):
                dead.append((str(document.relative_to(root)), link))
    return dead
