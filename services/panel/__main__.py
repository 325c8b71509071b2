"""Panel: evidence in, requests for more or one decision out."""

from services.panel.handler import JoinVerdicts
from services.panel.second_round import NOTHING
from services.panel.settings import Settings
from shared.config.plan_loader import load_plan
from shared.runtime import Service, run
from shared.stats.item_belief import DEFAULTS
from shared.stats.view_thresholds import evidence_limits, view_thresholds


def build(settings: Settings) -> Service:
    verification = load_plan(settings.plan).verification
    tiers = {tier for tiers in verification.accept.values() for tier in tiers}
    thresholds = view_thresholds(verification, DEFAULTS)
    join = JoinVerdicts(
        tiers,
        verification.policy,
        thresholds,
        verification.accept,
        reject_easy=verification.reject_easy,
        limits=evidence_limits(verification) if thresholds else NOTHING,
    )
    return Service(join=join)


if __name__ == "__main__":
    run(build, Settings)
