"""The event loop of a process that runs for long: uvloop, and a garbage collector that seldom runs."""

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any

import uvloop

GC_THRESHOLDS = 10_000, 20, 20
"""Python's own, 700, 10 and 10, take 5 % of a service's CPU time; its events leave little behind but short-lived
objects, which are freed without the collector."""


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run until `main` returns. What is imported by now is never collected."""
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)
