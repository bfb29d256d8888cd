# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Circles between files: modules of lib and service (a .c with its header) whose functions need each other, directly or around a
corner, and headers that include each other.

Whoever reads one file of a circle has to read all of them. The circles that are still there are in circles.txt, one a line; a
circle that grows or is new is refused, and so is a line there that is no longer true, so that the list only becomes shorter.
"""
import pathlib
import re

LISTED = pathlib.Path(__file__).resolve().parent / "circles.txt"
FOLDERS = ("lib", "service")
# What stands at the beginning of a line, is not static, and has a body: clang-format puts its { on a line of its own.
DEFINITION = re.compile(r"^(?!static\b|typedef\b|enum\b|#)[A-Za-z_][\w \t\n*]*?\b(\w+)\([^;{}]*\)\s*\n\{", re.M)
OWN = re.compile(r"^static\b[^;{}()=]*?\b(\w+)\(", re.M)
BODY = re.compile(r"^\{.*?^\}", re.M | re.S)
# A tag is no function, though it may be called as one: struct store_health, which store_health() fills.
NAME = re.compile(r"\b(?:struct|union|enum)\s+\w+|\b(\w+)\b")
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)


def read_files(tree):
    return {file.relative_to(tree).as_posix(): file.read_text(encoding="utf-8")
            for folder in FOLDERS for file in sorted((tree / folder).rglob("*.[ch]"))}


def build_call_graph(files, without_comments):
    """Module → those that define a function which it names, to call it or to hand it on."""
    texts, home = {}, {}
    for path, text in files.items():
        module, text = path[:-2], without_comments(text)
        home.update((name, module) for name in DEFINITION.findall(text))
        # A header only announces functions, save in the bodies of those that are inline.
        said = text if path.endswith(".c") else "\n".join(BODY.findall(text))
        texts[module] = texts.get(module, "") + said
    return {module: {home[name] for name in set(NAME.findall(text)) - set(OWN.findall(text)) if name in home} - {module}
            for module, text in texts.items()}


def build_include_graph(files):
    return {path: {header for header in INCLUDE.findall(text) if header in files} for path, text in files.items()}


def reach(graph, start):
    seen, waiting = set(), list(graph[start])
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            waiting += graph[module]
    return seen


def find_circles(graph):
    reached = {module: reach(graph, module) for module in graph}
    circles = {frozenset(other for other in reached[module] if module in reached[other]) for module in graph
               if module in reached[module]}
    return sorted(circles, key=sorted)


def show(circle):
    return " ".join(sorted(circle))


def compare(found, listed):
    """Sentences about what is not as it is listed."""
    for circle in found:
        if not any(circle <= known for known in listed):
            yield f"a new circle: {show(circle)}"
    for known in listed:
        if known in found:
            continue
        parts = [show(circle) for circle in found if circle < known]
        left = f"; left of it: {' and '.join(parts)}" if parts else ""
        yield f"tests/layering/circles.txt: no circle any more: {show(known)}{left}"


def read_listed(text):
    return [frozenset(line.split()) for line in text.split("\n") if line and not line.startswith("#")]


def check(tree, without_comments, listed=None):
    if listed is None:
        listed = read_listed(LISTED.read_text())
    files = read_files(tree)
    found = find_circles(build_call_graph(files, without_comments)) + find_circles(build_include_graph(files))
    return list(compare(found, listed))
