"""Runs the phases that a run lacks, one after the other: `python -m trainer.all --help`. Resumes after a kill.

SFT and RL run in as many processes as the recipe wants, which this one starts.
"""

import sys
from collections.abc import Callable, Mapping, Sequence

from trainer.phases import card, evaluate, rl, rl_set, sft, sft_control
from trainer.phases.command import parse_run, start_phase
from trainer.recipe import Recipe
from trainer.run.log import log_line
from trainer.run.run_folder import PhaseResult, Run, distributed_state

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
    given = sys.argv[1:] if arguments is None else list(arguments)
    run = parse_run("all", given)
    if distributed_state().num_processes > 1:
        log_line("all: starts the processes of each phase itself. Start it with python -m trainer.all")
        sys.exit(1)
    run_missing_phases(run, given)


def run_missing_phases(run: Run, arguments: Sequence[str]) -> None:
    """Run every missing phase; the first that fails ends the process with its exit status.

    The arguments are those of this run's command line, for phases in several processes.
    """
    for phase in list_phases(run.recipe):
        if status := start_phase(run, phase, PHASE_FUNCTIONS[phase], arguments):
            sys.exit(status)


def list_phases(recipe: Recipe) -> list[str]:
    """Return the phases that a recipe has, in order."""
    skipped = {"rl_set", "rl", "control"} if recipe.rl is None else set() if recipe.rl.control else {"control"}
    return [phase for phase in PHASE_FUNCTIONS if phase not in skipped]
