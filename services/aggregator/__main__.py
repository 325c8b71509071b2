"""python -m services.aggregator"""

import sys
from datetime import timedelta

from schemas.events import AuditJudged, SolutionChecked
from services.aggregator.handler import Curate
from services.aggregator.settings import Settings
from shared.clock import utc_now
from shared.config.followed_file import FollowedFile
from shared.config.plan_loader import load_plan
from shared.runtime import Service, run
from shared.telemetry.metrics import AUDIT_CHECKS, AUDITS, SUPERSEDED, VERDICTS, bounded_label

SWITCH_S = 0.0005
"""Longest time in seconds for which work beside the intake keeps Python's lock, which a commit takes many times."""


def build(settings: Settings) -> Service:
    sys.setswitchinterval(SWITCH_S)
    plan, retention = FollowedFile(settings.plan, load_plan), timedelta(seconds=settings.retention_s)
    sink = Curate(
        settings.dataset, settings.factory, plan.value, utc_now, count, retention, count_superseded, plan.changed
    )
    return Service(sink=sink)


def count_superseded(event: SolutionChecked) -> None:
    """Count a second content of a row in the metrics."""
    SUPERSEDED.labels("aggregator", event.type).inc()


def count(event: AuditJudged) -> None:
    """Count an audit in the metrics."""
    kind, outcome = bounded_label("kind", event.mark.kind), "accepted" if event.accepted else "rejected"
    for verdict in VERDICTS:  # create both series, so that the first increment is visible
        AUDITS.labels(kind, verdict).inc(verdict == outcome)
    for check, finding in event.found.items():
        AUDIT_CHECKS.labels(
            bounded_label("check", check), "no" if event.mark.control else "yes", bounded_label("finding", finding)
        ).inc()


if __name__ == "__main__":
    run(build, Settings)
