"""python -m services.aggregator"""

from services.aggregator.handler import Curate
from services.aggregator.settings import Settings
from shared.clock import utc_now
from shared.plan import load_plan
from shared.runtime import Service, run


def build(settings: Settings) -> Service:
    return Service(sink=Curate(settings.dataset, settings.factory, load_plan(settings.plan), now=utc_now))


if __name__ == "__main__":
    run(build, Settings())
