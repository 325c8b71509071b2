"""`python -m tests.trainer.studies.paper`: the forecast of the paper's recipe on eight H100s.

The dataset is not at hand: its 9,225 rows are drawn with the mean length that the paper states, of the shape that such
lengths have.
"""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.trainer.tiny import example
from trainer.phases.compare import Arm
from trainer.recipe import Recipe, load_recipe
from trainer.run.costs import Shape
from trainer.run.devices import DEVICES
from trainer.run.dry_run import render_table, summarise
from trainer.run.forecast import Forecast
from trainer.run.lengths import Lengths
from trainer.run.log import log_line

LINEAR = 36 * (2560 * (2 * 4096 + 2 * 1024) + 3 * 2560 * 9728)
FOUR_BILLION = Shape(4_022_468_096, LINEAR, 0, 36, 2560, 4096, 1024, 151_936)
"""Qwen3-4B: 36 layers, 2560 wide, 32 heads of 128 and 8 for keys."""
RECIPE = Path("trainer/configs/paper.yaml")
ROWS, PROMPT = 9225, 300
DEVICES_USED = 8


def recipe(**changes: dict[str, Any]) -> Recipe:
    """Return the paper's recipe with changed keys of its sections."""
    found = load_recipe(RECIPE)
    return found.model_copy(update={name: getattr(found, name).model_copy(update=of) for name, of in changes.items()})


def papers(**changes: dict[str, Any]) -> Forecast:
    """Forecast the recipe; completions have the paper's mean of about 17,000 tokens, lognormally distributed."""
    dice = random.Random(0)
    completions = [round(dice.lognormvariate(9.57, 0.55)) for _ in range(ROWS)]
    whole = [one + PROMPT for one in completions]
    fit = [one for one in whole if one <= 32_768]
    row = example(1, split="train")
    held_out = replace(row, split="topic")
    run = Arm(Path("none"), recipe(**changes), Path("none"), None, rows=(row,) * ROWS + (held_out,) * 900)
    lengths = Lengths(fit, len(whole) - len(fit), PROMPT, completions)
    return Forecast(run, FOUR_BILLION, lengths, DEVICES["h100"], DEVICES_USED)


if __name__ == "__main__":
    found = papers()
    costs = list(found.costs())
    log_line("\n".join(render_table(found, costs, f"{DEVICES_USED} × h100", summarise(costs, DEVICES_USED, 2.5))))
