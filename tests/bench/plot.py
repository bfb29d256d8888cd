# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Curves of latency against load, as an SVG that reads on light and dark pages."""
import html
import math

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860, 460, 70, 250, 40, 50
COLOURS = ("#d0021b", "#1f77b4", "#2ca02c", "#9467bd", "#ff7f0e", "#7f7f7f")


def ticks(top):
    """Round numbers from 0 to `top`, about six."""
    step = 10 ** math.floor(math.log10(top / 5))
    step *= next(n for n in (1, 2, 5, 10) if top / (n * step) <= 7)
    return [step * i for i in range(int(top / step) + 1)]


class Axes:
    """Load to the right, linear; latency upwards, each decade as high as the next."""

    def __init__(self, curves):
        points = [p for curve in curves.values() for p in curve]
        self.load_max = max(p["load"] for p in points) * 1.05
        self.low = math.floor(math.log10(min(p["p50_us"] for p in points)))
        self.high = math.ceil(math.log10(max(p["p99_us"] for p in points)))

    def x(self, load):
        return LEFT + (WIDTH - LEFT - RIGHT) * load / self.load_max

    def y(self, us):
        share = (math.log10(us) - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    def draw(self):
        for load in ticks(self.load_max):
            yield f'<path class="grid" d="M{self.x(load):.1f} {TOP}V{HEIGHT - BOTTOM}"/>'
            yield f'<text x="{self.x(load):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{load:,.0f}</text>'
        for decade in range(self.low, self.high + 1):
            y, ms = self.y(10 ** decade), 10 ** decade / 1000
            yield f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
            yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{ms:g} ms</text>'


def draw_curve(axes, name, points, number):
    colour = COLOURS[number % len(COLOURS)]
    for figure, dash in (("p50_us", "5 4"), ("p99_us", "none")):
        path = " ".join(f"{axes.x(p['load']):.1f},{axes.y(p[figure]):.1f}" for p in points)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
    y = TOP + 12 + 22 * number
    yield f'<path d="M{WIDTH - RIGHT + 16} {y}h24" stroke="{colour}" stroke-width="3"/>'
    yield f'<text x="{WIDTH - RIGHT + 48}" y="{y + 4}">{html.escape(name)}</text>'


def draw(title, curves):
    """`curves`: {name: [{"load", "p50_us", "p99_us"}, …]}; the whole SVG."""
    axes = Axes(curves)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">',
             "<style>text{fill:#222}.grid{stroke:#8884}rect{fill:#fff}"
             "@media (prefers-color-scheme:dark){text{fill:#ddd}rect{fill:#161b22}}</style>",
             f'<rect width="{WIDTH}" height="{HEIGHT}"/>',
             f'<text x="{LEFT}" y="22" font-size="15">{html.escape(title)}</text>',
             f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">events per second answered</text>',
             f'<text x="{WIDTH - RIGHT + 16}" y="{HEIGHT - BOTTOM - 10}">solid: p99, dashed: median</text>']
    parts += axes.draw()
    for number, (name, points) in enumerate(curves.items()):
        parts += draw_curve(axes, name, points, number)
    return "\n".join(parts) + "\n</svg>\n"
