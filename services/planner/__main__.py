"""python -m services.planner."""

from services.planner.handler import Planner
from services.planner.measured import Measured
from services.planner.settings import Settings
from services.planner.treasurer import treasurer
from shared.plan import load_plan
from shared.runtime import Service, run


def build(settings: Settings) -> Service:
    plan = load_plan(settings.plan)
    return Service(machine=Measured(Planner(plan, settings.factory)), beside=(treasurer(settings, plan.budget),))


if __name__ == "__main__":
    run(build, Settings())
