"""python -m services.exporter: what Kafka knows of the consumer groups, for Prometheus.

No service of the flow: it consumes nothing. While Kafka does not answer it shows no lag, rather than an old one.
"""

import asyncio
import contextlib
import logging
import signal
import sys

from services.exporter.settings import Settings
from shared.config.environment import read
from shared.errors import Refusal
from shared.kafka.clients import KafkaError
from shared.kafka.lag import lags
from shared.runtime.health import Health
from shared.telemetry.logs import configure
from shared.telemetry.metrics import LAG

log = logging.getLogger("services.exporter")


class Exporter:
    """Asks now and then."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.unready: str | None = "Kafka was not asked yet"

    async def run(self, stopping: asyncio.Event) -> None:
        """Until told to stop."""
        while not stopping.is_set():
            await self._ask()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), self._settings.lag_every_s)

    async def _ask(self) -> None:
        try:
            found = await lags(self._settings.kafka_access, self._settings.factory)
        except KafkaError as error:
            LAG.clear()
            self._say(f"Kafka does not answer: {type(error).__name__}: {error}")
            return
        for (group, partition), lag in found.items():
            LAG.labels(group, partition.topic, partition.partition).set(lag)
        self._say(None)

    def _say(self, unready: str | None) -> None:
        if unready and unready != self.unready:
            log.warning("%s", unready)
        self.unready = unready


async def main(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    stopping, exporter = asyncio.Event(), Exporter(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    health = Health(settings.health_host, settings.health_port, lambda: exporter.unready)
    await health.start()
    try:
        await exporter.run(stopping)
    finally:
        await health.stop()


if __name__ == "__main__":
    configure("exporter")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it says when Kafka is away is said here once
    try:
        asyncio.run(main(read(Settings)))
    except Refusal as refusal:
        log.critical("%s", refusal)
        sys.exit(1)
