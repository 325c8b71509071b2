"""Run the simulator: `python -m services.simulator`; settings from the environment (`CHIMERA_SIM_…`)."""

import asyncio
import logging
import signal
import sys

from services.simulator.api.server import serve
from services.simulator.settings import Settings
from shared import event_loop
from shared.config.environment import parse_arguments, read
from shared.errors import Refusal


async def main(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serve(settings):
        await stop.wait()


if __name__ == "__main__":
    parse_arguments(Settings)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        event_loop.run(main(read(Settings)))
    except Refusal as refusal:
        sys.exit(str(refusal))
    except OSError as error:
        sys.exit(f"{error.strerror or error}\nNext step: free the port, or set CHIMERA_SIM_PORT to another")
