"""Panel: evidence in, requests for more or one decision out."""

from schemas.events import ProblemAccepted
from schemas.flow import BY_TYPE
from services.panel.criteria import LatestEstimate
from services.panel.estimates import estimates_keeper
from services.panel.handler import JoinVerdicts
from services.panel.second_round import NOTHING
from services.panel.settings import Settings
from shared.config.plan_loader import load_plan
from shared.runtime import Service, run
from shared.stats.item_belief import DEFAULTS
from shared.stats.view_thresholds import evidence_limits, view_thresholds


def build(settings: Settings) -> Service:
    plan = load_plan(settings.plan)
    verification = plan.verification
    tiers = {tier for tiers in verification.accept.values() for tier in tiers}
    thresholds, latest = view_thresholds(verification, DEFAULTS), LatestEstimate()
    join = JoinVerdicts(
        tiers,
        verification.policy,
        thresholds,
        verification.accept,
        reject_easy=verification.reject_easy,
        limits=evidence_limits(verification) if thresholds else NOTHING,
        latest=latest,
        to_probe=bool(plan.solving.probe_attempts) or BY_TYPE[ProblemAccepted.type].consumers != ("probe",),
    )
    follows = (estimates_keeper(settings, verification, latest),) if thresholds else ()
    return Service(join=join, background=follows)


if __name__ == "__main__":
    run(build, Settings)
