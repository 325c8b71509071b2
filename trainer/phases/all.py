"""Every phase that a run lacks, one after the other: `python -m trainer.all --help`. Goes on after a kill."""

import sys
from collections.abc import Callable, Mapping, Sequence

from trainer.phases import card, evaluate, rl, rl_set, sft, sft_control
from trainer.phases.command import parse_run, run_phase
from trainer.recipe import Recipe
from trainer.run.run_folder import Found, Run, locked

WORK: Mapping[str, Callable[[Run], Found]] = {
    "sft": sft.train,
    "rl_set": rl_set.select,
    "rl": rl.train,
    "control": sft_control.train,
    "evaluate": evaluate.evaluate,
    "card": card.write,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the phases of the recipe and exit."""
    through(parse_run("all", arguments))


def through(run: Run) -> None:
    """Do every phase that the run lacks; the first that fails ends the process."""
    with locked(run.folder):
        for phase in phases(run.recipe):
            if status := run_phase(run, phase, WORK[phase]):
                sys.exit(status)


def phases(recipe: Recipe) -> list[str]:
    """What a recipe has."""
    left_out = {"rl_set", "rl", "control"} if recipe.rl is None else set() if recipe.rl.control else {"control"}
    return [phase for phase in WORK if phase not in left_out]
