"""One process from start to exit 0.

Start: logs, health (alive, not ready), service, producer, consumer; a broker that is not there yet is waited for.
SIGTERM or SIGINT: unready, stop intake, commit, leave the group, then let running events finish within the grace
period into the outcome record, close, exit 0. Exit 1 with one clear line when the process must not go on.
"""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from shared.cache.client import connect
from shared.cache.outcomes import Outcomes
from shared.errors import Refusal
from shared.kafka.acls import topics_of
from shared.kafka.clients import KafkaConnectionError, Producer, authorized, visible
from shared.logs import configure
from shared.metrics import READY
from shared.runtime.health import Health
from shared.runtime.machine import MachineLoop
from shared.runtime.service import Service
from shared.runtime.sink import SinkLoop
from shared.runtime.stateless import StatelessLoop
from shared.settings import Settings

log = logging.getLogger(__name__)

S = TypeVar("S", bound=Settings)
BROKER_WAIT_S = 2.0


class Loop(Protocol):
    """What drives a service of one kind."""

    def why_not_ready(self) -> str | None: ...

    async def run(self) -> None:
        """Work until `stop`; on return nothing is left to commit, and the group is left."""
        ...

    def stop(self) -> None: ...


def run(build: Callable[[S], Service], settings: S) -> None:
    """Run a service until it is told to stop; exits the process."""
    configure(settings.service)
    try:
        asyncio.run(_live(build, settings))
    except Refusal as refusal:
        log.critical("%s", refusal)
        sys.exit(1)
    except Exception:
        log.critical("stopped by an error; nothing unfinished was committed", exc_info=True)
        sys.exit(1)


async def _live(build: Callable[[S], Service], settings: S) -> None:
    service = build(settings)
    access = settings.kafka_access
    valkey = connect(settings.valkey_access)
    producer = Producer(access, settings.factory)
    outcomes = Outcomes(valkey, settings.factory, settings.service, settings.marker_days, settings.lease_s)
    loop = _loop(service, settings, producer, outcomes)
    health = Health(settings.health_host, settings.health_port, loop.why_not_ready)
    stopping = asyncio.Event()
    _on_signals(stopping, loop)
    async with contextlib.AsyncExitStack() as closing:
        for close in (valkey.aclose, *service.close):
            closing.push_async_callback(close)
        await health.start()
        closing.push_async_callback(health.stop)
        if not await _until_reachable(producer.start, stopping):
            return
        closing.push_async_callback(producer.stop)
        closing.enter_context(authorized(access))
        await visible(access, topics_of(settings.factory, settings.service))
        READY.labels(settings.service).set_function(lambda: float(loop.why_not_ready() is None))
        for companion in service.beside:
            await closing.enter_async_context(companion)
        await loop.run()
    log.info("stopped")


def _loop(service: Service, settings: Settings, producer: Producer, outcomes: Outcomes) -> Loop:
    if service.handle:
        return StatelessLoop(service.handle, settings, producer, outcomes)
    if service.join:
        from shared.kafka.faust_loop import FaustLoop  # only who joins pays for importing Faust

        return FaustLoop(service.join, settings, producer)
    if service.machine:
        return MachineLoop(service.machine, settings, producer)
    if service.sink:
        return SinkLoop(service.sink, settings, producer)
    raise TypeError("a service has a handler, a join, a machine or a sink")


def _on_signals(stopping: asyncio.Event, loop: Loop) -> None:
    def stop() -> None:
        log.info("stopping")
        stopping.set()
        loop.stop()

    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop)


async def _until_reachable(start: Callable[[], Awaitable[None]], stopping: asyncio.Event) -> bool:
    """Try to start until the broker answers. False when told to stop first."""
    while not stopping.is_set():
        try:
            await start()
        except KafkaConnectionError as error:
            log.warning("the broker cannot be reached yet: %s", error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), BROKER_WAIT_S)
        else:
            return True
    return False
