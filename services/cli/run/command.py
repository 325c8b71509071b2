"""`chimera run`: stack up, grow until the plan's rows are there, stack down, say what came of it."""

import asyncio
import json
import logging
import time
from contextlib import aclosing

from rich.console import Console

from deploy.local.errors import StackError
from schemas.flow import SERVICE
from services.cli.common import models_config
from services.cli.common.budget_status import BudgetLine, accounts, describe
from services.cli.common.dataset_location import DatasetSummary
from services.cli.common.interrupts import Interrupts
from services.cli.common.race import first
from services.cli.common.run_config import RunConfig
from services.cli.run.closed_topics import ClosedTopic, closed_topics
from services.cli.run.completion import Completion, evaluate
from services.cli.run.funnel import FOLLOWED, Funnel
from services.cli.run.live_view import LiveView, Rate
from services.cli.run.local_factory import FACTORY, LocalFactory
from services.cli.run.quiescence import is_drained
from services.cli.run.summary import Summary, Verdict
from shared.config.connections import KafkaAccess
from shared.errors import Refusal
from shared.kafka.read.tail import tail
from shared.llm import probe_endpoints

Outcome = Completion | StackError | Refusal | None
"""How it ended; `None`: a person interrupted it."""

DRAW_EVERY_S = 0.2
SAY_S = 3.0
"""So long audits are waited for without a word."""
COUNT_EVERY_S = 2.0
"""How often the money is counted."""
PROBE_EVERY_S = 20.0
AWAY_S = 1800.0
"""An endpoint that does not answer for so long ends the run, in seconds. Until then work waits, nothing is burnt."""
PATIENCE_S = {True: 120.0, False: 3600.0}
"""How long work under way may be silent, for simulated and real models."""


