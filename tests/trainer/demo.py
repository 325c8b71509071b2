"""The whole trainer on a tiny world, from an empty folder to a model card: `make train-demo`."""

import sys
from pathlib import Path

from tests.trainer import clock
from trainer import all as phases
from trainer.runs import say


def main(folder: Path) -> None:
    """A base model, a dataset, then every phase; whatever is there already is left alone."""
    config, data = folder / "recipe.yaml", folder / "data"
    if not config.exists():
        clock.grow(data, clock.harder())
        clock.recipe(folder, clock.base(folder / "base"))
    run = folder / "run"
    phases.main(["--config", str(config), "--dataset", str(data), "--run", str(run)])
    say(f"card        {run / 'card' / 'README.md'}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
