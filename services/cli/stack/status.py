"""`chimera status`: prints the state of a stack as a table, or as JSON.

The supervisor reports it, because its process has imported what that needs; without one, this process does.
"""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

from rich.console import Console

from deploy.local import control_socket
from shared.errors import Refusal

NOTHING_RUNS = 3
"""Exit status, so that a script can tell a stack that is down from a command that failed."""
TIMEOUT_S = 20.0
"""For a supervisor that does not answer."""


def status(directory: Path, *, as_json: bool) -> int:
    """Print the state; return the exit status."""
    console = Console()
    state = asyncio.run(_report(directory, {"width": console.width, "colors": console.color_system}))
    print(json.dumps(state["document"]) if as_json else state["text"], end="\n" if as_json else "")  # noqa: T201
    return 0 if state["document"]["supervisor"] else NOTHING_RUNS


async def _report(directory: Path, terminal: dict[str, Any]) -> Any:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await control_socket.request(directory, {"status": terminal})
    except (Refusal, TimeoutError):
        from services.cli.stack.status_report import report  # imports nearly everything

        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # the table shows that Kafka is unavailable
        return await report(directory, **terminal)
