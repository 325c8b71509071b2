"""A release that is to be trained on becomes a model and its scores, or a reason why not.

The work is a process of its own, `python -m trainer.all`, in a run folder that belongs to the event: whoever gets the
event again, after a kill or a hand-over, goes on in that folder, or waits while an orphan still works there.
"""

import asyncio
import contextlib
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from schemas.events import EvaluationCompleted, Event, TrainingCompleted, TrainingFailed, TrainingTriggered
from schemas.events.evaluation import Score
from schemas.identity import derive
from shared.dataset.storage import Location
from shared.runtime.background_task import run_in_background
from trainer.run.progress import counted, read

ROLE = "trainer"
TRIES = 3
"""How often a run that was killed is taken up again."""


@dataclass(frozen=True, slots=True)
class TrainRelease:
    """Runs all phases on a release."""

    recipe: Path
    dataset: Location
    runs: Path
    judge: Path | None = None

    async def __call__(self, event: TrainingTriggered) -> Iterable[Event]:
        folder = self.runs / f"{event.plan}-{event.release}-{event.id.hex[:8]}"
        folder.mkdir(parents=True, exist_ok=True)
        about: dict[str, Any] = {"plan": event.plan, "release": event.release, "run": derive(event.id, "run")}
        async with run_in_background(partial(read, folder)):
            with counted() as ended:
                events = await self._ended(event, folder, about)
                ended["outcome"] = "failed" if isinstance(events[0], TrainingFailed) else "completed"
                return events

    async def _ended(self, event: TrainingTriggered, folder: Path, about: dict[str, Any]) -> list[Event]:
        status = 0
        for _ in range(TRIES):
            if (status := await self._trained(folder, event.table_version)) == 0:
                return _completed(event, folder, about)
            if status > 0:
                phase, reason = _failure(folder)
                return [TrainingFailed.after(event, ROLE, **about, phase=phase, reason=reason)]
        reason = f"killed by signal {-status}, {TRIES} times; signal 9 is what a machine short of memory sends"
        return [TrainingFailed.after(event, ROLE, **about, phase="unknown", reason=reason)]

    async def _trained(self, folder: Path, version: int) -> int:
        """Exit status of the run; negative when it was killed. Cancelled, it stops the run at a checkpoint."""
        places = {"--config": self.recipe, "--dataset": self.dataset, "--run": folder, "--version": version}
        if self.judge:
            places["--models"] = self.judge
        options = [str(part) for option in places.items() for part in option]
        with (folder / "log.txt").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "trainer.all", *options), stdout=log, stderr=log, start_new_session=True
            )
        try:
            return await process.wait()
        except asyncio.CancelledError:
            process.terminate()
            await _end_of(process)
            raise


async def _end_of(process: asyncio.subprocess.Process) -> None:
    """Wait for its checkpoint, however often we are cancelled: in a container it dies when we do."""
    while process.returncode is None:
        with contextlib.suppress(asyncio.CancelledError):
            await process.wait()


def _failure(folder: Path) -> tuple[str, str]:
    """Phase and reason; what was refused before any phase began stands in the log alone."""
    try:
        read = json.loads((folder / "failure.json").read_text())
    except FileNotFoundError:
        return "none", ((folder / "log.txt").read_text().strip().splitlines() or ["no reason was given"])[-1]
    return read["phase"], read["reason"]


def _completed(event: TrainingTriggered, folder: Path, about: dict[str, Any]) -> list[Event]:
    phases = {name: folder / f"{name}.json" for name in ("sft", "rl")}
    last = [json.loads(path.read_text())["model"] for path in phases.values() if path.exists()][-1]
    found = json.loads((folder / "evaluate.json").read_text())
    scores = tuple(
        Score(**{**_only(score), "samples": found["samples"]}) for score in found["scores"] if score["kind"] != "split"
    )
    return [
        TrainingCompleted.after(event, ROLE, **about, model=last),
        EvaluationCompleted.after(event, ROLE, **about, scores=scores),
    ]


def _only(score: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in score.items() if name != "kind"}
