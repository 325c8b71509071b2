"""Run the simulator: `python -m services.simulator`; settings from the environment (`CHIMERA_SIM_…`)."""

import argparse
import asyncio
import logging
import signal
import sys

from services.simulator.api.server import serve
from services.simulator.settings import Settings
from shared.config.environment import read
from shared.errors import Refusal

EPILOG = (
    "Settings are variables of the environment, such as CHIMERA_SIM_PORT (8100) and CHIMERA_SIM_SEED (0): "
    "docs/reference/simulator.md has all. Stop it with Ctrl-C."
)


async def main(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serve(settings):
        await stop.wait()


if __name__ == "__main__":
    argparse.ArgumentParser(
        prog="python -m services.simulator", description="Serve simulated models over the OpenAI API.", epilog=EPILOG
    ).parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        asyncio.run(main(read(Settings)))
    except Refusal as refusal:
        sys.exit(str(refusal))
    except OSError as error:
        sys.exit(f"{error.strerror or error}\nNext step: free the port, or set CHIMERA_SIM_PORT to another")
