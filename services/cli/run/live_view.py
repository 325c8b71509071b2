"""The view while it runs: a live view in a terminal, plain lines elsewhere.

Text that a model wrote is printed without control characters and without markup.
"""

import time
from dataclasses import dataclass

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from deploy.local.events import StackEvent
from schemas.config.plan import Plan
from services.cli.common.sanitize_terminal import as_text
from services.cli.run.summary import clock, rows_of
from shared.dataset.reports.funnel import Funnel

BAR = 10
PLAIN_EVERY_S = 5.0
PERMANENT = frozenset({"died", "killed", "orphans"})
"""Events that stay on the screen. A process that is given up appears as the error that ends the run."""


@dataclass(frozen=True, slots=True)
class Rate:
    """The speed of a run: seconds since the services were ready, and rows at that time."""

    seconds: float
    rows_before: int

    def rate(self, rows: int) -> float:
        """Return rows per second."""
        return max(0, rows - self.rows_before) / self.seconds if self.seconds else 0.0


class LiveView:
    """Draws the live view on each call of `grow`; without a terminal, prints a line every few seconds."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._plain_at = -PLAIN_EVERY_S
        self._stack_at = time.monotonic()
        self._growing = False

    def __enter__(self) -> "LiveView":
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def say(self, line: str, style: str = "") -> None:
        """Print a line that stays on the screen."""
        self._console.print(as_text(line, style), soft_wrap=True)

    def stack(self, event: StackEvent) -> None:
        """Show an event of the stack: crashes stay on the screen, others are replaced by the next."""
        text = Text(_clean(f"{event.process}: {event.message}"))
        if event.done is not None and event.total:
            text.append(f"  {event.done / 1e6:.0f} of {event.total / 1e6:.0f} MB")
        if event.kind in PERMANENT:
            text.stylize("yellow")
            self._console.print(text)
        elif self._growing:
            return
        elif self._live:
            text.stylize("dim")
            self._live.update(text, refresh=True)
        elif time.monotonic() - self._stack_at >= PLAIN_EVERY_S:
            self._stack_at = time.monotonic()
            self.say(str(text), "dim")

    def grow(self, funnel: Funnel, plan: Plan, rate: Rate, budget: str = "", blockers: str = "") -> None:
        """Show the progress; `budget` is the spending, `blockers` why nothing moves, in words."""
        self._growing = True
        if self._live:
            self._live.update(growth(funnel, plan, rate, budget, blockers), refresh=True)
        elif rate.seconds - self._plain_at >= PLAIN_EVERY_S:
            self._plain_at = rate.seconds
            rows = funnel.rows.total()
            target = None if plan.endless else plan.rows
            line = f"{rows_of(rows, target)} · requested {funnel.requested}, in flight {funnel.in_flight} · "
            self.say(line + footer(funnel, plan, rate, budget) + (f" · {blockers}" if blockers else ""))


def growth(funnel: Funnel, plan: Plan, rate: Rate, budget: str = "", blockers: str = "") -> Group:
    """Return the whole live view."""
    lines = [problems(funnel), footer(funnel, plan, rate, budget)]
    parts: list[Text | Table] = [_subjects(funnel, plan), *map(Text, lines)]
    if last := funnel.last_rejected:
        line = f"last rejected  {str(last.problem)[:4]} {last.subject}  {last.service}: {last.detail}"
        parts.append(Text(_clean(line), "dim", no_wrap=True, overflow="ellipsis"))
    if blockers:
        parts.append(Text(_clean(blockers), "yellow"))
    return Group(*parts)


def _subjects(funnel: Funnel, plan: Plan) -> Table:
    """Rows of each subject."""
    rows = funnel.rows
    quotas = dict.fromkeys(plan.subjects, 0) if plan.endless else plan.quotas()
    width = len(str(max(quotas.values())))
    table = Table.grid(padding=(0, 2))
    for _ in range(3):
        table.add_column(no_wrap=True, overflow="ellipsis")
    for name, quota in quotas.items():
        done = min(rows[name], quota)
        if plan.endless:
            table.add_row(Text(_clean(name)), "", f"{rows[name]} rows")
        else:
            table.add_row(Text(_clean(name)), _bar(done, quota), f"{done:>{width}}/{quota:<{width}}")
    return table


def problems(funnel: Funnel) -> str:
    """Return how many problems of all subjects have reached each step."""
    checked = f"screened {funnel.screened} → verified {funnel.verified} → accepted {funnel.accepted}"
    parked = f" · parked {funnel.ends['parked']}" if funnel.ends["parked"] else ""
    steps = f"requested {funnel.requested} → {checked} → curated {funnel.curated}"
    return f"{steps} · in flight {funnel.in_flight}{parked}"


def _bar(done: int, quota: int) -> Text:
    full = BAR * done // quota if quota else BAR
    return Text("█" * full, "green").append("░" * (BAR - full), "dim")


def footer(funnel: Funnel, plan: Plan, rate: Rate, budget: str = "") -> str:
    """Return speed, yield, spending and time."""
    rows = funnel.rows.total()
    rows_per_s = rate.rate(rows)
    parts = [f"{rows_per_s:.1f} rows/s" if rows_per_s >= 0.1 else f"{rows_per_s * 3600:.0f} rows/h"]
    if (share := funnel.yield_) is not None:
        parts.append(f"yield {share:.0%}")
    if budget:
        parts.append(budget)
    left = sum(funnel.lacking(plan).values())
    ahead = f", about {clock(left / rows_per_s)} left" if rows_per_s and left and not plan.endless else ""
    return " · ".join([*parts, clock(rate.seconds) + ahead])


def _clean(text: str, limit: int = 160) -> str:
    """Return one line without control characters."""
    return "".join(sign if sign.isprintable() else " " for sign in text[:limit])
