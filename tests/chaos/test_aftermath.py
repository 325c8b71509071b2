"""What holds after an eventful run (conftest.py): restarts, scaling, frozen processes, redelivery, a second factory."""

import json
from pathlib import Path

from tests.chaos.conftest import PLAN, SEED, Aftermath
from tests.e2e.checks import check_everything, repeated, repeated_calls


def test_a_rolling_restart_under_load_loses_nothing_and_repeats_no_call(aftermath: Aftermath) -> None:
    check_everything(aftermath.restarted, PLAN, SEED)
    assert repeated_calls(aftermath.restarted) == 0


def test_scaling_and_freezing_repeat_only_the_calls_in_flight(
    aftermath: Aftermath,
) -> None:
    check_everything(aftermath.scaled, PLAN, SEED)
    assert repeated_calls(aftermath.scaled) <= PLAN.in_progress
    again = {call["model"] for call in aftermath.scaled.calls if call["request"] in repeated(aftermath.scaled)}
    assert again <= {"sim-verifier-b"}


def test_every_record_delivered_twice_costs_no_call_and_changes_no_row(aftermath: Aftermath) -> None:
    assert len(aftermath.restarted.calls) == aftermath.calls_before_redelivery
    assert aftermath.restarted.rows == aftermath.rows_before_redelivery


def test_two_factories_on_one_broker_and_cache_share_no_data(
    aftermath: Aftermath,
) -> None:
    one, other = aftermath.restarted, aftermath.scaled
    assert not {event.id for event in one.every} & {event.id for event in other.every}
    for found in (one, other):
        sources = {
            dict(record.headers)["ce_source"].split(b"/")[1].decode()
            for records in found.records.values()
            for record in records
        }
        assert sources == {found.factory}
        assert watermarks(Path(found.dataset)) == {found.factory}


def watermarks(dataset: Path) -> set[str]:
    """Factories that the commits of the tables name as their writers."""
    lines = [line for log in dataset.glob("*/_delta_log/*.json") for line in log.read_text().splitlines()]
    return {json.loads(line)["txn"]["appId"].split("/")[0] for line in lines if line.startswith('{"txn"')}
