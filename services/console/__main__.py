"""Run the console: `python -m services.console`; its settings come from the environment (`CHIMERA_…`)."""

import asyncio
import logging
import signal
import sys

from services.console.server import serve
from services.console.settings import Settings
from shared.config.environment import parse_arguments, read
from shared.errors import Refusal
from shared.telemetry.logs import configure

log = logging.getLogger("services.console")


async def main(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    access = settings.kafka_access
    async with serve(settings, lambda: access) as url:
        log.info("pages at %s", url)
        await stop.wait()


if __name__ == "__main__":
    parse_arguments(Settings)
    configure("console")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # one line here reports that Kafka is away
    try:
        asyncio.run(main(read(Settings)))
    except Refusal as refusal:
        log.critical("%s", refusal)
        sys.exit(1)
