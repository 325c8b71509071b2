"""Lag and replicas over time, as CSV and as SVG without a library."""

import csv
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from itertools import pairwise
from pathlib import Path

WIDTH, HEIGHT, LEFT, GAP = 640, 90, 130, 34
LAG, REPLICAS = "#4682b4", "#c0392b"


@dataclass(frozen=True, slots=True)
class Sample:
    """Samples of one service."""

    seconds: float
    service: str
    lag: int
    replicas: int


def write(path: Path, samples: Sequence[Sample]) -> None:
    """Return CSV."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(field.name for field in fields(Sample))
        rows.writerows((f"{sample.seconds:.0f}", *astuple(sample)[1:]) for sample in samples)


def draw(samples: Sequence[Sample], services: Sequence[str]) -> str:
    """Return SVG: a strip for each service, lag as an area, replicas as steps, each with its own scale."""
    end = max((sample.seconds for sample in samples), default=1) or 1
    strips = []
    for row, service in enumerate(services):
        own = [sample for sample in samples if sample.service == service]
        most = max((sample.lag for sample in own), default=0) or 1
        many = max((sample.replicas for sample in own), default=0) or 1
        top = 30 + row * (HEIGHT + GAP)

        def at(seconds: float, share: float, top: int = top) -> str:
            return f"{LEFT + WIDTH * seconds / end:.1f},{top + HEIGHT * (1 - share):.1f}"

        lag = " ".join(at(sample.seconds, sample.lag / most) for sample in own)
        steps = " ".join(
            f"{at(before.seconds, before.replicas / many)} {at(after.seconds, before.replicas / many)}"
            for before, after in pairwise(own)
        )
        strips += [
            f'<polygon points="{at(0, 0)} {lag} {at(end, 0)}" fill="{LAG}" fill-opacity="0.35"/>',
            f'<polyline points="{steps}" fill="none" stroke="{REPLICAS}" stroke-width="2"/>',
            f'<line x1="{LEFT}" y1="{top + HEIGHT}" x2="{LEFT + WIDTH}" y2="{top + HEIGHT}" stroke="#999"/>',
            f'<text x="6" y="{top + 20}" font-weight="bold">{service}</text>',
            f'<text x="6" y="{top + 40}" fill="{LAG}">lag, most {most}</text>',
            f'<text x="6" y="{top + 58}" fill="{REPLICAS}">replicas, most {many}</text>',
        ]
    bottom = 30 + len(services) * (HEIGHT + GAP)
    ticks = [
        f'<text x="{LEFT + WIDTH * share / 4:.0f}" y="{bottom}" text-anchor="middle">{end * share / 4:.0f} s</text>'
        for share in range(5)
    ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 30} {bottom + 14}" '
    style = 'font-family="sans-serif" font-size="13"><rect width="100%" height="100%" fill="white"/>'
    return "\n".join([head + style, *strips, *ticks, "</svg>", ""])
