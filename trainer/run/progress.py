"""Progress of a run: `progress.json` in its folder, and the service's metrics made from it.

The training is a separate process: it writes the file, the service reads it.
"""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shared.telemetry.metrics import (
    TRAINING_LOSS,
    TRAINING_REWARD,
    TRAINING_RUNS,
    TRAINING_STEP,
    TRAINING_STEPS,
    TRAINING_TOKENS,
)

FILE = "progress.json"
POLL_INTERVAL_S = 5.0
"""Seconds between two reads of the file."""
GAUGES = {
    "step": TRAINING_STEP,
    "steps": TRAINING_STEPS,
    "loss": TRAINING_LOSS,
    "reward": TRAINING_REWARD,
    "tokens": TRAINING_TOKENS,
}


def set_phase(folder: Path, phase: str, **values: float | None) -> None:
    """Write the progress of a phase, atomically."""
    draft = folder / f".{FILE}"
    draft.write_text(json.dumps({"phase": phase, **values}))
    draft.replace(folder / FILE)


async def publish_progress(folder: Path, over: asyncio.Event) -> None:
    """Set the gauges until the run is over, then clear them: an old loss would look current."""
    try:
        while not over.is_set():
            publish_once(folder)
            await asyncio.sleep(POLL_INTERVAL_S)
    finally:
        for gauge in GAUGES.values():
            gauge.clear()


def publish_once(folder: Path) -> None:
    """Set the gauges to the values in the file; gauges without a value are cleared."""
    path = folder / FILE
    if not path.exists():
        return
    found: dict[str, Any] = json.loads(path.read_text())
    for name, gauge in GAUGES.items():
        gauge.clear()
        if (value := found.get(name)) is not None:
            gauge.labels(found["phase"]).set(value)


@contextmanager
def count_run() -> Iterator[dict[str, str]]:
    """Count a run by the outcome that the block sets; without one it is `interrupted`."""
    ended = {"outcome": "interrupted"}
    try:
        yield ended
    finally:
        TRAINING_RUNS.labels(ended["outcome"]).inc()
