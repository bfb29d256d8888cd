# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Alternating rounds: A B C, A B C, …. The machine's moods fall on all alike, and a ratio is formed inside
one round, never across."""
import statistics
import sys
import time


class Series:
    """One figure over the rounds."""

    def __init__(self, values):
        self.values = list(values)

    @property
    def median(self):
        return statistics.median(self.values)

    def document(self):
        return {"median": self.median, "min": min(self.values), "max": max(self.values), "values": self.values}

    def text(self, form):
        low, high = min(self.values), max(self.values)
        return form(self.median) if len(self.values) == 1 else f"{form(self.median)} ({form(low)} to {form(high)})"


def alternate(measures, rounds, title):
    """{name: function} measured in turn, `rounds` times: {name: [what the function gave, per round]}."""
    results = {name: [] for name in measures}
    for number in range(rounds):
        for name, measure in measures.items():
            started = time.monotonic()
            results[name].append(measure())
            print(f"  {title}, round {number + 1}/{rounds}, {name}: {time.monotonic() - started:.1f} s", file=sys.stderr)
    return results


def series(results, name, figure):
    return Series(result[figure] for result in results[name])


def ratios(results, name, other, figure):
    """name's figure over other's, per round."""
    return Series(a[figure] / b[figure] for a, b in zip(results[name], results[other]))
