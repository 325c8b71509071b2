"""python -m services.planner."""

from services.planner.handler import Planner
from services.planner.settings import Settings
from shared.plan import load_plan
from shared.runtime import Service, run


def build(settings: Settings) -> Service:
    return Service(machine=Planner(load_plan(settings.plan), settings.factory))


if __name__ == "__main__":
    run(build, Settings())
