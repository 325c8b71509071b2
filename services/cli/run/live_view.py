"""What a person sees while it runs: a live view in a terminal, plain lines elsewhere.

Text that a model wrote is stripped of control characters and never read as markup.
"""

from dataclasses import dataclass

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from deploy.local.events import StackEvent
from schemas.config.plan import Plan
from services.cli.run.funnel import Funnel
from services.cli.run.summary import clock, rows_of

BAR = 10
PLAIN_EVERY_S = 5.0
LOUD = frozenset({"died", "killed", "orphans"})
"""What stays to be read. A process given up comes back as the error that ends the run."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast this run is. Seconds since the services were ready, and rows when they were."""

    seconds: float
    rows_before: int

    def rate(self, rows: int) -> float:
        """Rows per second."""
        return max(0, rows - self.rows_before) / self.seconds if self.seconds else 0.0


class LiveView:
    """Draws. `plain` lines are spaced out; the live view is drawn as often as it is told to."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._plain_at = -PLAIN_EVERY_S
        self._growing = False

    def __enter__(self) -> "LiveView":
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def say(self, line: str, style: str = "") -> None:
        """A line that stays."""
        self._console.print(Text(line, style), soft_wrap=True)

    def stack(self, event: StackEvent) -> None:
        """What the stack does: deaths stay to be read, the rest passes by."""
        text = Text(_clean(f"{event.process}: {event.message}"))
        if event.done is not None and event.total:
            text.append(f"  {event.done / 1e6:.0f} of {event.total / 1e6:.0f} MB")
        if event.kind in LOUD:
            text.stylize("yellow")
            self._console.print(text)
        elif self._live and not self._growing:
            text.stylize("dim")
            self._live.update(text, refresh=True)

    def grow(self, funnel: Funnel, plan: Plan, pace: Rate, money: str = "") -> None:
        """How far it is; `money`: what is spent of the budget."""
        self._growing = True
        if self._live:
            self._live.update(growth(funnel, plan, pace, money), refresh=True)
        elif pace.seconds - self._plain_at >= PLAIN_EVERY_S:
            self._plain_at = pace.seconds
            rows = funnel.rows.total()
            wanted = None if plan.endless else plan.rows
            line = f"{rows_of(rows, wanted)} · requested {funnel.requested}, in flight {funnel.in_flight} · "
            self.say(line + footer(funnel, plan, pace, money))


def growth(funnel: Funnel, plan: Plan, pace: Rate, money: str = "") -> Group:
    """The whole live view."""
    parts: list[Text | Table] = [_columns(funnel, plan), Text(footer(funnel, plan, pace, money))]
    if last := funnel.last_rejected:
        told = f"last rejected  {str(last.problem)[:4]} {last.subject}  {last.service}: {last.detail}"
        parts.append(Text(_clean(told), "dim", no_wrap=True, overflow="ellipsis"))
    return Group(*parts)


def _columns(funnel: Funnel, plan: Plan) -> Table:
    rows = funnel.rows
    quotas = plan.quotas(rows.total() + plan.releases.every_rows if plan.endless else None)
    width = len(str(max(quotas.values())))
    steps = [
        f"requested {funnel.requested}  in flight {funnel.in_flight}",
        f"screened {funnel.screened} → verified {funnel.verified}",
        f"→ accepted {funnel.accepted} → curated {funnel.curated}",
    ]
    table = Table.grid(padding=(0, 2))
    for _ in range(4):
        table.add_column(no_wrap=True, overflow="ellipsis")
    for number, (name, quota) in enumerate(quotas.items()):
        step = steps[number] if number < len(steps) else ""
        done = min(rows[name], quota)
        table.add_row(Text(_clean(name)), _bar(done, quota), f"{done:>{width}}/{quota:<{width}}", step)
    for step in steps[len(quotas) :]:
        table.add_row("", "", "", step)
    return table


def _bar(done: int, quota: int) -> Text:
    full = BAR * done // quota if quota else BAR
    return Text("█" * full, "green").append("░" * (BAR - full), "dim")


def footer(funnel: Funnel, plan: Plan, pace: Rate, money: str = "") -> str:
    """Speed, yield, money, time."""
    rows = funnel.rows.total()
    rate = pace.rate(rows)
    parts = [f"{rate:.1f} rows/s" if rate >= 0.1 else f"{rate * 3600:.0f} rows/h"]
    if (share := funnel.yield_) is not None:
        parts.append(f"yield {share:.0%}")
    if money:
        parts.append(money)
    left = sum(funnel.lacking(plan).values())
    ahead = f", about {clock(left / rate)} left" if rate and left and not plan.endless else ""
    return " · ".join([*parts, clock(pace.seconds) + ahead])


def _clean(text: str, limit: int = 160) -> str:
    """One line without control characters."""
    return "".join(sign if sign.isprintable() else " " for sign in text[:limit])
