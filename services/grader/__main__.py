"""Run the grader: `python -m services.grader`; settings from the environment (`CHIMERA_GRADER_…`)."""

import asyncio
import logging
import signal
import sys

from services.grader.server import serve
from services.grader.settings import Settings
from shared.config.environment import parse_arguments, read
from shared.errors import Refusal

log = logging.getLogger("services.grader")


async def main(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serve(settings) as url:
        log.info("grades at %s/grade%s", url, "" if settings.models else ", by rules alone")
        await stop.wait()


if __name__ == "__main__":
    parse_arguments(Settings)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        asyncio.run(main(read(Settings)))
    except Refusal as refusal:
        log.error("%s", refusal)
        sys.exit(1)
