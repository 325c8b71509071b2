"""`make observe`: a local stack with a real Prometheus beside it, until Ctrl-C.

python -m tests.ops.observe [FOLDER]
"""

import asyncio
import signal
import sys
from pathlib import Path

from tests.ops.prometheus_sidecar import Missing, alongside


async def main(directory: Path) -> None:
    """Print the addresses and run until Ctrl-C."""
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    async with alongside(directory) as url:
        print(f"Prometheus  {url}/graph")  # noqa: T201
        print(f"alerts      {url}/alerts")  # noqa: T201
        print(f"targets     {url}/targets")  # noqa: T201
        print("dashboards  deploy/grafana/dashboards: import them into a Grafana with this Prometheus, or use Compose")  # noqa: T201
        print("Ctrl-C stops Prometheus; the stack stays up: chimera down")  # noqa: T201
        await over.wait()


if __name__ == "__main__":
    try:
        asyncio.run(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".chimera").resolve()))
    except Missing as missing:
        sys.exit(f"observe: {missing}")
