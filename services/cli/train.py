"""`chimera train`: the trainer's phases, and the trainer as a service of the local stack, in their own environment.

The trainer's libraries and Faust need different versions of the same packages, so this process executes another Python.
"""

import os
import sys
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from services.cli.common import options as opt
from services.cli.common.help_group import HelpGroup
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

app = typer.Typer(cls=HelpGroup, no_args_is_help=True, help="Train on the dataset: chimera train all --help")


def train(context: typer.Context) -> None:
    """Replace this process by the phase; it parses its own options."""
    name = str(context.info_name).replace("-", "_")
    # the options of a phase import no torch, those of `compare` do
    is_light = "--help" in context.args and name != "compare"
    _execute(f"trainer.{name}", *context.args, own=sys.executable if is_light else None)


@app.command()
def service(
    recipe: Annotated[Path, typer.Option("--config", help="The recipe, such as trainer/configs/paper.yaml.")],
    directory: opt.Directory = opt.HERE,
) -> None:
    """Train on every release of the factory that runs in the folder, until Ctrl-C; run folders are in its `runs`."""
    _execute("trainer", **service_settings(directory.resolve(), recipe.resolve()))


def service_settings(directory: Path, recipe: Path) -> dict[str, str]:
    """Return the settings of a trainer for the stack in a folder. Raises Refusal when none runs there."""
    from deploy.local.state_file import StateFile
    from services.cli.common import models_config
    from services.cli.common.dataset_location import dataset_in
    from services.cli.common.names import FACTORY

    state = StateFile.read(directory)
    if not state.up or state.bootstrap is None or state.valkey_url is None:
        raise Refusal(f"no factory runs in {directory}", "Start one with `chimera up`, or name its folder with --dir")
    previous = models_config.load_previous(directory)
    settings = {
        "FACTORY": FACTORY,
        "KAFKA": state.bootstrap,
        "VALKEY": state.valkey_url,
        "DATASET": str(dataset_in(directory)),
        "RECIPE": str(recipe),
        "RUNS": str(directory / "runs"),
        "HEALTH_PORT": "0",
        **({"JUDGE": str(directory / "models.json")} if previous and previous.roles.judge else {}),
    }
    return {f"CHIMERA_{name}": value for name, value in settings.items()}


def _execute(module: str, *arguments: str, own: str | None = None, **settings: str) -> None:
    """Replace this process by a module of the trainer. `own` is a Python that can run it without torch."""
    python = interpreter(Path(sys.prefix), sys.executable if find_spec("torch") else own)
    root = str(Path(str(files("services"))).parent)
    environment = {**os.environ, "PYTHONPATH": root, **settings}  # noqa: TID251 - passed on
    sys.stdout.flush()
    os.execve(python, [python, "-m", module, *arguments], environment)  # noqa: S606 - ours, without a shell


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
