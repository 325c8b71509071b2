"""One process from start to exit 0.

Start: logs, health (alive, not ready), service, producer, consumer. Waits for a broker that does not answer yet and a
factory that is not provisioned yet.
SIGTERM, SIGINT or other credentials in a file: not ready, stop consuming, commit, leave the group, let running events
finish within the grace period and record their results, close, exit 0. Exit 1 with one line when the process must not
continue.
"""

import asyncio
import contextlib
import logging
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from shared import event_loop
from shared.cache.client import connect
from shared.cache.idempotency import IdempotencyStore
from shared.config.environment import parse_arguments, read, unknown_variables
from shared.config.settings import Settings
from shared.errors import Refusal
from shared.kafka.admin.readiness import find_obstacle
from shared.kafka.clients import KafkaConnectionError, KafkaError, Producer
from shared.kafka.connection import translate_denials
from shared.runtime.background_task import run_in_background
from shared.runtime.health import Health
from shared.runtime.machine import MachineLoop
from shared.runtime.rotated_credentials import credential_files, wait_before_restart, wait_for_change
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


class ServiceLoop(Protocol):
    """Runs a service of one kind."""

    def why_not_ready(self) -> str | None: ...

    async def run(self) -> None:
        """Work until `stop`; on return everything finished is committed, and the group is left."""
        ...

    def stop(self) -> None: ...


def run(build: Callable[[S], Service], kind: type[S]) -> None:
    """Run a service with settings from the environment until a signal; exits the process."""
    parse_arguments(kind)
    configure(kind.model_fields["service"].default)
    try:
        settings = read(kind)
        configure(settings.service)
        traces.configure(settings.service)
        for name in unknown_variables(kind):
            log.warning("%s", name)
        event_loop.run(_run_service(build, settings))
    except Refusal as refusal:
        log.critical("%s", refusal)
        sys.exit(1)
    except Exception:
        log.critical("stopped by an error; no unfinished event was committed", exc_info=True)
        sys.exit(1)


async def _run_service(build: Callable[[S], Service], settings: S) -> None:
    service = build(settings)
    access = settings.kafka_access
    valkey = connect(settings.valkey_access)
    producer = Producer(access, settings.factory)
    outcomes = IdempotencyStore(valkey, settings.factory, settings.service, settings.marker_days, settings.lease_s)
    loop = _create_loop(service, settings, producer, outcomes)
    start_at_zero(settings.service)
    READY.labels(settings.service).set_function(lambda: float(loop.why_not_ready() is None))
    health = Health(settings.health_host, settings.health_port, loop.why_not_ready)
    stopping = asyncio.Event()

    def stop() -> None:
        log.info("stopping")
        stopping.set()
        loop.stop()

    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop)
    credentials = credential_files(settings)
    async with contextlib.AsyncExitStack() as closing:
        for close in (valkey.aclose, *service.close):
            closing.push_async_callback(close)
        await closing.enter_async_context(run_in_background(partial(_stop_when_changed, credentials, stop)))
        await health.start()
        closing.push_async_callback(health.stop)
        if not await _wait_until_ready(partial(_check_broker, producer), stopping):
            return
        closing.push_async_callback(producer.stop)
        if not await _wait_until_ready(partial(_check_provisioning, settings), stopping):
            return
        closing.enter_context(translate_denials(access))
        for companion in service.background:
            await closing.enter_async_context(companion)
        await loop.run()
    log.info("stopped")


def _create_loop(service: Service, settings: Settings, producer: Producer, outcomes: IdempotencyStore) -> ServiceLoop:
    if service.handle:
        return StatelessLoop(service.handle, settings, producer, outcomes)
    if service.join:
        from shared.kafka.faust.loop import FaustLoop  # imports Faust, which only the join needs

        return FaustLoop(service.join, settings, producer)
    if service.machine:
        return MachineLoop(service.machine, settings, producer, service.from_log, service.changed)
    if service.sink:
        return SinkLoop(service.sink, settings, producer)
    raise TypeError("a service has a handler, a join, a machine or a sink")


async def _stop_when_changed(credentials: Sequence[Path], stop: Callable[[], None], _: asyncio.Event) -> None:
    log.warning(
        "%s has changed: this process ends, to start again with the new one", await wait_for_change(credentials)
    )
    await wait_before_restart()
    stop()


async def _wait_until_ready(obstacle: Callable[[], Awaitable[str | None]], stopping: asyncio.Event) -> bool:
    """Wait until there is no obstacle; log a new one, and repeat it every WARN_EVERY_S. False when stopped first."""
    logged, log_again_at = None, 0.0
    while not stopping.is_set():
        if (reason := await obstacle()) is None:
            return True
        if reason != logged or time.monotonic() >= log_again_at:
            log.warning("waiting: %s", reason)
            logged, log_again_at = reason, time.monotonic() + WARN_EVERY_S
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), RECHECK_S)
    return False


async def _check_broker(producer: Producer) -> str | None:
    kafka_log = logging.getLogger("aiokafka")
    kafka_log.setLevel(logging.CRITICAL)  # it would log every retry
    try:
        await producer.start()
    except KafkaConnectionError as error:
        return f"the broker cannot be reached: {error}"
    finally:
        kafka_log.setLevel(logging.NOTSET)
    return None


async def _check_provisioning(settings: Settings) -> str | None:
    try:
        obstacle = await find_obstacle(settings.kafka_access, settings.factory, settings.service)
    except KafkaError as error:
        return f"the broker does not answer: {type(error).__name__}: {error}"
    return obstacle and f"{obstacle}. Create them with: chimera kafka create"
