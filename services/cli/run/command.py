"""`chimera run`: start the stack, wait until the plan is met, stop the stack, print a summary."""

import asyncio
import json
import logging
import time
from contextlib import aclosing
from pathlib import Path

from rich.console import Console

from deploy.local import workdir
from schemas.flow import SERVICE
from services.cli.common import models_config, process_metrics
from services.cli.common.budget_status import BudgetLine, accounts, describe
from services.cli.common.dataset_location import DatasetSummary
from services.cli.common.exit_status import exit_status
from services.cli.common.interrupts import Interrupts
from services.cli.common.names import FACTORY
from services.cli.common.race import first
from services.cli.common.run_config import RunConfig
from services.cli.run import blockers
from services.cli.run.blockers import Failure, lost_subjects, pending_dead_letters
from services.cli.run.closed_topics import ClosedTopic, closed_topics
from services.cli.run.completion import Completion, evaluate, lost_topics
from services.cli.run.live_view import LiveView, Rate
from services.cli.run.local_factory import LocalFactory
from services.cli.run.quiescence import is_drained
from services.cli.run.summary import Summary, Verdict
from shared.config.connections import KafkaAccess
from shared.config.followed_file import FollowedFile
from shared.config.plan_loader import load_plan
from shared.dataset.reports.funnel import FOLLOWED, Funnel
from shared.errors import Refusal
from shared.kafka.read.tail import tail
from shared.llm import probe_endpoints

Outcome = Completion | Refusal | None
"""How a run ended; `None`: a person interrupted it."""

DRAW_EVERY_S = 0.2
ANNOUNCE_WAIT_AFTER_S = 3.0
"""After this silence, say that audits are under way."""
BUDGET_EVERY_S = 2.0
"""How often the budget is read."""
SCRAPE_EVERY_S = 5.0
PROBE_EVERY_S = 20.0
ENDPOINT_AWAY_S = 1800.0
"""An endpoint that is away for longer ends the run. Until then work waits; no attempt is consumed."""
SILENCE_S = {True: 120.0, False: 3600.0}
"""Longest silence of work under way, for simulated and real models."""


def run(config: RunConfig, *, as_json: bool) -> int:
    """Run the plan; returns the exit status. Raises Refusal when it cannot start."""
    console = Console(stderr=as_json, highlight=False)
    before = DatasetSummary.of(config.dataset)
    models_config.check_unmixed(config.directory, simulated=config.simulated)
    models_config.check_fit(config.plan, config.models)
    if before.complete(config.plan):
        rows = before.rows
        console.print(already(config.plan.rows, rows))
        if as_json:
            print(json.dumps({"outcome": "already", "rows": rows, "dataset": str(config.dataset)}))  # noqa: T201
        return 0
    prepare(config.directory)
    try:
        with LiveView(console) as view:
            summary = asyncio.run(Run(config, view, before.rows).execute())
    except asyncio.CancelledError:  # the second Ctrl-C
        return 130
    for line in summary.lines():
        view.say(line)
    if as_json:
        print(json.dumps(summary.document()))  # noqa: T201
    return exit_status(summary.outcome)


def prepare(directory: Path) -> None:
    """Create the folder of a run. This process logs to `cli.log` there, since the terminal shows the view."""
    workdir.create(directory)
    logging.basicConfig(filename=directory / "cli.log", format="%(asctime)s %(levelname)s %(name)s %(message)s")


