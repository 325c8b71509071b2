"""A run folder: one process at a time, each phase once, and what must be known later.

lock            held by the process that works here
PHASE.json      what a finished phase found; it is not run again
PHASE/          its checkpoints and files
failure.json    why the last try failed, and in which phase
manifest.json   release, recipe, seeds, library versions, phases: the same however often the run was killed
"""

import fcntl
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState

from schemas.identity import content_hash
from shared.dataset.storage import Location
from shared.errors import Refusal
from trainer.benchmarks import described
from trainer.benchmarks.questions import questions
from trainer.data import Example, read
from trainer.recipe import Recipe

LIBRARIES = ("torch", "transformers", "trl", "accelerate", "datasets", "chimera-factory")

Found = dict[str, Any]
"""What a phase found; JSON."""


@dataclass(frozen=True)
class Run:
    """One training run: a recipe on a version of a dataset, in a folder."""

    folder: Path
    recipe: Recipe
    dataset: Location
    version: int | None
    """Of the rows table; None: as it is now."""
    models: Path | None = None
    """Models file whose `judge` is asked where no rule can tell."""
    served: Path | None = None
    """Which stage is asked behind which endpoint; the others are asked in process (`trainer/models/served.py`)."""

    @cached_property
    def examples(self) -> list[Example]:
        """Rows of the release. Raises Refusal when they are too few."""
        return read(self.dataset, self.version, self.recipe.held_out)

    @cached_property
    def benchmarks(self) -> dict[str, list[Example]]:
        """Questions of every benchmark of the recipe. Raises Refusal when a file is not what it should be."""
        files = self.recipe.evaluate.benchmarks
        return {name: questions(name, described(name), path, self.recipe.seed) for name, path in files.items()}

    def path(self, *parts: str) -> Path:
        return self.folder.joinpath(*parts)

    def found(self, phase: str) -> Found | None:
        """What a phase found; None while it is not finished."""
        path = self.path(f"{phase}.json")
        return json.loads(path.read_text()) if path.exists() else None

    def needed(self, phase: str) -> Found:
        """As `found`. Raises Refusal when the phase has not been run."""
        if (found := self.found(phase)) is None:
            raise Refusal(f"{self.folder} has no finished phase {phase}", f"Run it first: python -m trainer.{phase}")
        return found

    def run_once(self, phase: str, work: Callable[["Run"], Found]) -> Found:
        """Do a phase, unless it is done. Raises Refusal when the folder belongs to another recipe or release."""
        self._claim()
        if (found := self.found(phase)) is None:
            log_line(f"{phase}: begins")
            found = work(self)
            many = processes()
            many.wait_for_everyone()  # the model is whole before the phase is called done
            if not many.is_main_process:
                return found
            write(self.path(f"{phase}.json"), found)
        log_line(f"{phase}: done. {json.dumps(found, ensure_ascii=False)[:600]}")
        self._manifest()
        return found

    def _claim(self) -> None:
        """Remember what the folder is for. What evaluation needs is looked at now, not after hours of training."""
        self.benchmarks  # noqa: B018
        meant = {
            "recipe": json.loads(self.recipe.model_dump_json()),
            "table_version": self.version,
            "rows": content_hash("\n".join(example.id for example in self.examples)),
        }
        path = self.path("run.json")
        if path.exists() and json.loads(path.read_text()) != meant:
            raise Refusal(f"{self.folder} holds a run of another recipe or dataset", "Use another folder with --run")
        write(path, meant)

    def _manifest(self) -> None:
        done = [path.stem for path in sorted(self.folder.glob("*.json")) if path.stem in PHASES]
        libraries = {name: version(name) for name in LIBRARIES if _installed(name)}
        meant = json.loads(self.path("run.json").read_text())
        write(self.path("manifest.json"), {**meant, "libraries": libraries, "phases": done})


PHASES = ("sft", "rl_set", "rl", "control", "evaluate", "card")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder; wait while another process does. The kernel lets go of it when a process dies, however."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log_line(f"waiting for the process that works in {folder}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write(path: Path, value: Found) -> None:
    """Write JSON, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    draft.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
    draft.replace(path)


def processes() -> PartialState:
    """The processes that `accelerate launch` has started for this run; one without it."""
    return PartialState(cpu=not torch.cuda.is_available())


def log_line(text: str) -> None:
    """Tell whoever watches; standard output is for results."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - a command line tool


def _installed(name: str) -> bool:
    try:
        return bool(version(name))
    except ModuleNotFoundError:
        return False
