"""`make train-demo`: the whole trainer on a tiny task, from an empty folder to a model card."""

import asyncio
import sys
from pathlib import Path

from tests.trainer import clock
from trainer.models import weights
from trainer.models.sampling import InProcessSampler
from trainer.phases import all as phases
from trainer.phases import card, evaluate
from trainer.recipe import load_recipe
from trainer.run.log import log_line
from trainer.run.run_folder import Run
from trainer.stages import STAGE_TITLES

SHORT = {**clock.TAUGHT, "epochs": 3}
"""Deliberately too short: RL cannot improve a perfect model."""
PRACTICE = {"learning_rate": 3e-5, "completions": 128, "per_device": 128, "epochs": 2, "control": True}
MEASURED = {"samples": 8, "ks": [1, 2, 4, 8], "max_tokens": 100, "batch": 512, "problems": 120}


def main(folder: Path) -> None:
    """Make base model and dataset if they are missing, then run every phase."""
    config, data = folder / "recipe.yaml", folder / "data"
    if not config.exists():
        clock.grow(data, clock.long_ones())
        clock.recipe(
            folder, clock.base(folder / "base"), sft=SHORT, rl_set={"problems": 320}, rl=PRACTICE, evaluate=MEASURED
        )
    run = Run(folder / "run", load_recipe(config), data, None)
    phases.run_missing_phases(run, ["--config", str(config), "--dataset", str(data), "--run", str(run.folder)])
    compared(run)
    log_line(f"card: {run.path('card', 'README.md')}")


def compared(run: Run) -> None:
    """Print the models side by side, with the fraction of traces in which every step is right."""
    found = run.require_result("evaluate")
    whole = {score["model"]: score for score in found["scores"] if (score["kind"], score["k"]) == ("all", 1)}
    log_line(f"\n{'model':18}{'pass@1':>8}    95 % interval    every step right")
    for stage, model in evaluate.list_models(run).items():
        low, value, high = (100 * whole[stage][name] for name in ("low", "value", "high"))
        every_step = _every_step(run, model)
        log_line(f"{STAGE_TITLES[stage]:18}{value:6.1f} %  {low:5.1f} to {high:5.1f} %  {every_step:14.1f} %")
    log_line("\n".join(card.describe_gains(found)))


def _every_step(run: Run, model: str) -> float:
    examples = evaluate.select_problems(run)
    sampler = InProcessSampler(
        weights.load_for_sampling(model), weights.load_tokenizer(model), run.recipe, run.recipe.evaluate
    )

    async def steps() -> list[bool]:
        return [
            clock.every_step_right(example, output.text) async for example, (output,) in sampler.sample(examples, 1)
        ]

    right = asyncio.run(steps())
    return 100 * sum(right) / len(right)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
