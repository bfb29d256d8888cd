# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""What sources, documents, alerts and dashboard say about metrics and log events, read from their files."""
import json
import pathlib
import re

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENTS = ROOT / "docs"
ALERTS = ROOT / "docker" / "prometheus" / "alerts.yml"
DASHBOARD = ROOT / "docker" / "grafana" / "dashboards" / "seek-signal.json"

METRIC = re.compile(r"\b(?:seek_signal|process)_[a-z_]+[a-z]\b")
# An event is the first argument of log_info and its like, the second of log_write, or stands behind its level in a table. The log's
# own lines name it as a field.
EVENT_ARGUMENT = re.compile(r"\blog_(?:debug|info|warn|error)\(([^,;]*),")
EVENT_AFTER_LEVEL = re.compile(r'\bLOG_(?:DEBUG|INFO|WARN|ERROR)\)?,\s*"([a-z_]+)"')
EVENT_AS_A_FIELD = re.compile(r'\.event = "([a-z_]+)"')
EVENT_REPORTED = re.compile(r'\breport\(redis, "([a-z_]+)"')
LITERAL = re.compile(r'"([a-z_]+)"')


def logged_events():
    """The name of every event that the service can log."""
    events = set()
    for path in [*ROOT.glob("service/**/*.c"), *ROOT.glob("lib/**/*.c")]:
        if {"sandbox", "command"} & set(path.parts):
            continue
        text = path.read_text()
        for argument in EVENT_ARGUMENT.findall(text):
            events.update(LITERAL.findall(argument))
        events.update(EVENT_AFTER_LEVEL.findall(text))
        events.update(EVENT_AS_A_FIELD.findall(text))
        events.update(EVENT_REPORTED.findall(text))
    return events


def log_messages():
    """Each message that stands as one text behind its event."""
    messages = []
    for path in [*ROOT.glob("service/**/*.c"), *ROOT.glob("lib/**/*.c")]:
        text = re.sub(r'"\s*\n\s*"', "", path.read_text())
        messages += re.findall(r'\blog_(?:debug|info|warn|error)\([^,;]*,\s*"([^"]+)"', text)
        messages += re.findall(r'\bLOG_(?:DEBUG|INFO|WARN|ERROR)\)?,\s*"[a-z_]+",\s*"([^"]+)"', text)
    return messages


def section(document, title):
    """The text below a heading of a document, up to the next one of its level."""
    text = (DOCUMENTS / document).read_text()
    found = re.search(rf"^(#+) {re.escape(title)}$(.*?)(?=^#{{1,2}} |\Z)", text, re.M | re.S)
    assert found, f"docs/{document} has no heading {title!r}"
    return found.group(2)


def table(document):
    """The rows of the tables in a document, as lists of cells, without their heads."""
    rows = []
    for line in (DOCUMENTS / document).read_text().splitlines():
        if line.startswith("| ") and not line.startswith("| ---"):
            rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return [row for row in rows if row[0].startswith("`")]


def name_of(cell):
    return cell.split("`")[1]


def alerts():
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def dashboard_expressions():
    dashboard = json.loads(DASHBOARD.read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for variable in dashboard["templating"]["list"]:
        yield variable["name"], variable["definition"]
    for annotation in dashboard["annotations"]["list"]:
        yield annotation["name"], annotation["expr"]


class Exposition:
    """A parsed /metrics."""

    def __init__(self, text):
        self.text = text
        self.types, self.samples, self.labels = {}, set(), {}
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split()
                self.types[name] = kind
            elif not line.startswith("#"):
                sample = re.match(r"([a-z_]+)(?:\{(.*)\})? ", line)
                self.samples.add(sample.group(1))
                labels = set(re.findall(r"([a-z_]+)=", sample.group(2) or "")) - {"le"}
                self.labels.setdefault(self.family(sample.group(1)), set()).update(labels)

    def family(self, sample):
        """The metric that a sample belongs to."""
        for suffix in ("_bucket", "_sum", "_count"):
            if self.types.get(sample.removesuffix(suffix)) == "histogram":
                return sample.removesuffix(suffix)
        return sample
