"""The event loop of a process that runs for long: uvloop, and a garbage collector that seldom runs."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import uvloop

from shared.garbage_collector import collect_seldom, keep_imported


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run until `main` returns. What is imported by now is never collected."""
    keep_imported()
    collect_seldom()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)
