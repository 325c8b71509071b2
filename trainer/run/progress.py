"""How far the run is, in `progress.json` of its folder, and from there in the service's metrics.

The training is a process of its own: it writes, the service reads.
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
EVERY_S = 5.0
"""Between two looks."""
GAUGES = {
    "step": TRAINING_STEP,
    "steps": TRAINING_STEPS,
    "loss": TRAINING_LOSS,
    "reward": TRAINING_REWARD,
    "tokens": TRAINING_TOKENS,
}


def set_phase(folder: Path, phase: str, **values: float | None) -> None:
    """Write how far a phase is; whole or not at all."""
    draft = folder / f".{FILE}"
    draft.write_text(json.dumps({"phase": phase, **values}))
    draft.replace(folder / FILE)


async def read(folder: Path, over: asyncio.Event) -> None:
    """Show a run's progress until it is over, then nothing: an old loss would look like a new one."""
    try:
        while not over.is_set():
            show(folder)
            await asyncio.sleep(EVERY_S)
    finally:
        for gauge in GAUGES.values():
            gauge.clear()


def show(folder: Path) -> None:
    """Set the gauges to what the file says; what it does not say is not shown."""
    path = folder / FILE
    if not path.exists():
        return
    found: dict[str, Any] = json.loads(path.read_text())
    for name, gauge in GAUGES.items():
        gauge.clear()
        if (value := found.get(name)) is not None:
            gauge.labels(found["phase"]).set(value)


@contextmanager
def counted() -> Iterator[dict[str, str]]:
    """Count a run by the outcome that the block names; without one it was interrupted, or is a bug."""
    ended = {"outcome": "interrupted"}
    try:
        yield ended
    finally:
        TRAINING_RUNS.labels(ended["outcome"]).inc()
