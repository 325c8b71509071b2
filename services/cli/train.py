"""`chimera train`: the trainer's phases, in the trainer's own environment.

The trainer's libraries and Faust need different versions of the same packages, so this process executes another Python.
"""

import os
import sys
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import typer

from shared.errors import Refusal

PHASES = {
    "all": "Run every phase that is not done yet, in order; resumable after a kill.",
    "sft": "Supervised fine-tuning on the chains of thought of a release.",
    "rl-set": "Choose the problems for reinforcement learning: those that the model solves sometimes.",
    "rl": "Reinforcement learning with CISPO.",
    "evaluate": "Evaluate base, SFT and SFT + RL on held-out rows: pass@k with intervals.",
    "compare": "Compare two datasets, tiers or policies at equal tokens: which trains the better model?",
    "card": "Write the model card: scores, plots, data, lineage.",
}

app = typer.Typer(no_args_is_help=True, help="Train on the dataset: chimera train all --help")


def train(context: typer.Context) -> None:
    """Replace this process by the phase; it parses its own options."""
    python = interpreter(Path(sys.prefix), sys.executable if find_spec("torch") else None)
    root = str(Path(str(files("services"))).parent)
    environment = {**os.environ, "PYTHONPATH": root}  # noqa: TID251 - passed on
    module = f"trainer.{str(context.info_name).replace('-', '_')}"
    sys.stdout.flush()
    os.execve(python, [python, "-m", module, *context.args], environment)  # noqa: S606 - ours, without a shell


for name, what in PHASES.items():
    options = {"ignore_unknown_options": True, "allow_extra_args": True}
    app.command(name, help=what, context_settings=options, add_help_option=False)(train)


def interpreter(environment: Path, own: str | None) -> str:
    """Return a Python that has torch: of `trainer` inside this environment, or `own`. Raises Refusal without one."""
    trainer = environment / "trainer" / "bin" / "python"
    if trainer.exists():
        return str(trainer)
    if own is None:
        raise Refusal(
            f"there is no torch in {environment}, and no environment in {trainer.parents[1]}",
            "In a checkout run `make .venv/.trainer` (5 GB); elsewhere install requirements/trainer.txt",
        )
    return own
