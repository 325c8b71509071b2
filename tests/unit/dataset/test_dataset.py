"""The dataset's tables and reader on their own."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.belief import Belief
from schemas.events import SolutionChecked
from shared.dataset import Conflict, Dataset, Entry, Release, Row, Table, build, build_manifest, write_manifest
from shared.dataset import table as table_module
from shared.dataset.schema import arrow_schema
from shared.errors import Refusal
from shared.stats.item_belief import row_belief
from tests.support.items import attempt, call, checked, item, record, rejected

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def rows(*numbers: int) -> list[Row]:
    return [build.to_row(record(checked(number), number), checked(number), NOW) for number in numbers]


def grown(folder: Path, *numbers: int) -> tuple[Table, Table]:
    table, ledger = Table(folder, Row, "test"), Table(folder, Entry, "test")
    table.append(rows(*numbers), {}, {})
    line = build.to_entry(record(rejected(9), 0), NOW)
    assert line
    ledger.append([line], {}, {})
    return table, ledger


def test_a_row_comes_back_as_it_was_written_and_leads_back_to_its_item(tmp_path: Path) -> None:
    grown(tmp_path, 0)
    (row,) = Dataset.open(tmp_path).rows
    assert [row] == rows(0)
    event = checked(0)
    assert build.to_item(row).with_(probe=event.item.probe) == event.item


def test_a_row_keeps_the_belief_with_which_it_was_made() -> None:
    made, requested = item(0)
    believed = made.with_(belief=Belief(key=0.97, unseen=0.03, parameters="of that time"))
    event = SolutionChecked.of(requested, "answer_checker", believed, final=True)
    row = build.to_row(record(event, 0), event, NOW)
    assert row_belief(asdict(row)) == 0.97
    assert build.to_item(row).belief == believed.belief
    assert row_belief(asdict(rows(0)[0])) != 0.97


def test_only_what_may_be_unknown_is_nullable() -> None:
    nullable = {field.name for field in arrow_schema(Row) if field.nullable}
    assert nullable == {"tokens", "cost", "tier_reason", "correct", "difficulty"}


def test_the_chosen_attempt_is_the_first_sound_one_that_lands_on_the_key() -> None:
    tries = attempt(0, "no"), attempt(1, "yes", ("truncated",)), attempt(2), attempt(3)
    assert build.choose_attempt(tries).index == 2
    assert build.choose_attempt(tries[:2]).index == 0


def test_one_unknown_price_makes_the_cost_unknown_but_not_the_tokens() -> None:
    event = checked(0)
    step = event.item.lineage[0].with_(calls=(call("writer"), call("writer", cost=None)))
    unpriced = event.with_(item=event.item.with_(lineage=(step,)))
    row = build.to_row(record(unpriced, 0), unpriced, NOW)
    assert (row.cost, row.tokens, row.difficulty) == (None, 200, 0.75)


def test_the_row_hash_does_not_depend_on_time_or_offset() -> None:
    event = checked(0)
    first = build.to_row(record(event, 0), event, NOW)
    again = build.to_row(record(event, 7, 3, "two"), event, datetime(2027, 1, 1, tzinfo=UTC))
    other = checked(0, tier="plausible")
    assert first.row_hash == again.row_hash != build.to_row(record(other, 0), other, NOW).row_hash


def test_an_item_is_found_by_the_beginning_of_its_id_in_either_table(tmp_path: Path) -> None:
    grown(tmp_path, *range(20))
    dataset = Dataset.open(tmp_path)
    wanted = str(checked(3).item.id)
    found = dataset.get(wanted[:13].upper())
    assert found.row
    assert (found.row.id, found.entries) == (wanted, ())
    found = dataset.get(str(rejected(9).item.id))
    assert found.row is not None
    assert [entry.reason for entry in found.entries] == ["malformed"]
    with pytest.raises(Refusal, match="ambiguous"):
        dataset.get("")
    with pytest.raises(Refusal, match="no item"):
        dataset.get("it's % not")


def test_an_older_version_stays_readable_and_a_missing_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="no dataset"):
        Dataset.open(tmp_path)
    table, _ = grown(tmp_path, 0, 1)
    table.append(rows(2), {}, {})
    assert (len(Dataset.open(tmp_path).rows), len(Dataset.open(tmp_path, 1).rows)) == (3, 2)
    assert Dataset.open(tmp_path, 0).rows.counts("tier") == {}
    with pytest.raises(Refusal, match="has no version 99"):
        Dataset.open(tmp_path, 99)


def test_every_kind_of_commit_through_a_stale_handle_is_refused(tmp_path: Path) -> None:
    stale, _ = grown(tmp_path, 0)
    Table(tmp_path, Row, "test").append(rows(1), {"other": 1}, {})
    ids = [str(checked(0).item.id)]
    with pytest.raises(Conflict):
        stale.append(rows(2), {"mine": 1}, {})
    with pytest.raises(Conflict):
        stale.set({"admission": "in"}, ids, {}, {})
    with pytest.raises(Conflict):
        stale.delete(ids, {})
    stale.reload()
    stale.set({"admission": "in"}, ids, {}, {})
    assert Dataset.open(tmp_path).rows.counts("admission") == {("in",): 1, ("aside",): 1}
    assert (stale.mark("other"), stale.mark("mine")) == (1, None)


def test_a_handle_that_is_opened_anew_stays_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take another writer's commit for its own otherwise, and add rows which that one deleted."""
    monkeypatch.setattr(table_module, "REOPEN_COMMITS", 1)
    stale, _ = grown(tmp_path, 0)
    stale.append(rows(1), {"mine": 1}, {})
    Table(tmp_path, Row, "test").append(rows(2), {"other": 1}, {})
    for _ in range(2):
        with pytest.raises(Conflict):
            stale.append(rows(3), {"mine": 2}, {})
    stale.reload()
    stale.append(rows(3), {"mine": 2}, {})
    assert (stale.mark("other"), stale.mark("mine"), len(Dataset.open(tmp_path).rows)) == (1, 2, 4)


def test_a_manifest_is_written_once_and_can_be_counted_again(tmp_path: Path) -> None:
    table, ledger = grown(tmp_path, 0, 1)
    release = Release(1, "test", "hash of the plan", 2, table.version, ledger.version)
    write_manifest(tmp_path, release)
    path = tmp_path / "releases" / "1.json"
    written = path.stat().st_mtime_ns
    table.append(rows(2), {}, {})
    assert json.loads(path.read_text()) == build_manifest(tmp_path, release)
    write_manifest(tmp_path, release)
    assert path.stat().st_mtime_ns == written
    assert list(path.parent.iterdir()) == [path]


def test_the_tables_log_does_not_repeat_the_text_of_the_rows(tmp_path: Path) -> None:
    """Delta's statistics would: a checkpoint of 200 commits with long chains of thought was 42 MB."""
    grown(tmp_path, 0)
    logged = b"".join(path.read_bytes() for path in (tmp_path / "rows" / "_delta_log").iterdir())
    assert b"so it goes" not in logged
