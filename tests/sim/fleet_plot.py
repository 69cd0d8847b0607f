"""Draws what `fleet --data FILE` tells:  fleet_plot.py FILE >docs/fleet.svg

Two panels over the same hours: how much of the fleet the rollout has reached, and how many upgrades begin in each hour, with their mean and
1.2 times the mean, which no hour may pass. The same data give the same picture, byte for byte."""

from __future__ import annotations

import sys
from pathlib import Path

WIDTH, LEFT, RIGHT = 900, 70, 20
TOP, HEIGHT, GAP = 40, 200, 70
HOURS = 240                                                     # those that are judged


def x(hour: float, n: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * hour / n


def y(panel: int, value: float, most: float) -> float:
    return TOP + panel * (HEIGHT + GAP) + HEIGHT * (1 - value / most)


def line(points: list[tuple[float, float]], style: str) -> str:
    return f'<polyline class="{style}" points="' + " ".join(f"{a:.1f},{b:.1f}" for a, b in points) + '"/>'


def text(a: float, b: float, what: str, anchor: str = "middle", more: str = "") -> str:
    return f'<text x="{a:.1f}" y="{b:.1f}" text-anchor="{anchor}"{more}>{what}</text>'


def frame(panel: int, n: int, title: str, ticks: list[tuple[float, str]], most: float) -> list[str]:
    top, bottom = y(panel, most, most), y(panel, 0, most)
    out = [text(LEFT, top - 12, title, "start", ' class="title"')]
    for value, label in ticks:
        out += [line([(LEFT, y(panel, value, most)), (WIDTH - RIGHT, y(panel, value, most))], "grid"), text(LEFT - 8, y(panel, value, most) + 4, label, "end")]
    for day in range(0, n // 24 + 1):
        out += [line([(x(24 * day, n), bottom), (x(24 * day, n), bottom + 5)], "axis"), text(x(24 * day, n), bottom + 20, str(day))]
    out += [line([(LEFT, top), (LEFT, bottom), (WIDTH - RIGHT, bottom)], "axis"), text((LEFT + WIDTH - RIGHT) / 2, bottom + 38, "days since the rollout began")]
    return out


def draw(rows: list[tuple[int, int, int]]) -> str:
    n, fleet = len(rows), rows[-1][1]
    mean = sum(begun for hour, _, begun in rows if hour < HOURS) / HOURS
    most = 100 * (int(1.2 * mean / 100) + 1)
    total = TOP + 2 * HEIGHT + 2 * GAP
    reached = [(x(0, n), y(0, 0, 100))]
    for hour, count, _ in rows:
        share = 100 * count / fleet
        reached += [(x(hour, n), y(0, share, 100)), (x(hour + 1, n), y(0, share, 100))]
    bars = "".join(f'<rect class="bar" x="{x(hour, n):.1f}" y="{y(1, begun, most):.1f}" width="{x(1, n) - x(0, n) - 0.6:.1f}" '
                   f'height="{y(1, 0, most) - y(1, begun, most):.1f}"/>\n' for hour, _, begun in rows if begun)
    body = frame(0, n, f"Reached by the rollout, percent of {fleet} machines", [(p, str(p)) for p in (0, 20, 40, 60, 80, 100)], 100)
    body += [line(reached, "reached")]
    body += frame(1, n, "Upgrades begun in each hour", [(v, str(v)) for v in range(0, most + 1, 100)], most) + [bars.rstrip()]
    for value, label in ((mean, "mean"), (1.2 * mean, "1.2 x the mean")):
        body += [line([(LEFT, y(1, value, most)), (WIDTH - RIGHT, y(1, value, most))], "limit"), text(WIDTH - RIGHT - 4, y(1, value, most) - 5, label, "end")]
    style = ("text{font:13px sans-serif;fill:#555}.title{font-weight:bold}.axis{fill:none;stroke:#777}.grid{fill:none;stroke:#8884}"
             ".reached{fill:none;stroke:#2a7ab8;stroke-width:2}.bar{fill:#2a7ab8}.limit{fill:none;stroke:#c2571a;stroke-width:1.5;stroke-dasharray:6 4}"
             "@media(prefers-color-scheme:dark){text{fill:#bbb}.axis{stroke:#999}.bar{fill:#4a9ad8}.reached{stroke:#4a9ad8}}")
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {total}" role="img" aria-label="A rollout of 10 percent a day">\n'
            f"<style>{style}</style>\n" + "\n".join(body) + "\n</svg>\n")


if __name__ == "__main__":
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    sys.stdout.write(draw([tuple(map(int, row.split("\t"))) for row in lines]))  # type: ignore[arg-type]