class Run:
    """One run: starts the stack, follows the events, stops the stack."""

    def __init__(self, config: RunConfig, view: LiveView, rows_before: int, problems: int | None = None) -> None:
        """With `problems`, it is over when that number of problems has ended."""
        self.config = config
        self.plan = config.plan
        """The plan of now: `chimera plan apply` may change it."""
        self.view = view
        self.rows_before = rows_before
        self.problems = problems
        self.funnel = Funnel()
        self.factory = LocalFactory(config, view.stack)
        self.budget: list[BudgetLine] = []
        self.closed: list[ClosedTopic] = []
        self.announced_wait = False
        self.blockers = ""
        """Why nothing moves, in words."""
        self.pause = ""
        """Why the planner requests nothing, in words."""
        self.dead_letters: list[Failure] = []
        """Pending ones by event and reason."""
        self.last_event_at = time.monotonic()

    async def execute(self) -> Summary:
        """Start, run until the end, stop, and sum up. The second signal cancels it."""
        started = time.monotonic()
        for line, style in headline(self.config):
            self.view.say(line, style)
        with Interrupts(
            lambda: self.view.say("stopping; finished work is kept. Press Ctrl-C again to stop immediately")
        ) as signals:
            async with self.factory:
                outcome = await signals.run(self._run())
        return self._summary(outcome, time.monotonic() - started)

    async def _run(self) -> Outcome:
        """Start and run until the end. A failure after the start is an outcome, because there is work to sum up."""
        await self.factory.start()
        self.view.say(self.factory.stack.summary(), "dim")
        try:
            work = (self._follow(), self.factory.failure(), self._watch_endpoints(), self._watch_processes())
            outcome: Outcome = await first(*work)
            return await self._explain(outcome)
        except Refusal as refusal:
            if refusal.log:
                self.view.say(refusal.log, "dim")
            return refusal

    async def _explain(self, outcome: Outcome) -> Outcome:
        """Read closed topics and dead letters. A preview without the topics of a subject is not done."""
        kafka = KafkaAccess(self.factory.stack.bootstrap)
        self.closed, self.dead_letters = await closed_topics(kafka), await pending_dead_letters(kafka)
        if self.problems and outcome == Completion() and (lost := self._lost_topics()):
            step = "Correct the cause, or change the subject in the plan"
            return lost_topics("not every subject can be made", lost, step)
        return outcome

    async def _follow(self) -> Completion:
        """Read events, draw the view, and return when the run is over."""
        ready_at = self.last_event_at = time.monotonic()
        drawn_at = budget_at = 0.0
        names, kafka = [event.type for event in FOLLOWED], KafkaAccess(self.factory.stack.bootstrap)
        plan_file = FollowedFile(self.config.directory / "plan.yaml", load_plan)
        async with aclosing(tail(kafka, FACTORY, names)) as events:
            async for event in events:
                now = time.monotonic()
                if event:
                    self.funnel.add(event)
                    self.last_event_at = now
                if now - drawn_at < DRAW_EVERY_S:
                    continue
                drawn_at = now
                self.plan = plan_file.changed() or self.plan
                if now - budget_at >= BUDGET_EVERY_S or self.plan.hash in self.funnel.budget:
                    budget_at = now
                    self.budget = await accounts(self.factory.stack.valkey_url, self.plan.budget)
                budget, quiet_s = describe(self.budget), now - self.last_event_at
                rate = Rate(now - ready_at, self.rows_before)
                self.view.grow(self.funnel, self.plan, rate, budget, self.blockers)
                if self.problems and self.funnel.ends.total() >= self.problems:
                    return Completion()
                silence_s = SILENCE_S[self.config.simulated]
                lost = lost_subjects(self.dead_letters)
                completion = evaluate(self.funnel, self.plan, quiet_s, silence_s, budget, self.pause, lost)
                if completion and await self._is_finished(kafka, quiet_s, silence_s):
                    return completion
        raise AssertionError("the log has no end")

    async def _is_finished(self, kafka: KafkaAccess, quiet_s: float, silence_s: float) -> bool:
        """Whether nothing is left to do. Audits, on which no row depends, get as long as problems."""
        running = {name for name in SERVICE if self.factory.stack.replicas(name)}
        if quiet_s > silence_s or await is_drained(kafka, FACTORY, running):
            return True
        if quiet_s > ANNOUNCE_WAIT_AFTER_S and not self.announced_wait:
            self.announced_wait = True
            self.view.say("waiting for audits under way", "dim")
        return False

    async def _watch_processes(self) -> None:
        """Find out regularly why nothing moves."""
        while True:
            metrics = await process_metrics.scrape(self.factory.stack.processes())
            self.blockers = blockers.describe(metrics, time.monotonic() - self.last_event_at)
            self.pause = " · ".join(metrics["planner"].waits if "planner" in metrics else ())
            if not self.funnel.in_flight and self.funnel.waiting_for_topics:
                self.dead_letters = await pending_dead_letters(KafkaAccess(self.factory.stack.bootstrap))
            await asyncio.sleep(SCRAPE_EVERY_S)

    def _lost_topics(self) -> list[str]:
        """Return why requests for topics of the plan's subjects became dead letters."""
        lost = lost_subjects(self.dead_letters)
        waiting = self.funnel.waiting_for_topics.items()
        return [lost[request] for request, subject in waiting if request in lost and subject in self.plan.subjects]

    async def _watch_endpoints(self) -> None:
        """Report when a real model's endpoint goes away and returns; raise Refusal when it stays away."""
        away_since: float | None = None
        while self.config.models:
            await asyncio.sleep(PROBE_EVERY_S)
            faults, now = await probe_endpoints(self.factory.models), time.monotonic()
            if not faults:
                if away_since is not None:
                    self.view.say(f"the endpoint answers again, after {now - away_since:.0f} s")
                away_since = None
            elif away_since is None:
                away_since = now
                self.view.say(f"waiting: {faults[0]}", "yellow")
            elif now - away_since > ENDPOINT_AWAY_S:
                raise Refusal(faults[0], "Restore the endpoint and run again: nothing is lost")
        await asyncio.Event().wait()

    def _summary(self, outcome: Outcome, seconds: float) -> Summary:
        config, dataset = self.config, DatasetSummary.of(self.config.dataset)
        return Summary.of(
            self.funnel,
            verdict(outcome),
            seconds=seconds,
            wanted=None if self.plan.endless else self.plan.rows,
            rows=dataset.rows,
            tokens=dataset.tokens,
            budget=self.budget,
            closed=self.closed,
            dead_letters=self.dead_letters,
            waits=self.blockers,
            dataset=str(config.dataset),
            simulated=config.simulated,
        )


