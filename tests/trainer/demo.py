"""The whole trainer on a tiny world, from an empty folder to a model card: `make train-demo`."""

import asyncio
import sys
from pathlib import Path

from tests.trainer import clock
from trainer.models import weights
from trainer.models.sampling import InProcess
from trainer.phases import all as phases
from trainer.phases import card, evaluate
from trainer.recipe import load
from trainer.run.run_folder import Run, log_line

SHORT = {**clock.TAUGHT, "epochs": 3}
"""Too short a training on purpose: who is perfect learns nothing from practice."""
PRACTICE = {"learning_rate": 3e-5, "completions": 128, "per_device": 128, "epochs": 2, "control": True}
MEASURED = {"samples": 8, "ks": [1, 2, 4, 8], "max_tokens": 100, "batch": 512, "problems": 120}


def main(folder: Path) -> None:
    """A base model, a dataset, then every phase; whatever is there already is left alone."""
    config, data = folder / "recipe.yaml", folder / "data"
    if not config.exists():
        clock.grow(data, clock.long_ones())
        clock.recipe(
            folder, clock.base(folder / "base"), sft=SHORT, rl_set={"problems": 320}, rl=PRACTICE, evaluate=MEASURED
        )
    run = Run(folder / "run", load(config), data, None)
    phases.through(run)
    compared(run)
    log_line(f"card: {run.path('card', 'README.md')}")


def compared(run: Run) -> None:
    """The models beside each other, and how often every step of the thought was right."""
    found = run.needed("evaluate")
    whole = {score["model"]: score for score in found["scores"] if (score["kind"], score["k"]) == ("all", 1)}
    log_line(f"\n{'model':18}{'pass@1':>8}    95 % interval    every step right")
    for stage, model in evaluate.models(run).items():
        low, value, high = (100 * whole[stage][name] for name in ("low", "value", "high"))
        log_line(
            f"{card.NAMES[stage]:18}{value:6.1f} %  {low:5.1f} to {high:5.1f} %  {_every_step(run, model):14.1f} %"
        )
    log_line("\n".join(card.verdict(found)))


def _every_step(run: Run, model: str) -> float:
    examples = evaluate.chosen(run)
    sampler = InProcess(weights.on_device(model), weights.tokenizer(model), run.recipe, run.recipe.evaluate)

    async def steps() -> list[bool]:
        return [clock.every_step_right(example, said.text) async for example, (said,) in sampler.answers(examples, 1)]

    right = asyncio.run(steps())
    return 100 * sum(right) / len(right)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
