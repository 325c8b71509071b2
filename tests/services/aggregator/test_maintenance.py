"""The aggregator keeps its tables small; nobody who reads them notices."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable

from schemas.events import DatasetReleased, SampleCurated
from services.aggregator import maintenance
from services.aggregator.handler import Curate
from shared.dataset import Dataset, Vanished, list_manifests, open_release, table
from shared.dataset import maintenance as dataset_maintenance
from shared.dataset.maintenance import purge
from shared.errors import Refusal
from tests.support.items import checked, deleted, plan, record, rejected

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "COMPACT_EVERY_COMMITS", 4)
    monkeypatch.setattr(maintenance, "VACUUM_INTERVAL", timedelta(0))


async def grown(folder: Path, rows: int, retention: timedelta = timedelta(hours=1)) -> Curate:
    sink, cursor = Curate(folder, "test", plan(rows, every=5), lambda: NOW, print, retention), None
    await sink.open({})
    for number in range(rows):
        await sink.write([record(checked(number), number), record(rejected(number + 1000), number)])
        _, cursor = sink.outbox(cursor)
        await sink.finish()
    return sink


async def test_small_files_are_joined_and_every_row_is_still_there_once(tmp_path: Path) -> None:
    sink = await grown(tmp_path, 20)
    dataset = Dataset.open(tmp_path)
    assert len(dataset.rows.delta.file_uris()) <= 5
    assert len(dataset.ledger.delta.file_uris()) <= 5
    assert sorted(row.problem for row in dataset.rows) == sorted(f"What is {number}?" for number in range(20))
    again = Curate(tmp_path, "test", plan(20, every=5), lambda: NOW, print)
    await again.open({})
    assert again.outbox(None) == sink.outbox(None)


async def test_a_reader_in_a_loop_never_sees_a_broken_table(tmp_path: Path) -> None:
    """It opens the table again and again while rows come and go, files are joined and old ones go.

    Another one has had it open since the beginning, and reads again and again what was there then.
    """
    first = await grown(tmp_path, 8)
    done, seen, then = asyncio.Event(), list[int](), Dataset.open(tmp_path)

    async def read() -> None:
        while not done.is_set():
            rows = await asyncio.to_thread(lambda: [row.problem for row in Dataset.open(tmp_path).rows])
            assert len(rows) == len(set(rows))
            seen.append(len(rows))
            assert len(await asyncio.to_thread(lambda: [row.problem for row in then.rows])) == 8

    reading = asyncio.create_task(read())
    for number in range(8, 40):
        await first.write([record(checked(number), number)])
        if number % 8 == 0:
            await first.write([record(deleted(checked(number - 8)), number)])
    done.set()
    await reading
    assert len(Dataset.open(tmp_path).rows) == 36
    assert len(set(seen)) > 3


async def test_versions_of_releases_outlive_the_vacuum_and_others_do_not(tmp_path: Path) -> None:
    """As if the retention time had passed."""
    sink = await grown(tmp_path, 12, timedelta(0))
    for number in range(20, 25):
        await sink.write([record(rejected(number), number)])
        await sink.finish()
    for number in (1, 2):
        dataset, manifest = open_release(tmp_path, str(number))
        assert manifest
        assert len([*dataset.rows]) == manifest["rows"]
    with pytest.raises(Exception, match=r"(?i)no such file|not found"):
        list(Dataset.open(tmp_path, 3).rows)

    with pytest.raises(Vanished, match="version 3 of rows is gone"):
        list(Dataset.open(tmp_path, 3).rows)


async def test_small_files_are_joined_before_a_release_keeps_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "COMPACT_EVERY_COMMITS", 64)
    sink, cursor = Curate(tmp_path, "test", plan(40, every=20), lambda: NOW, print), None
    await sink.open({})
    for number in range(40):
        await sink.write([record(checked(number), number)])
        _, cursor = sink.outbox(cursor)
        await sink.finish()
    for release, rows in (("1", 20), ("2", 40)):
        dataset, _ = open_release(tmp_path, release)
        assert len({row.id for row in dataset.rows}) == rows
        assert len(dataset.rows.delta.file_uris()) < 20


async def test_a_late_event_is_built_from_the_rows_as_they_were(tmp_path: Path) -> None:
    """Between the commit and its publication rows are deleted and admitted, files joined, and old ones cleaned up."""
    sink = Curate(tmp_path, "test", plan(3), lambda: NOW, print, timedelta(0))
    await sink.open({})
    _, mark = sink.outbox(None)
    await sink.write([record(checked(number), number) for number in range(5)])
    decided, _ = sink.outbox(mark)
    assert len(decided) == 7
    for number in range(3):
        await sink.write([record(deleted(checked(number)), number)])
        await sink.write([record(checked(10 + number), 10 + number)])
        await sink.finish()
    assert len(Dataset.open(tmp_path).rows.delta.file_uris()) <= 4
    again = Curate(tmp_path, "test", plan(3), lambda: NOW, print)
    await again.open({})
    late = again.outbox(mark)[0]
    assert late[:7] == decided
    assert late == sink.outbox(mark)[0]


async def test_the_log_stays_short_and_a_lost_cursor_repeats_every_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(table.SETTINGS, "delta.checkpointInterval", "10")
    sink = await grown(tmp_path, 60, timedelta(0))
    entries = [path.name for path in (tmp_path / "rows" / "_delta_log").glob("*.json")]
    releases = list_manifests(tmp_path)
    assert len(entries) <= 25 + len(releases)
    for release in releases:
        assert len(open_release(tmp_path, str(release["number"]))[0].rows) == release["rows"]
    again = Curate(tmp_path, "test", plan(60, every=5), lambda: NOW, print)
    await again.open({})
    repeated = again.outbox(None)[0]
    assert {event.key for event in repeated if isinstance(event, SampleCurated)} == {
        row.id for row in Dataset.open(tmp_path).rows
    }
    assert {event.release for event in repeated if isinstance(event, DatasetReleased)} == set(range(1, 13))
    await again.write([record(checked(60), 60)])
    assert len(Dataset.open(tmp_path).rows) == 61
    assert sink.outbox(None)[1] != again.outbox(None)[1]


async def test_the_log_is_short_however_long_old_files_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(table.SETTINGS, "delta.checkpointInterval", "10")
    monkeypatch.setattr(dataset_maintenance, "LOG_ENTRIES", 10)
    await grown(tmp_path, 40, timedelta(days=7))
    entries = {path.name for path in (tmp_path / "rows" / "_delta_log").iterdir()}
    assert len(entries) <= 40
    assert len(Dataset.open(tmp_path).rows) == 40
    assert {len(open_release(tmp_path, str(number))[0].rows) for number in range(1, 9)} == {*range(5, 41, 5)}
    with pytest.raises(Refusal, match="has no version 2"):
        Dataset.open(tmp_path, 2)


async def test_a_purge_next_to_a_writer_leaves_what_it_is_about_to_commit(tmp_path: Path) -> None:
    sink = await grown(tmp_path, 6)
    await sink.write([record(deleted(checked(2)), 0)])
    await sink.finish()
    coming = tmp_path / "rows" / "part-of-a-commit-under-way.parquet"
    coming.write_bytes(b"written, not committed")
    before = DeltaTable(tmp_path / "rows").version()
    assert purge(tmp_path) > 0
    assert coming.exists()
    assert DeltaTable(tmp_path / "rows").version() == before, "a commit that another writer would run into"
    with pytest.raises(Refusal, match="release 1 was purged"):
        open_release(tmp_path, "1")
    files = {Path(uri).name for uri in DeltaTable(tmp_path / "rows").file_uris()}
    assert {path.name for path in (tmp_path / "rows").glob("*.parquet")} == {*files, coming.name}
    await sink.write([record(checked(7), 7)])
    assert len([*Dataset.open(tmp_path).rows]) == 6
