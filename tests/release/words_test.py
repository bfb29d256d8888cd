# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The rules of CONTRIBUTING.md for what a person reads, as far as a pattern can hold them: each names words that readers
stumbled over."""
import re

import pytest
import yaml

from source import ROOT, tracked

RULES = [  # why, pattern
    ("say repair", r"\bmend(s|ed|ing)?\b"),
    ("say again, or new", r"\banew\b"),
    ("say otherwise, or or", r"(^|[.;:|(] )Else\b|[;,] else\b"),
    ("say except for", r"\bbut for\b"),
    ("say after", r"\bbehind (it|them|that|this|the (end|cursor|last|first|first line|one|event)|each)\b"),
    ("say report, or name", r"\b(is|are|was|were|be|been|being) told\b|\btells? of\b"),
    ("say forever, or without an end", r"\bfor ever\b"),
    ("say private Redis", r"\bembedded Redis\b"),
    ("after a semicolon: a small letter", r"; (A|All|An|If|In|It|No|On|The|This|When) "),
    ("begin with a noun", r"(^|[.!?] |\| |- )(Who|Whoever|Whom|Whose|What|Whatever) [^.?|:]*(?<!…)\.( |$)"),
]
SEMICOLONS = ("make two sentences", r"[^.!?;|]*;[^.!?;|]*;[^.!?|]*")


def without_code(text):
    text = re.sub(r"\*[a-z]+\*", "*…*", text)  # a word that is spoken of
    return re.sub(r"`[^`\n]*`", "`…`", re.sub(r"^( *)```.*?^\1```$", "", text, flags=re.M | re.S))


def paragraphs(text):
    """Of a document: [(is a row of a table, words in one line)]"""
    for block in re.split(r"\n\s*\n|\n(?= *(?:[-|#>]|\d+\.) )", without_code(text)):
        yield block.lstrip().startswith("|"), " ".join(block.split())


def mistakes(text, rules=tuple(RULES), is_row=False):  # of a table: a row has few words
    rules = rules if is_row else (*rules, SEMICOLONS)
    return [(why, found.group().strip()) for why, pattern in rules for found in re.finditer(pattern, text)]


def documents():
    return [name for name in tracked() if name.endswith(".md") and not name.startswith("LICENSES/")]


@pytest.mark.parametrize("name", documents())
def it_is_plain_in_documents(name):
    found = [(why, words) for is_row, text in paragraphs((ROOT / name).read_text()) for why, words in mistakes(text, is_row=is_row)]
    assert found == []


def texts_in(tree):
    """What a contract or a file of alerts says in words."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key in ("description", "summary") and isinstance(value, str):
                yield value
            yield from texts_in(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from texts_in(value)


@pytest.mark.parametrize("name", ["openapi.yaml", "docker/prometheus/alerts.yml"])
def it_is_plain_in_contract_and_alerts(name):
    texts = list(texts_in(yaml.safe_load((ROOT / name).read_text())))
    assert len(texts) > 30
    assert [found for text in texts for is_row, words in paragraphs(text) for found in mistakes(words, is_row=is_row)] == []


def literals(text):
    """Sentences of the program: literals with a blank, those that follow each other in one."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    for found in re.finditer(r'"(?:[^"\\\n]|\\.)*"(?:\s*"(?:[^"\\\n]|\\.)*")*', text):
        said = re.sub(r'"\s*"', "", found.group())[1:-1]
        if " " in said:
            yield said


def it_is_plain_in_messages():
    found = []
    for name in tracked():
        if name.startswith(("service/", "lib/")) and name.endswith(".c"):
            found += [(name, *mistake) for said in literals((ROOT / name).read_text()) for mistake in mistakes(said, is_row=True)]
    assert found == []


def first_words(text):
    """The first paragraph of a header's comment."""
    comment = re.search(r"/\*\n(.*?)\*/", text.split("*/", 1)[-1], re.S)
    return " ".join(re.sub(r"^ \* ?", "", comment.group(1), flags=re.M).split("\n\n")[0].split()) if comment else ""


def it_is_plain_at_the_head_of_headers():
    heads = [(name, first_words((ROOT / name).read_text())) for name in tracked() if name.endswith(".h") and name.startswith(("lib/", "service/"))]
    assert sum(bool(text) for _, text in heads) > 100
    assert [(name, *mistake) for name, text in heads for mistake in mistakes(text)] == []


@pytest.mark.parametrize("text, count", [
    ("Who posts can repeat it.", 1), ("- What comes late is dropped. It is logged.", 1), ("What it checks", 0), ("What now? Wait.", 0),
    ("It is mended, anew, but for one; else not.", 4), ("One is stored; two are sent; three are dead.", 1), ("One is stored; two are sent. Three; four.", 0),
    ("The receiver was told of it.", 1), ("A proxy behind a load balancer, and what is behind it.", 1), ("It waits for ever.", 1),
])
def it_would_notice(text, count):
    assert len(mistakes(text)) == count


def it_leaves_code_and_tables_alone():
    text = "Say `anew`.\n\n```sh\nmend; anew; else\n```\n\n| a; b; c | `mend` |\n"
    assert [found for is_row, words in paragraphs(text) for found in mistakes(words, is_row=is_row)] == []
