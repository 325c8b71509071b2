"""python -m services.planner."""

from functools import partial
from pathlib import Path

from services.planner.handler import Planner
from services.planner.ids_from_log import FIELDS, read_ids
from services.planner.ledger_keeper import ledger_keeper
from services.planner.measured import MeasuredPlanner
from services.planner.settings import Settings
from shared.config.followed_file import FollowedFile
from shared.config.plan_loader import load_plan
from shared.config.topics_loader import load_topics
from shared.runtime import FromLog, Service, run


def build(settings: Settings) -> Service:
    file = FollowedFile(settings.plan, partial(load_planner, settings.factory))
    machine = MeasuredPlanner(file.value, file.changed)
    budget = FollowedFile(settings.plan, lambda path: load_plan(path).budget)
    return Service(
        machine=machine,
        changed=machine.follow,
        from_log=FromLog(FIELDS, partial(read_ids, settings.kafka_access, settings.factory)),
        background=(ledger_keeper(settings, budget.value, budget.changed),),
    )


def load_planner(factory: str, path: Path) -> Planner:
    """Return the planner of a plan. Raises Refusal when the plan or its topics cannot be read."""
    plan = load_plan(path)
    return Planner(plan, factory, load_topics(plan))


if __name__ == "__main__":
    run(build, Settings)
