"""A run folder: one process at a time, each phase once, and the lineage of the run.

lock            held by the process that works in the folder
run.json        recipe, table version, and hashes of the ids and contents of the rows that the folder is for
PHASE.json      result of a finished phase, which is not run again
PHASE/          its checkpoints and files
failure.json    phase and reason of the last failure
manifest.json   release, recipe, seeds, library versions, phases: the same after any number of kills
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from pydantic import ValidationError

from schemas.identity import content_hash
from shared.dataset.storage import Location
from shared.errors import Refusal
from trainer.benchmarks import load_benchmark
from trainer.benchmarks.questions import read_questions
from trainer.data import Rows, describe, read_rows
from trainer.example import Example
from trainer.recipe import Recipe
from trainer.run.log import log_line

LIBRARIES = ("torch", "transformers", "trl", "accelerate", "datasets", "chimera-factory")

PhaseResult = dict[str, Any]
"""Result of a phase; JSON values."""


@dataclass(frozen=True)
class Run:
    """One training run: a recipe on a version of a dataset, in a folder."""

    folder: Path
    recipe: Recipe
    dataset: Location
    version: int | None
    """Version of the rows table; None: the current one."""
    models: Path | None = None
    """Models file whose `judge` grades answers that no rule can."""
    served: Path | None = None
    """File of the endpoints that serve stages (`trainer/models/served.py`); other stages are sampled in process."""

    @cached_property
    def examples(self) -> list[Example]:
        """Rows of the release. Raises Refusal when they are too few."""
        return self.rows_read.examples

    @cached_property
    def rows_read(self) -> Rows:
        """As `examples`, with what was left out while reading."""
        rows = read_rows(self.dataset, self.version, self.recipe.held_out)
        log_line(f"{self.dataset}: {len(rows.examples):,} rows; left out: {describe(rows.left_out)}")
        return rows

    @cached_property
    def benchmarks(self) -> dict[str, list[Example]]:
        """Questions of every benchmark of the recipe. Raises Refusal for an invalid file."""
        files = self.recipe.evaluate.benchmarks
        return {
            name: read_questions(name, load_benchmark(name), path, self.recipe.seed) for name, path in files.items()
        }

    def path(self, *parts: str) -> Path:
        return self.folder.joinpath(*parts)

    def result(self, phase: str) -> PhaseResult | None:
        """Return the result of a phase; None while it is not finished."""
        path = self.path(f"{phase}.json")
        return json.loads(path.read_text()) if path.exists() else None

    def require_result(self, phase: str) -> PhaseResult:
        """As `result`, but raises Refusal when the phase is not finished."""
        if (found := self.result(phase)) is None:
            raise Refusal(f"{self.folder} has no finished phase {phase}", f"Run it first: python -m trainer.{phase}")
        return found

    def run_once(self, phase: str, work: Callable[["Run"], PhaseResult]) -> PhaseResult:
        """Run a phase unless it is finished. Raises Refusal when the folder is for another recipe or other data."""
        self._claim()
        if (found := self.result(phase)) is None:
            log_line(f"{phase}: begins")
            found = work(self)
            state = distributed_state()
            state.wait_for_everyone()  # the model must be complete before the phase counts as finished
            if not state.is_main_process:
                return found
            write_json(self.path(f"{phase}.json"), found)
        log_line(f"{phase}: done. {json.dumps(found, ensure_ascii=False)[:600]}")
        self._write_manifest()
        return found

    def _claim(self) -> None:
        """Record what the folder is for, and validate benchmark files now instead of after hours of training."""
        self.benchmarks  # noqa: B018
        claim = {
            "recipe": json.loads(self.recipe.model_dump_json()),
            "table_version": self.version,
            "rows": content_hash("\n".join(example.id for example in self.examples)),
            "contents": content_hash("\n".join(f"{example.id} {example.row_hash}" for example in self.examples)),
        }
        path = self.path("run.json")
        if path.exists() and (different := self._differences(json.loads(path.read_text()), claim)):
            raise Refusal(
                f"{self.folder} holds a run with other {', '.join(different)}", "Use another folder with --run"
            )
        write_json(path, claim)

    def _differences(self, recorded: PhaseResult, claim: PhaseResult) -> list[str]:
        """Return the names of the parts that differ. Older versions recorded fewer keys of the recipe, no contents."""
        try:
            same_recipe = Recipe.model_validate(recorded["recipe"]) == self.recipe
        except ValidationError:
            same_recipe = False
        names = [name for name in claim if name != "recipe" and recorded.get(name, claim[name]) != claim[name]]
        return names if same_recipe else ["recipe", *names]

    def _write_manifest(self) -> None:
        done = [path.stem for path in sorted(self.folder.glob("*.json")) if path.stem in PHASES]
        libraries = {name: version(name) for name in LIBRARIES if _is_installed(name)}
        meant = json.loads(self.path("run.json").read_text())
        write_json(self.path("manifest.json"), {**meant, "libraries": libraries, "phases": done})


def read_history(run: Run, phase: str) -> list[dict[str, Any]]:
    """Return the logged values of a finished training, step by step."""
    history: list[dict[str, Any]] = json.loads(run.path(phase, "log.json").read_text())["log_history"]
    return history


PHASES = ("sft", "rl_set", "rl", "control", "evaluate", "card")


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Lock the folder; wait while another process holds the lock. The kernel releases it when a process dies."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log_line(f"waiting for the process that works in {folder}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write_json(path: Path, value: PhaseResult) -> None:
    """Write JSON atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    draft.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
    draft.replace(path)


def distributed_state() -> PartialState:
    """Return the state of the processes of `accelerate launch`; without it there is one process."""
    return PartialState(cpu=not torch.cuda.is_available())


def hardware() -> str:
    """Return the devices of this phase in words."""
    name = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    return f"{distributed_state().num_processes} × {name}"


def in_any_process(flag: bool) -> bool:
    """Return whether the flag is set in any process. All processes must call this."""
    state = distributed_state()
    if state.num_processes == 1:
        return flag
    flags = torch.tensor(float(flag), device=state.device)
    torch.distributed.all_reduce(flags)
    return bool(flags)


def _is_installed(name: str) -> bool:
    try:
        return bool(version(name))
    except ModuleNotFoundError:
        return False
