"""One process from start to exit 0.

Start: logs, health (alive, not ready), service, producer, consumer; a broker that is not there yet, or a factory that
is not provisioned yet, is waited for.
SIGTERM or SIGINT: unready, stop intake, commit, leave the group, then let running events finish within the grace
period into the outcome record, close, exit 0. Exit 1 with one clear line when the process must not go on.
"""

import asyncio
import contextlib
import logging
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol, TypeVar

from shared.cache.client import connect
from shared.cache.idempotency import IdempotencyStore
from shared.config.environment import read, unknown_variables
from shared.config.settings import Settings
from shared.errors import Refusal
from shared.kafka.admin.readiness import missing
from shared.kafka.clients import KafkaConnectionError, KafkaError, Producer
from shared.kafka.connection import authorized
from shared.runtime.health import Health
from shared.runtime.machine import MachineLoop
from shared.runtime.service import Service
from shared.runtime.sink import SinkLoop
from shared.runtime.stateless import StatelessLoop
from shared.telemetry import traces
from shared.telemetry.logs import configure
from shared.telemetry.metrics import READY, start_at_zero

log = logging.getLogger(__name__)

S = TypeVar("S", bound=Settings)
RECHECK_S = 2.0
WARN_EVERY_S = 30.0


class Loop(Protocol):
    """What drives a service of one kind."""

    def why_not_ready(self) -> str | None: ...

    async def run(self) -> None:
        """Work until `stop`; on return nothing is left to commit, and the group is left."""
        ...

    def stop(self) -> None: ...


def run(build: Callable[[S], Service], kind: type[S]) -> None:
    """Run a service, with settings from the environment, until it is told to stop; exits the process."""
    configure(kind.model_fields["service"].default)
    try:
        settings = read(kind)
        configure(settings.service)
        traces.configure(settings.service)
        for name in unknown_variables(kind):
            log.warning("%s", name)
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
    outcomes = IdempotencyStore(valkey, settings.factory, settings.service, settings.marker_days, settings.lease_s)
    loop = _loop(service, settings, producer, outcomes)
    start_at_zero(settings.service)
    READY.labels(settings.service).set_function(lambda: float(loop.why_not_ready() is None))
    health = Health(settings.health_host, settings.health_port, loop.why_not_ready)
    stopping = asyncio.Event()
    _on_signals(stopping, loop)
    async with contextlib.AsyncExitStack() as closing:
        for close in (valkey.aclose, *service.close):
            closing.push_async_callback(close)
        await health.start()
        closing.push_async_callback(health.stop)
        if not await _wait_until_ready(partial(_unreachable, producer), stopping):
            return
        closing.push_async_callback(producer.stop)
        if not await _wait_until_ready(partial(_unprovisioned, settings), stopping):
            return
        closing.enter_context(authorized(access))
        for companion in service.background:
            await closing.enter_async_context(companion)
        await loop.run()
    log.info("stopped")


def _loop(service: Service, settings: Settings, producer: Producer, outcomes: IdempotencyStore) -> Loop:
    if service.handle:
        return StatelessLoop(service.handle, settings, producer, outcomes)
    if service.join:
        from shared.kafka.faust.loop import FaustLoop  # only who joins pays for importing Faust

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


async def _wait_until_ready(obstacle: Callable[[], Awaitable[str | None]], stopping: asyncio.Event) -> bool:
    """Wait until there is no obstacle; say what it is once, and again now and then. False when told to stop first."""
    said, say_again = None, 0.0
    while not stopping.is_set():
        if (found := await obstacle()) is None:
            return True
        if found != said or time.monotonic() >= say_again:
            log.warning("waiting: %s", found)
            said, say_again = found, time.monotonic() + WARN_EVERY_S
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), RECHECK_S)
    return False


async def _unreachable(producer: Producer) -> str | None:
    kafka_log = logging.getLogger("aiokafka")
    kafka_log.setLevel(logging.CRITICAL)  # at every try it would say what is said here now and then
    try:
        await producer.start()
    except KafkaConnectionError as error:
        return f"the broker cannot be reached: {error}"
    finally:
        kafka_log.setLevel(logging.NOTSET)
    return None


async def _unprovisioned(settings: Settings) -> str | None:
    try:
        lacks = await missing(settings.kafka_access, settings.factory, settings.service)
    except KafkaError as error:
        return f"the broker does not answer: {type(error).__name__}: {error}"
    return lacks and f"{lacks}. What is missing is made by: chimera kafka create"
