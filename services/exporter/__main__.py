"""python -m services.exporter: exports the lag of all consumer groups for Prometheus.

It is not part of the flow and consumes nothing. While Kafka does not answer it exports no lag instead of an old one.
"""

import asyncio
import contextlib
import logging
import signal
import sys

from services.exporter.settings import Settings
from shared.config.environment import parse_arguments, read
from shared.errors import Refusal
from shared.kafka.clients import KafkaError
from shared.kafka.lag import lags
from shared.runtime.health import Health
from shared.telemetry.logs import configure
from shared.telemetry.metrics import LAG

log = logging.getLogger("services.exporter")


class Exporter:
    """Reads the lag at an interval."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.unready: str | None = "the lag was not read yet"

    async def run(self, stopping: asyncio.Event) -> None:
        """Run until `stopping` is set."""
        while not stopping.is_set():
            await self._measure()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), self._settings.lag_every_s)

    async def _measure(self) -> None:
        try:
            current = await lags(self._settings.kafka_access, self._settings.factory)
        except KafkaError as error:
            LAG.clear()
            self._set_unready(f"Kafka does not answer: {type(error).__name__}: {error}")
            return
        for (group, partition), lag in current.items():
            LAG.labels(group, partition.topic, partition.partition).set(lag)
        self._set_unready(None)

    def _set_unready(self, unready: str | None) -> None:
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
    parse_arguments(Settings)
    configure("exporter")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # an unavailable Kafka is logged once, here
    try:
        asyncio.run(main(read(Settings)))
    except Refusal as refusal:
        log.critical("%s", refusal)
        sys.exit(1)
