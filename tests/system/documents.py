# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""What the documents tell a reader to type: fenced `sh` blocks, and one-liners in the text."""
import functools
import itertools
import re
import subprocess

from stand import ROOT

READ = ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "docker/kubernetes/README.md",
        *(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").rglob("*.md")))]

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
# A one-liner begins with a program that a reader may have; a name alone is a name.
PROGRAM = re.compile(r"(seek-signal|seek-sandbox|redis-cli|curl|docker|docker-compose|kubectl|helm|podman|systemctl|systemd-analyze|"
                     r"journalctl|cmake|ctest|ssh|promtool|clang-format|kill|ulimit|jq|openssl (?:rand|x509|pkey)|tests/run|\./quickstart) \S.*|"
                     r"tests/[a-z]+/run|\./quickstart|\.ci/run")
# Commands of ours that a sentence has already introduced as such.
OURS = re.compile(r"(status|dead list|dead show|dead replay(?= )|pause|resume|health|check)( .*)?")


class Block:
    """Something to type. `place` is file:line, `shown` the JSON that the document shows as its answer."""

    def __init__(self, place, text, shown=None):
        self.place, self.text, self.shown = place, text, shown

    def commands(self):
        """Complete commands, continued lines and quoted newlines included. Comments are none."""
        commands, begun = [], ""
        for line in self.text.splitlines(keepends=True):
            begun += line
            if line.endswith("\\\n") or not is_complete(begun):
                continue
            if without_comment(begun):
                commands.append(begun.strip())
            begun = ""
        assert not begun.strip(), f"{self.place}: not a complete command: {begun}"
        return commands


@functools.lru_cache(maxsize=None)
def is_complete(script):
    return subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True).returncode == 0


def without_comment(command):
    """For comparing: one line, without a trailing comment."""
    return re.sub(r"\s+", " ", re.sub(r"(^|\s)#.*$", "", command.replace("\\\n", " "), flags=re.M)).strip()


def fences(name):
    """(language, text, line, what follows it) of each fenced block."""
    text = (ROOT / name).read_text()
    found = list(FENCE.finditer(text))
    for this, following in itertools.zip_longest(found, found[1:]):
        adjoins = following is not None and text[this.end():following.start()].strip() == ""
        yield this[1], this[2], text[:this.start()].count("\n") + 1, following if adjoins else None


def blocks():
    for name in READ:
        for language, text, line, following in fences(name):
            if language == "sh":
                shown = following[2] if following is not None and following[1] == "json" else None
                yield Block(f"{name}:{line}", text, shown)


def one_liners():
    for name in READ:
        text = FENCE.sub(lambda block: "\n" * block[0].count("\n"), (ROOT / name).read_text())
        for span in re.finditer(r"(?<!`)`([^`\n]+)`(?!`)", text):
            command = "seek-signal " + span[1] if OURS.fullmatch(span[1]) else span[1]
            if PROGRAM.fullmatch(command):
                yield Block(f"{name}:{text[:span.start()].count(chr(10)) + 1}", command + "\n")


def calls():
    """(place, method, path) of each HTTP call that a text names."""
    for name in READ:
        text = (ROOT / name).read_text()
        for span in re.finditer(r"`(GET|POST|PUT|PATCH|DELETE) (/[^` ]*)", text):
            yield f"{name}:{text[:span.start()].count(chr(10)) + 1}", span[1], span[2]
