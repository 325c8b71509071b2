"""Panel: two verdicts in, one decision out."""

from services.panel.handler import JoinVerdicts
from services.panel.settings import Settings
from shared.plan import load_plan
from shared.runtime import Service, run


def build(settings: Settings) -> Service:
    accept = load_plan(settings.plan).verification.accept
    return Service(join=JoinVerdicts(tiers={tier for tiers in accept.values() for tier in tiers}))


if __name__ == "__main__":
    run(build, Settings())
