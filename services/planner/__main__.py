"""python -m services.planner."""

from functools import partial

from services.planner.handler import Planner
from services.planner.ids_from_log import FIELDS, read_ids
from services.planner.ledger_keeper import ledger_keeper
from services.planner.measured import MeasuredPlanner
from services.planner.settings import Settings
from shared.config.plan_loader import load_plan
from shared.config.topics_loader import load_topics
from shared.runtime import FromLog, Service, run


def build(settings: Settings) -> Service:
    plan = load_plan(settings.plan)
    planner = Planner(plan, settings.factory, load_topics(plan))
    return Service(
        machine=MeasuredPlanner(planner),
        from_log=FromLog(FIELDS, partial(read_ids, settings.kafka_access, settings.factory)),
        background=(ledger_keeper(settings, plan.budget),),
    )


if __name__ == "__main__":
    run(build, Settings)
