"""The stack that runs already, or one for the time of a command. It has no planner, so that nothing is requested."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path

from rich.console import Console

from deploy.local.events import StackEvent
from deploy.local.state_file import StateFile
from schemas.flow import SERVICE
from services.cli.common.interrupts import Interrupts
from services.cli.common.kafka_connection import access
from services.cli.common.names import FACTORY
from services.cli.common.race import first
from services.cli.common.run_config import RunConfig
from services.cli.common.sanitize_terminal import as_text
from services.cli.run.command import prepare
from services.cli.run.live_view import PERMANENT
from services.cli.run.local_factory import LocalFactory
from services.cli.run.quiescence import is_drained
from services.planner.ledger_keeper import ledger_keeper
from services.planner.settings import Settings
from shared.config.connections import KafkaAccess

ALL_BUT_PLANNER = tuple(name for name in SERVICE if name != "planner")
DRAINED_EVERY_S = 1.0

Work = Callable[[KafkaAccess], Awaitable[None]]


def is_running(directory: Path, bootstrap: str) -> bool:
    """Whether a command uses a stack that runs already."""
    return bool(bootstrap) or StateFile.read(directory).up


async def work_on(
    config: RunConfig,
    bootstrap: str,
    console: Console,
    work: Work,
    services: Collection[str] = ALL_BUT_PLANNER,
) -> bool:
    """Do some work on the running stack, or on one of these services that is started and stopped for it.

    Returns False when the first Ctrl-C ended it. Raises Refusal when a service of that stack fails.
    """

    def on_event(event: StackEvent) -> None:
        if event.kind in PERMANENT:
            console.print(as_text(f"{event.process}: {event.message}", "yellow"))

    def on_interrupt() -> None:
        console.print("stopping: what has ended is kept, and the same command resumes")

    with Interrupts(on_interrupt) as signals:
        if is_running(config.directory, bootstrap):
            return bool(await signals.run(_whole(work(access(bootstrap, config.directory)))))
        prepare(config.directory)
        async with LocalFactory(config, on_event, services=services) as factory:
            return bool(await signals.run(_whole(_start_and_work(factory, work, services))))


async def _start_and_work(factory: LocalFactory, work: Work, services: Collection[str]) -> None:
    await factory.start()
    async with _budget(factory):
        await first(_until_drained(factory, work, services), factory.failure())


async def _whole(work: Awaitable[None]) -> bool:
    await work
    return True


async def _until_drained(factory: LocalFactory, work: Work, services: Collection[str]) -> None:
    kafka = KafkaAccess(factory.stack.bootstrap)
    await work(kafka)
    while not await is_drained(kafka, FACTORY, services):  # noqa: ASYNC110 - another process
        await asyncio.sleep(DRAINED_EVERY_S)


@asynccontextmanager
async def _budget(factory: LocalFactory) -> AsyncIterator[None]:
    """Keep the budget ledger, which is otherwise the planner's work."""
    stack = factory.stack
    settings = Settings(factory=FACTORY, kafka=stack.bootstrap, valkey=stack.valkey_url)
    async with ledger_keeper(settings, factory.config.plan.budget):
        yield
