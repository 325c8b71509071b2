"""The trainer as a service. Needs requirements/trainer.txt: torch, transformers, trl."""

from shared.runtime import Service, run
from trainer.handler import TrainRelease
from trainer.settings import Settings


def build(settings: Settings) -> Service:
    return Service(handle=TrainRelease(settings.recipe, settings.dataset, settings.runs, settings.judge))


if __name__ == "__main__":
    run(build, Settings)