def run(order: RunConfig, *, as_json: bool) -> int:
    """Carry out an order; returns the exit status. Raises Refusal or StackError when it cannot start."""
    console = Console(stderr=as_json, highlight=False)
    product = DatasetSummary.of(order.dataset)
    models_config.check_unmixed(order.directory, simulated=order.simulated)
    if product.complete(order.plan):
        rows = product.rows
        console.print(already(order.plan.rows, rows))
        if as_json:
            print(json.dumps({"outcome": "already", "rows": rows, "dataset": str(order.dataset)}))  # noqa: T201
        return 0
    order.directory.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(filename=order.directory / "cli.log", format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        with LiveView(console) as view:
            summary = asyncio.run(Run(order, view, product.rows).whole())
    except asyncio.CancelledError:  # the second Ctrl-C
        return 130
    for line in summary.lines():
        view.say(line)
    if as_json:
        print(json.dumps(summary.document()))  # noqa: T201
    return {"done": 0, "interrupted": 130}.get(summary.outcome, 1)


class Run:
    """One run, from the first process to the last."""

    def __init__(self, order: RunConfig, view: LiveView, rows_before: int) -> None:
        self.order = order
        self.view = view
        self.rows_before = rows_before
        self.funnel = Funnel()
        self.plant = LocalFactory(order, view.stack)
        self.money: list[BudgetLine] = []
        self.closed: list[ClosedTopic] = []
        self.waits = False

    async def whole(self) -> Summary:
        """Start, grow, stop, sum up. Cancelled by the second signal."""
        started = time.monotonic()
        for line, style in headline(self.order):
            self.view.say(line, style)
        with Interrupts(
            lambda: self.view.say("stopping; what is finished is kept. Ctrl-C again stops at once")
        ) as signals:
            async with self.plant:
                outcome = await signals.run(self._guarded())
        return self._summary(outcome, time.monotonic() - started)

    async def _guarded(self) -> Outcome:
        """Grow. What goes wrong after the start is an outcome: there is something to sum up."""
        await self.plant.start()
        self.view.say(self.plant.stack.summary(), "dim")
        try:
            outcome: Outcome = await first(self._grow(), self.plant.failure(), self._endpoints())
            self.closed = await closed_topics(KafkaAccess(self.plant.stack.bootstrap))
        except Refusal as refusal:
            return refusal
        except StackError as error:
            self.view.say(error.log, "dim")
            return error
        return outcome

    async def _grow(self) -> Completion:
        ready = heard = time.monotonic()
        drawn = counted = 0.0
        names, kafka = [event.type for event in FOLLOWED], KafkaAccess(self.plant.stack.bootstrap)
        async with aclosing(tail(kafka, FACTORY, names)) as events:
            async for event in events:
                now = time.monotonic()
                if event:
                    self.funnel.add(event)
                    heard = now
                if now - drawn < DRAW_EVERY_S:
                    continue
                drawn = now
                if now - counted >= COUNT_EVERY_S or self.order.plan.hash in self.funnel.budget:
                    counted = now
                    self.money = await accounts(self.plant.stack.valkey_url, self.order.plan.budget)
                money = describe(self.money)
                self.view.grow(self.funnel, self.order.plan, Rate(now - ready, self.rows_before), money)
                patience = PATIENCE_S[self.order.simulated]
                end = evaluate(self.funnel, self.order.plan, now - heard, patience, money)
                if end and await self._at_rest(kafka, now - heard, patience):
                    return end
        raise AssertionError("the log has no end")

    async def _at_rest(self, kafka: KafkaAccess, quiet_s: float, patience_s: float) -> bool:
        """Whether nothing is left to do. No row waits for an audit; it is waited for as long as a problem."""
        working = {name for name in SERVICE if self.plant.stack.replicas(name)}
        if quiet_s > patience_s or await is_drained(kafka, FACTORY, working):
            return True
        if quiet_s > SAY_S and not self.waits:
            self.waits = True
            self.view.say("waiting for audits under way", "dim")
        return False

    async def _endpoints(self) -> None:
        """Say when an endpoint that is not ours goes and comes; raise Refusal when it stays away."""
        since: float | None = None
        while self.order.cast:
            await asyncio.sleep(PROBE_EVERY_S)
            wrong, now = await probe_endpoints(self.plant.cast), time.monotonic()
            if not wrong:
                if since is not None:
                    self.view.say(f"it answers again, after {now - since:.0f} s")
                since = None
            elif since is None:
                since = now
                self.view.say(f"waiting: {wrong[0]}", "yellow")
            elif now - since > AWAY_S:
                raise Refusal(wrong[0], "Bring it back and run again: nothing is lost")
        await asyncio.Event().wait()

    def _summary(self, outcome: Outcome, seconds: float) -> Summary:
        order, product = self.order, DatasetSummary.of(self.order.dataset)
        return Summary.of(
            self.funnel,
            verdict(outcome),
            seconds=seconds,
            wanted=None if order.plan.endless else order.plan.rows,
            rows=product.rows,
            tokens=product.tokens,
            budget=self.money,
            closed=self.closed,
            dataset=str(order.dataset),
            simulated=order.simulated,
        )


def verdict(outcome: Outcome) -> Verdict:
    """What to say about an outcome."""
    match outcome:
        case None:
            return Verdict("interrupted", None, "chimera run again goes on where it stopped")
        case StackError() | Refusal():
            return Verdict("failed", outcome.message, outcome.next_step)
        case Completion(short=None):
            return Verdict("done")
        case Completion():
            return Verdict("short", outcome.short, outcome.next_step)


def already(wanted: int, rows: int) -> str:
    """What to say when nothing is left to do. Rows beyond the target stay: only a person deletes."""
    if rows > wanted:
        return f"{rows} rows are there, more than the {wanted} asked for: none is deleted, and none is asked for."
    return f"Already {rows} of {wanted}; ask for more with --rows {2 * wanted}."


SIMULATED = "SIMULATED models, not for training"


def headline(order: RunConfig) -> list[tuple[str, str]]:
    """What will be grown and by whom, as lines with their style."""
    plan = order.plan
    rows = "rows for ever" if plan.endless else _count(plan.rows, "row")
    subjects = _count(len(plan.subjects), "subject")
    parts = order.cast.assigned() if order.cast else {}
    models = {part.model for part in parts.values()}
    alone = next(iter(models)) if len(models) == 1 else None
    who = SIMULATED if order.simulated else f"{alone} in every role" if alone else _count(len(models), "model")
    lines = [(f"Chimera · {rows}, {subjects} · {who}", "")]
    if order.cast and not alone:
        lines += [(", ".join(f"{role} {part.model}" for role, part in parts.items()), "dim")]
    if order.cast:
        describe = (*models_config.dependence(order.cast), *models_config.changes(order.directory, order.cast))
        lines += [(line, "yellow") for line in describe]
    return lines


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
