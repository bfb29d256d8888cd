# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Mutants of a C source: each has one small bug, written by one of three operators. The result compiles, with luck."""
import dataclasses
import re

# Kept as they are: a log line nobody reads, what is wiped or freed at the end of something, and what only tells the compiler.
HARMLESS = re.compile(r"log_\w+|explicit_bzero|buffer_wipe|assert|_Static_assert|free|\w+_free|\w+_destroy|\w+_fini|close|va_end|va_start")
CALL = re.compile(r"^(\s*)(?:\(void\))?(\w+)\(.*\);(?:\s*/\*.*\*/)?$")
ASSIGNMENT = re.compile(r"^(\s*)\*?\w+(?:(?:->|\.)\w+|\[[^]]*\])*\s*(?:[-+|&]?=)\s[^{]*;(?:\s*/\*.*\*/)?$")
STEP = re.compile(r"^(\s*)(?:\w+(?:->|\.))+\w+(?:\+\+|--);(?:\s*/\*.*\*/)?$")
CONDITION = re.compile(r"^(\s*(?:\} else )?(?:if|while) \()(.*)(\)(?: \{)?)$")
CONSTANTS = [
    (re.compile(r"\btrue\b"), "false"),
    (re.compile(r"\bfalse\b"), "true"),
    (re.compile(r"(?<=[ (])<=(?= )"), "<"),
    (re.compile(r"(?<=[ (])>=(?= )"), ">"),
    (re.compile(r"(?<= )<(?= )"), "<="),
    (re.compile(r"(?<= )>(?= )"), ">="),
    (re.compile(r"(?<= )&&(?= )"), "||"),
    (re.compile(r"(?<= )\|\|(?= )"), "&&"),
    (re.compile(r"(?<= )\+(?= \d|\s\w)"), "-"),
    (re.compile(r"(?<![\w.\"'])(?:[2-9]|[1-9]\d+)(?![\w.\"'])"), lambda found: str(int(found[0]) * 2)),
    (re.compile(r"(?<![\w.\"'])1(?![\w.\"'])"), "0"),
    (re.compile(r"(?<= = )0(?=;)"), "1"),
]


@dataclasses.dataclass(frozen=True)
class Mutant:
    path: str
    line: int  # from 1
    operator: str  # "remove", "negate", "change"
    old: str
    new: str
    which: int = 1  # among equal ones of the file

    @property
    def key(self):
        """Lines move, what stands in them less so."""
        number = f" (#{self.which})" if self.which > 1 else ""
        return f"{self.path}: {self.old.strip()} -> {self.new.strip()}{number}"


def blank(text):
    """Comments, strings, and what the preprocessor reads become spaces of the same length."""
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|^\s*#(?:[^\n\\]|\\.)*(?:\\\n[^\n]*)*'
    return re.sub(pattern, lambda found: re.sub(r"[^\n]", " ", found[0]), text, flags=re.S | re.M)


def is_balanced(text):
    depth = 0
    for letter in text:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth < 0:
            return False
    return depth == 0


def removals(line, code):
    call = CALL.match(code)
    if call and is_balanced(code) and not HARMLESS.fullmatch(call[2]) and call[2] not in ("return", "sizeof"):
        yield "remove", f"{call[1]}(void)0;"
    for pattern in (ASSIGNMENT, STEP):
        found = pattern.match(code)
        if found and is_balanced(code):
            yield "remove", f"{found[1]}(void)0;"


def negations(line, code):
    found = CONDITION.match(code.rstrip())
    if found and is_balanced(found[2]):
        yield "negate", f"{line[:found.end(1)]}!({line[found.start(2):found.end(2)]}){line[found.start(3):]}"


def changes(line, code):
    if re.match(r"\s*(?:case|default|_Static_assert|assert)\b", code):
        return
    for pattern, to in CONSTANTS:
        for found in pattern.finditer(code):
            new = to(found) if callable(to) else to
            yield "change", line[:found.start()] + new + line[found.end():]


def of(path, text):
    """Every mutant of the file, in its order."""
    seen = {}
    for number, (line, code) in enumerate(zip(text.split("\n"), blank(text).split("\n")), 1):
        for operators in (removals, negations, changes):
            for operator, new in operators(line, code):
                key = line.strip(), new.strip()
                seen[key] = seen.get(key, 0) + 1
                yield Mutant(path, number, operator, line, new, seen[key])


def apply(mutant, text):
    lines = text.split("\n")
    assert lines[mutant.line - 1] == mutant.old
    lines[mutant.line - 1] = mutant.new
    return "\n".join(lines)
