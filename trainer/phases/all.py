"""Runs the phases that a run lacks, one after the other: `python -m trainer.all --help`. Resumes after a kill."""

import sys
from collections.abc import Callable, Mapping, Sequence

from trainer.phases import card, evaluate, rl, rl_set, sft, sft_control
from trainer.phases.command import parse_run, run_phase
from trainer.recipe import Recipe
from trainer.run.run_folder import PhaseResult, Run, lock_folder

PHASE_FUNCTIONS: Mapping[str, Callable[[Run], PhaseResult]] = {
    "sft": sft.train,
    "rl_set": rl_set.select,
    "rl": rl.train,
    "control": sft_control.train,
    "evaluate": evaluate.evaluate,
    "card": card.write,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the phases of the recipe and exit."""
    run_missing_phases(parse_run("all", arguments))


def run_missing_phases(run: Run) -> None:
    """Run every missing phase; the first that fails ends the process with its exit status."""
    with lock_folder(run.folder):
        for phase in list_phases(run.recipe):
            if status := run_phase(run, phase, PHASE_FUNCTIONS[phase]):
                sys.exit(status)


def list_phases(recipe: Recipe) -> list[str]:
    """Return the phases that a recipe has, in order."""
    skipped = {"rl_set", "rl", "control"} if recipe.rl is None else set() if recipe.rl.control else {"control"}
    return [phase for phase in PHASE_FUNCTIONS if phase not in skipped]
