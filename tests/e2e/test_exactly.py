"""Five hundred rows of eight subjects, planner and aggregator killed ten times on the way: exactly these rows."""

import random
import signal
from functools import partial
from pathlib import Path
from typing import Any

from deploy.local.process import RestartPolicy
from deploy.local.supervisor import Stack
from schemas.config.plan import Plan
from schemas.config.policies import Audits, Releases
from services.cli.common import run_config
from services.cli.common.options import plan_file
from shared.config.connections import KafkaAccess
from shared.dataset import Dataset
from shared.dataset.storage import Location
from shared.kafka.admin.topics import provision
from tests.e2e.checks import check_everything
from tests.e2e.factory import Remains
from tests.e2e.services_as_processes import Line
from tests.support.kafka_world import KafkaWorld, until

ROWS, SEED, KILLS = 500, 13, 10
STEP = 10
"""Fewest rows between two kills, so that the killed service has worked."""
TRAIN = 100
PLAN = run_config.load(plan_file(None), ROWS).model_copy(
    update={
        "in_progress": 64,
        "variants": 1000,
        "audits": Audits(rate=0),
        "releases": Releases(every_rows=60, train_after_rows=TRAIN),
    }
)
KILLED = ("planner", "aggregator")
OFTEN = RestartPolicy(max_crashes=KILLS + 1, longest_delay_s=0.25)
SLOW, SLOWEST = (
    {"sim-solver": {"at_once": 1, "busy": "queue", "first_token_ms": milliseconds}} for milliseconds in (300, 1500)
)
"""The rows last until all kills have happened; the second half is kept for the last of them."""
FAST: dict[str, dict[str, Any]] = {"latency_ms": {}, "faults": SLOW}
FACTORY = "exactly"


async def test_a_run_has_exactly_its_rows_although_services_are_killed(
    tmp_path: Path,
) -> None:
    async with Stack(tmp_path / "stack", restart=OFTEN) as stack:
        await stack.start_infrastructure()
        await provision(KafkaAccess(stack.bootstrap), FACTORY)
        async with KafkaWorld(stack.bootstrap, stack.valkey_url, FACTORY, tmp_path) as world:
            async with Line(stack, world, PLAN, SEED, FAST, session_s=6, lease_s=4) as line:
                await kill_both_again_and_again(line, random.Random(SEED))
                await line.grown()
                assert line.restarted() == dict.fromkeys(KILLED, KILLS)
            found = await line.remains()
    check_everything(found, PLAN, SEED)
    check_the_yield(found)
    check_each_subject_has_its_share(found, PLAN)
    check_training_was_triggered_once_whenever_it_was_due(found)


async def kill_both_again_and_again(line: Line, dice: random.Random) -> None:
    """Kill -9 of both, in any order, after each `STEP` further rows."""
    rows = 0
    for times in range(KILLS):
        await until(partial(grown_by_both, line, rows + STEP, times), f"rows after {times} kills", every_s=0.3)
        rows = ROWS - await line.lacking()
        assert rows < ROWS, "it was done before all had happened"
        await line.inject(SLOW if rows < ROWS / 2 else SLOWEST)
        for service in dice.sample(KILLED, k=2):
            line.signal(service, signal.SIGKILL)
    await line.inject({})


async def grown_by_both(line: Line, rows: int, restarts: int) -> bool:
    return ROWS - await line.lacking() >= rows and await line.at_work(KILLED, restarts)


def check_the_yield(found: Remains) -> None:
    """About 60 % of the requests, so that the planner must estimate a yield."""
    requested = {event.id for event in found.events["problem.requested"]}
    assert 0.5 < len(found.rows) / len(requested) < 0.7
    assert sum(row["admission"] == "in" for row in found.rows) == ROWS


def check_each_subject_has_its_share(found: Remains, plan: Plan) -> None:
    for subject, share in plan.shares().items():
        rows = [row for row in found.rows if (row["subject"], row["admission"]) == (subject, "in")]
        assert abs(len(rows) - ROWS * share) < 1, subject


def check_training_was_triggered_once_whenever_it_was_due(found: Remains) -> None:
    """One id for each release, and a release at the first commit that reaches its number of rows."""
    triggers = {event.id: event for event in found.events["training.triggered"]}
    trained = 0
    for event in sorted(triggers.values(), key=lambda one: one.release):
        before, there = (admitted(found.dataset, event.table_version - back) for back in (1, 0))
        assert before - trained < TRAIN <= there - trained
        assert event.rows == there
        trained = there
    assert ROWS - trained < TRAIN
    assert len({event.release for event in triggers.values()}) == len(triggers)
    released = {event.release: event.table_version for event in found.events["dataset.released"]}
    assert {(event.release, event.table_version) for event in triggers.values()} <= released.items()


def admitted(dataset: Location, version: int) -> int:
    return Dataset.open(dataset, version).rows.counts("admission")[("in",)]
