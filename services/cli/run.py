"""`chimera run`: stack up, grow until the plan's rows are there, stack down, say what came of it."""

import asyncio
import json
import logging
import time
from collections.abc import Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

from rich.console import Console

from deploy.local.errors import StackError
from deploy.local.ports import Ports
from deploy.local.process import Process
from deploy.local.supervisor import Stack
from services.cli import casting
from services.cli.ending import End, ending
from services.cli.funnel import FOLLOWED, Funnel
from services.cli.interrupts import Interrupts
from services.cli.order import Order
from services.cli.product import Product
from services.cli.summary import Summary, Verdict
from services.cli.view import Pace, View
from shared.access import KafkaAccess
from shared.errors import Refusal
from shared.kafka.admin import provision
from shared.kafka.follow import follow
from shared.llm import Roles, probe_endpoints

T = TypeVar("T")

Outcome = End | StackError | Refusal | None
"""How it ended; `None`: a person interrupted it."""

FACTORY = "chimera"
DRAW_EVERY_S = 0.2
PROBE_EVERY_S = 20.0
MISSES = 3
"""An endpoint that does not answer so often in a row ends the run."""
PATIENCE_S = {True: 120.0, False: 3600.0}
"""How long work under way may be silent, for simulated and real models."""


def run(order: Order, *, as_json: bool) -> int:
    """Carry out an order; returns the exit status. Raises Refusal or StackError when it cannot start."""
    console = Console(stderr=as_json, highlight=False)
    product = Product.of(order.dataset)
    casting.check_unmixed(order.directory, simulated=order.simulated)
    if product.complete(order.plan):
        rows = order.plan.rows
        console.print(f"Already {rows} of {rows}; ask for more with --rows {2 * rows}.")
        if as_json:
            print(json.dumps({"outcome": "already", "rows": rows, "dataset": str(order.dataset)}))  # noqa: T201
        return 0
    order.directory.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(filename=order.directory / "cli.log", format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        with View(console) as view:
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

    def __init__(self, order: Order, view: View, rows_before: int) -> None:
        self.order = order
        self.view = view
        self.rows_before = rows_before
        self.funnel = Funnel()
        self.roles: Roles
        self.port: int
        self.started: list[Process] = []

    async def whole(self) -> Summary:
        """Start, grow, stop, sum up. Cancelled by the second signal."""
        order, started = self.order, time.monotonic()
        self._headline()
        with Interrupts(
            lambda: self.view.say("stopping; what is finished is kept. Ctrl-C again stops at once")
        ) as signals:
            await self._cast()
            async with Stack(order.directory, factory=FACTORY, on_event=self.view.stack) as stack:
                outcome = await signals.run(self._guarded(stack))
                await self._retire(stack)
        return self._summary(outcome, time.monotonic() - started)

    def _headline(self) -> None:
        plan, model = self.order.plan, self.order.model
        rows, subjects = _count(plan.rows, "row"), _count(len(plan.subjects), "subject")
        who = f"{model.model} in every role" if model else "SIMULATED models, not for training"
        self.view.say(f"Chimera · {rows}, {subjects} · {who}")
        if model:
            self.view.say(
                "One model writes, verifies and solves: its verdicts on its own work are worth less.", "yellow"
            )

    async def _cast(self) -> None:
        if self.order.model:
            self.roles = Roles.one(self.order.model)
            if wrong := await probe_endpoints(self.roles):
                reason = wrong[0].partition(": ")[2] or wrong[0]
                raise Refusal(reason, "Correct --base-url, --model or --api-key-env, and run again")
        else:
            self.port = Ports({}).take(casting.SIMULATOR)
            self.roles = casting.simulated(self.port)

    async def _guarded(self, stack: Stack) -> Outcome:
        """Grow. What goes wrong after the start is an outcome: there is something to sum up."""
        casting.write(self.order.directory, self.order.plan, self.roles)
        await self._start(stack)
        self.view.say(stack.summary(), "dim")
        try:
            outcome: Outcome = await _first(self._grow(stack), _failure(stack), self._endpoints())
        except Refusal as refusal:
            return refusal
        except StackError as error:
            self.view.say(error.log, "dim")
            return error
        return outcome

    async def _start(self, stack: Stack) -> None:
        await stack.start_infrastructure()
        await provision(KafkaAccess(stack.bootstrap), FACTORY)
        if self.order.simulated:
            await stack.start_services([casting.simulator(self.port, self.order.seed)])
            await _first(self._answering(), _failure(stack))
        self.started = casting.services(self.order.directory)
        await stack.start_services(self.started)

    async def _retire(self, stack: Stack) -> None:
        """Stop the services while their models are still there: what they finish now need not be paid for again."""
        await asyncio.gather(*(stack.scale(service.name, 0) for service in self.started))

    async def _answering(self) -> None:
        while await probe_endpoints(self.roles):  # noqa: ASYNC110 - another process: no event to wait for
            await asyncio.sleep(0.1)

    async def _grow(self, stack: Stack) -> End:
        ready = heard = time.monotonic()
        drawn = 0.0
        names = [event.type for event in FOLLOWED]
        async with aclosing(follow(KafkaAccess(stack.bootstrap), FACTORY, names)) as events:
            async for event in events:
                now = time.monotonic()
                if event:
                    self.funnel.add(event)
                    heard = now
                if now - drawn < DRAW_EVERY_S:
                    continue
                drawn = now
                self.view.grow(self.funnel, self.order.plan, Pace(now - ready, self.rows_before))
                if end := ending(self.funnel, self.order.plan, now - heard, PATIENCE_S[self.order.simulated]):
                    return end
        raise AssertionError("the log has no end")

    async def _endpoints(self) -> None:
        """Raise Refusal when a real endpoint is gone for good."""
        missed = 0
        while not self.order.simulated:
            await asyncio.sleep(PROBE_EVERY_S)
            wrong = await probe_endpoints(self.roles)
            missed = missed + 1 if wrong else 0
            if missed == MISSES:
                raise Refusal(wrong[0], "Bring it back and run again: nothing is lost")
        await asyncio.Event().wait()

    def _summary(self, outcome: Outcome, seconds: float) -> Summary:
        order, product = self.order, Product.of(self.order.dataset)
        return Summary.of(
            self.funnel,
            verdict(outcome),
            seconds=seconds,
            wanted=order.plan.rows,
            rows=product.rows,
            tokens=product.tokens,
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
        case End(short=None):
            return Verdict("done")
        case End():
            return Verdict("short", outcome.short, outcome.next_step)


async def _failure(stack: Stack) -> None:
    await asyncio.shield(stack.failed)


async def _first(*work: Coroutine[Any, Any, Any]) -> Any:
    """Result of whatever ends first; the others are cancelled."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
