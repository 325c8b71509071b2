"""Every phase that a run lacks, one after the other: `python -m trainer.all --help`. Goes on after a kill."""

import sys
from collections.abc import Callable, Mapping, Sequence

from trainer import card, evaluate, rl, rl_set, sft
from trainer.phase import attempted, parsed
from trainer.runs import Found, Run, locked

WORK: Mapping[str, Callable[[Run], Found]] = {
    "sft": sft.train,
    "rl_set": rl_set.select,
    "rl": rl.train,
    "evaluate": evaluate.evaluate,
    "card": card.write,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the phases of the recipe and exit; the first that fails ends it."""
    run = parsed("all", arguments)
    with locked(run.folder):
        for phase, work in WORK.items():
            if run.recipe.rl is None and phase in ("rl_set", "rl"):
                continue
            if status := attempted(run, phase, work):
                sys.exit(status)


if __name__ == "__main__":
    main()
