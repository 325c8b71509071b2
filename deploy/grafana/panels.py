"""Dashboards as plain data; build.py renders them as Grafana's JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import ceil
from typing import Literal

Kind = Literal["lines", "number", "bars"]


@dataclass(frozen=True, slots=True)
class Query:
    """PromQL and the legend of its series. `$__rate_interval` and `$__range` are variables of Grafana."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """`why` is the description: what the panel shows and what to do about it. `unit` is a unit of Grafana.

    `limit` is that of the panel's alert, drawn as a line.
    """

    title: str
    why: str
    unit: str
    queries: tuple[Query, ...]
    kind: Kind = "lines"
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice of the reader's: values of a label of the metrics whose names match. With `all`, also several."""

    name: str
    label: str
    source: str
    """A metric that has the label."""
    metrics: str
    """Regular expression of whole names."""
    all: bool = True


OURS = r"(?:chimera|gen_ai|process)_\w+|kafka_consumergroup_lag|(?:service|account):chimera_\w+:\w+"
FACTORY = Variable("factory", "factory", "chimera_ready", OURS, all=False)
NAMESPACE = Variable(
    "namespace", "namespace", "chimera_ready", r"(?:chimera|gen_ai|process)_\w+|kafka_consumergroup_lag"
)
EVERYWHERE = (FACTORY, NAMESPACE)
"""Several factories in one Prometheus are read one at a time."""


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard; its name is also the name of its file and part of its uid."""

    name: str
    title: str
    why: str
    panels: tuple[Panel, ...]
    variables: tuple[Variable, ...] = EVERYWHERE


@dataclass(frozen=True, slots=True)
class Place:
    """Where a panel is in Grafana's grid of 24 columns."""

    x: int
    y: int
    w: int
    h: int


COLUMNS = 24
IN_A_ROW: dict[Kind, int] = {"number": 4, "lines": 2, "bars": 2}
HEIGHTS: dict[Kind, int] = {"number": 5, "lines": 9, "bars": 10}


def arrange(panels: Sequence[Panel]) -> list[Place]:
    """Place panels from left to right. A row has numbers or other panels, and fills the width."""
    places: list[Place] = []
    for _, group in groupby(panels, lambda panel: panel.kind == "number"):
        run = list(group)
        most = IN_A_ROW[run[0].kind]
        rows = ceil(len(run) / most)
        ends = [round(len(run) * row / rows) for row in range(rows + 1)]
        for begin, end in pairwise(ends):
            y = max((place.y + place.h for place in places), default=0)
            row, width = run[begin:end], COLUMNS // (end - begin)
            height = max(HEIGHTS[panel.kind] for panel in row)
            places += [Place(width * at, y, width, height) for at in range(len(row))]
    return places


def lines(title: str, why: str, unit: str, *queries: tuple[str, str], limit: float | None = None) -> Panel:
    """Build a time series panel."""
    return Panel(title, why, unit, tuple(Query(*query) for query in queries), limit=limit)


def number(title: str, why: str, unit: str, expr: str, limit: float | None = None) -> Panel:
    """Build a panel with one current value."""
    return Panel(title, why, unit, (Query(expr),), "number", limit)


def bars(title: str, why: str, unit: str, expr: str, legend: str) -> Panel:
    """Build a panel with one bar for each current series."""
    return Panel(title, why, unit, (Query(expr, legend),), "bars")