def verdict(outcome: Outcome) -> Verdict:
    """Return the outcome in words."""
    match outcome:
        case None:
            return Verdict("interrupted", None, "run `chimera run` again to continue")
        case Refusal():
            return Verdict("failed", outcome.message, outcome.next_step)
        case Completion(short=None):
            return Verdict("done")
        case Completion():
            return Verdict("short", outcome.short, outcome.next_step)


def already(target: int, rows: int) -> str:
    """Return the message for a plan that is already met. Rows beyond the target stay: only a person deletes rows."""
    if rows > target:
        return f"The dataset has {rows} rows, more than the target of {target}. None is deleted, none is requested."
    return f"The dataset already has {rows} of {target} rows. For more, use --rows {2 * target}."


SIMULATED = "SIMULATED models, not for training"


def headline(config: RunConfig) -> list[tuple[str, str]]:
    """Return the first lines of the output, with their style: rows, subjects and models."""
    plan = config.plan
    rows = "rows for ever" if plan.endless else _count(plan.rows, "row")
    subjects = _count(len(plan.subjects), "subject")
    assigned = config.models.assigned() if config.models else {}
    names = {role.model for role in assigned.values()}
    only = next(iter(names)) if len(names) == 1 else None
    players = SIMULATED if config.simulated else f"{only} in every role" if only else _count(len(names), "model")
    lines = [(f"Chimera · {rows}, {subjects} · {players}", "")]
    if config.models and not only:
        lines += [(", ".join(f"{name} {role.model}" for name, role in assigned.items()), "dim")]
    if config.models:
        warnings = (*models_config.dependence(config.models), *models_config.changes(config.directory, config.models))
        lines += [(line, "yellow") for line in warnings]
    return lines


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
