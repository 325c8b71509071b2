"""chimera dataset rejects, versions, diff: what went, and what changed."""

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from services.aggregator.handler import Curate
from tests.services.cli.test_dataset import message as output
from tests.support.items import checked, deleted, plan, record, rejected

_SECONDS = count()


def clock() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=next(_SECONDS))


@pytest.fixture
async def home(tmp_path: Path) -> Path:
    """Two releases of two rows each; a deletion and three rejections since."""
    sink = Curate(tmp_path / "dataset", "test", plan(4, every=2), clock, print)
    await sink.open({})
    for number in range(4):
        await sink.write([record(checked(number), number)])
    sink.outbox(None)
    await sink.write([record(deleted(checked(0)), 0)])
    for number, reason in enumerate(("repeat", "key_disputed", "key_disputed"), 5):
        await sink.write([record(rejected(number, reason), number)])
    return tmp_path


def test_rejects_are_counted_by_reason_and_show_the_key_and_its_rivals(home: Path) -> None:
    found = json.loads(output(home, "rejects", "--json"))
    assert found["by_reason"] == {"key_disputed": 2, "repeat": 1}
    assert [one["id"] for one in found["rejects"]] == [str(rejected(number).item.id) for number in (7, 6, 5)]
    (one,) = json.loads(output(home, "rejects", "--reason", "key_disputed", "--limit", "1", "--json"))["rejects"]
    assert (one["key"], one["hits"], one["rivals"]) == ("42", 2, {"41": 2})
    text = output(home, "rejects", "--reason", "key_disputed", "--limit", "1")
    for expected in ("What is 7?", "key    42  (found blind ×2)", "blind  41  ×2", "1 more"):
        assert expected in text
    assert json.loads(output(home, "rejects", "--subject", "history", "--json")) == {"by_reason": {}, "rejects": []}


def test_versions_are_the_releases(home: Path) -> None:
    releases = json.loads(output(home, "versions", "--json"))["releases"]
    assert [(one["number"], one["rows"], one["plan"]) for one in releases] == [(1, 2, "test"), (2, 4, "test")]
    assert releases[0]["until"] < releases[1]["until"]
    assert releases[1]["sha256"][:12] in output(home, "versions")


def test_diff_tells_what_came_and_what_went(home: Path) -> None:
    grown = json.loads(output(home, "diff", "1", "latest", "--json"))
    assert grown["ids"]["in"] == sorted(str(checked(number).item.id) for number in (2, 3))
    shrunk = json.loads(output(home, "diff", "2", "now", "--json"))
    assert (shrunk["in"], shrunk["out"], shrunk["changed"]) == (0, 1, 0)
    assert shrunk["ids"]["out"] == [str(checked(0).item.id)]
    assert shrunk["by_subject"]["out"] == {"mathematics": 1}
    assert "subject mathematics" in output(home, "diff", "1", "2")


async def test_a_row_that_was_admitted_later_has_changed(home: Path) -> None:
    folder = home / "dataset"
    sink = Curate(folder, "test", plan(4), clock, print)
    await sink.open({})
    await sink.write([record(checked(number), number) for number in (8, 9)])
    sink.outbox(None)
    raised = Curate(folder, "test", plan(5), clock, print)
    await raised.open({})
    raised.outbox(None)
    reported = json.loads(output(home, "diff", "3", "4", "--json"))
    assert (reported["in"], reported["out"], reported["changed"]) == (0, 0, 1)
    assert reported["ids"]["changed"] == [str(checked(9).item.id)]


def test_a_version_that_is_not_there_is_refused_with_those_that_are(home: Path) -> None:
    assert "there are: 1, 2" in output(home, "diff", "1", "7", status=1)
