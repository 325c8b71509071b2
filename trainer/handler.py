"""Trains on a release: `training.triggered` becomes a model with scores, or a failure with its reason.

A separate process, `python -m trainer.all`, does the work in a run folder derived from the event. When the event is
delivered again, after a kill or a rebalance, the run resumes in that folder, or waits while an orphan holds its lock.

One run trains at a time. Releases that are triggered meanwhile wait, and only the newest of a plan is trained next: it
has the rows of the others too. Each superseded release ends as failed, with that reason.
"""

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from schemas.events import EvaluationCompleted, Event, TrainingCompleted, TrainingFailed, TrainingTriggered
from schemas.events.evaluation import Score
from schemas.identity import derive
from shared.dataset.storage import Location
from shared.runtime.background_task import run_in_background
from shared.telemetry.metrics import TRAINING_RUNS
from trainer.run.exit_status import KILLED
from trainer.run.progress import count_run, publish_progress

ROLE = "trainer"
MAX_ATTEMPTS = 3
"""How often a run is started, when it is killed by a signal."""


@dataclass(frozen=True, slots=True)
class TrainRelease:
    """Runs all phases on a release."""

    recipe: Path
    dataset: Location
    runs: Path
    judge: Path | None = None
    _training: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _newest: dict[str, int] = field(default_factory=dict, init=False)
    """The newest release that was triggered, by plan."""

    async def __call__(self, event: TrainingTriggered) -> Iterable[Event]:
        self._newest[event.plan] = max(event.release, self._newest.get(event.plan, event.release))
        async with self._training:
            if (newest := self._newest[event.plan]) > event.release:
                return [self._supersede(event, newest)]
            return await self._train(event)

    def _supersede(self, event: TrainingTriggered, newest: int) -> TrainingFailed:
        TRAINING_RUNS.labels("superseded").inc()
        about: dict[str, Any] = {"plan": event.plan, "release": event.release, "run": derive(event.id, "run")}
        reason = f"superseded by release {newest}, which was triggered before this one could begin"
        return TrainingFailed.after(event, ROLE, **about, phase="none", reason=reason)

    async def _train(self, event: TrainingTriggered) -> Iterable[Event]:
        folder = self.runs / f"{event.plan}-{event.release}-{event.id.hex[:8]}"
        folder.mkdir(parents=True, exist_ok=True)
        about: dict[str, Any] = {"plan": event.plan, "release": event.release, "run": derive(event.id, "run")}
        async with run_in_background(partial(publish_progress, folder)):
            with count_run() as run:
                events = await self._train_and_report(event, folder, about)
                run["outcome"] = "failed" if isinstance(events[0], TrainingFailed) else "completed"
                return events

    async def _train_and_report(self, event: TrainingTriggered, folder: Path, about: dict[str, Any]) -> list[Event]:
        status = 0
        for _ in range(MAX_ATTEMPTS):
            if (status := await self._run_phases(folder, event.table_version)) == 0:
                return completed_events(event, folder, about)
            if status > 0 and status != KILLED:
                phase, reason = _read_failure(folder)
                return [TrainingFailed.after(event, ROLE, **about, phase=phase, reason=reason)]
        number = signal.SIGKILL if status == KILLED else -status
        reason = f"killed by signal {int(number)}, {MAX_ATTEMPTS} times; signal 9 usually means out of memory"
        return [TrainingFailed.after(event, ROLE, **about, phase="unknown", reason=reason)]

    async def _run_phases(self, folder: Path, version: int) -> int:
        """Return the exit status, negative for a signal. On cancellation stop the run at a checkpoint first."""
        options = {"--config": self.recipe, "--dataset": self.dataset, "--run": folder, "--version": version}
        if self.judge:
            options["--models"] = self.judge
        arguments = [str(part) for option in options.items() for part in option]
        with (folder / "log.txt").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "trainer.all", *arguments), stdout=log, stderr=log, start_new_session=True
            )
        try:
            return await process.wait()
        except asyncio.CancelledError:
            process.terminate()
            await _wait_for_exit(process)
            raise


async def _wait_for_exit(process: asyncio.subprocess.Process) -> None:
    """Wait until it has written its checkpoint, also when cancelled again: in a container it dies with this process."""
    while process.returncode is None:
        with contextlib.suppress(asyncio.CancelledError):
            await process.wait()


def _read_failure(folder: Path) -> tuple[str, str]:
    """Return phase and reason. A refusal before the first phase is in the log only."""
    try:
        failure = json.loads((folder / "failure.json").read_text())
    except FileNotFoundError:
        return "none", ((folder / "log.txt").read_text().strip().splitlines() or ["no reason was given"])[-1]
    return failure["phase"], failure["reason"]


def completed_events(event: TrainingTriggered, folder: Path, about: dict[str, Any]) -> list[Event]:
    """Return the events of a finished run, from the results in its folder."""
    phases = {name: folder / f"{name}.json" for name in ("sft", "rl")}
    last = [json.loads(path.read_text())["model"] for path in phases.values() if path.exists()][-1]
    evaluation = json.loads((folder / "evaluate.json").read_text())
    scores = tuple(
        Score(**{**_score_fields(score), "samples": evaluation["samples"]})
        for score in evaluation["scores"]
        if score["kind"] != "split"
    )
    return [
        TrainingCompleted.after(event, ROLE, **about, model=last),
        EvaluationCompleted.after(event, ROLE, **about, scores=scores),
    ]


def _score_fields(score: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in score.items() if name != "kind"}
