# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The table: what was measured, the goal, the verdict; as Markdown and as JSON."""
import json
import os
import pathlib
import platform
import shutil
import subprocess
import time


class Table:
    def __init__(self, options, revision=None):
        """`revision`: the name of the other one; None: there is none."""
        self.options = options
        self.revision = revision
        self.rows = []
        self.notes = []

    def add(self, figure, goal, text, is_met, over="", **details):
        """`over`: the same over the other revision's; `details`: series and numbers, for the JSON."""
        verdict = "met" if is_met else "missed"
        self.rows.append({"figure": figure, "goal": goal, "measured": text, "over": over, "verdict": verdict,
                          **{name: d.document() if hasattr(d, "document") else d for name, d in details.items()}})
        beside = f"; over {self.revision}: {over}" if over else ""
        print(f"{verdict:7} {figure}: {text} (goal: {goal}){beside}", flush=True)

    def note(self, figure, text, over="", **details):
        """A row without a goal."""
        self.notes.append({"figure": figure, "measured": text, "over": over,
                           **{name: d.document() if hasattr(d, "document") else d for name, d in details.items()}})
        print(f"        {figure}: {text}" + (f"; over {self.revision}: {over}" if over else ""), flush=True)

    def markdown(self):
        lines = [f"{machine()}; {self.options}. Medians over alternating rounds, in brackets the least and the most.", "",
                 *self.rows_of(["figure", "goal", "measured", "over", "verdict"], self.rows), "",
                 *self.rows_of(["figure", "measured", "over"], self.notes, figure="beside it")]
        return "\n".join(lines) + "\n"

    def rows_of(self, columns, rows, **titles):
        """With the column of the other revision only where there is one."""
        columns = [c for c in columns if c != "over" or self.revision]
        titles = {"over": f"over {self.revision}", **titles}
        return [f"| {' | '.join(line)} |" for line in (
            [titles.get(c, c) for c in columns], ["---"] * len(columns), *([r[c] for c in columns] for r in rows))]

    def write(self, out, name="table"):
        out = pathlib.Path(out)
        (out / f"{name}.md").write_text(self.markdown())
        (out / f"{name}.json").write_text(json.dumps(
            {"machine": machine(), "options": self.options, "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
             "rows": self.rows, "beside": self.notes}, indent=1) + "\n")


def record(out):
    """Puts the table and the plot of this run into docs/performance.md."""
    docs = pathlib.Path(__file__).resolve().parents[2] / "docs"
    page = (docs / "performance.md").read_text()
    before, rest = page.split("<!-- table -->\n", 1)
    behind = rest.split("<!-- end of table -->\n", 1)[1]
    table = (pathlib.Path(out) / "table.md").read_text()
    (docs / "performance.md").write_text(f"{before}<!-- table -->\n{table}<!-- end of table -->\n{behind}")
    shutil.copy(pathlib.Path(out) / "intake.svg", docs / "images" / "performance-intake.svg")


def machine():
    model = next((line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    redis = subprocess.run(["redis-server", "--version"], capture_output=True, text=True).stdout.split()
    version = next((word[2:] for word in redis if word.startswith("v=")), "?")
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} processors ({model}), Redis {version}, load average {load:.1f} at the end"
