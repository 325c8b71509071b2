"""Dashboards as plain data; build.py renders them as Grafana's JSON."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["lines", "number", "bars"]


@dataclass(frozen=True, slots=True)
class Query:
    """PromQL and the legend of its series. `$__rate_interval` and `$__range` are variables of Grafana."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """`why` is the description: what the panel shows and what to do about it. `unit` is a unit of Grafana."""

    title: str
    why: str
    unit: str
    queries: tuple[Query, ...]
    kind: Kind = "lines"


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard; its name is also the name of its file and part of its uid."""

    name: str
    title: str
    why: str
    panels: tuple[Panel, ...]


def lines(title: str, why: str, unit: str, *queries: tuple[str, str]) -> Panel:
    """Build a time series panel."""
    return Panel(title, why, unit, tuple(Query(*query) for query in queries))


def number(title: str, why: str, unit: str, expr: str) -> Panel:
    """Build a panel with one current value."""
    return Panel(title, why, unit, (Query(expr),), "number")


def bars(title: str, why: str, unit: str, expr: str, legend: str) -> Panel:
    """Build a panel with one bar for each current series."""
    return Panel(title, why, unit, (Query(expr, legend),), "bars")
