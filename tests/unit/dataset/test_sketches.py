"""Stored sketches count different problems as their texts do."""

from pathlib import Path

import pytest

from schemas.config.policies import Difficulty
from shared.dataset import Dataset, Row, Table, sketches
from shared.dataset.maintenance import purge
from shared.dataset.reports import statistics
from shared.dataset.reports.contamination import Contamination
from shared.dataset.sketches import add_sketches, load_sketches
from tests.bench.dataset.loader import identity, load

ROWS = 60


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sketches, "SEGMENT_ROWS", 20)
    monkeypatch.setattr(sketches, "MOST_ROWS", 25)


def test_figures_are_the_same_with_all_some_or_no_stored_sketches(tmp_path: Path) -> None:
    load(tmp_path, ROWS, words=10)

    def figures(stored: bool) -> object:
        known = load_sketches(tmp_path) if stored else None
        return statistics.count(Dataset.open(tmp_path), Contamination({}), Difficulty(), known)["coverage"]

    by_text = figures(stored=False)
    assert figures(stored=True) == by_text
    assert [add_sketches(tmp_path) for _ in range(3)] == [True, True, False]
    assert len(load_sketches(tmp_path)) == 50
    assert figures(stored=True) == by_text
    Table(tmp_path, Row, "test").delete([identity(0), identity(59)], {})
    assert figures(stored=True) == figures(stored=False) != by_text


def test_a_purge_leaves_no_sketch_of_what_it_deleted(tmp_path: Path) -> None:
    load(tmp_path, ROWS, words=10)
    assert add_sketches(tmp_path)
    Table(tmp_path, Row, "test").delete([identity(0)], {})
    purge(tmp_path)
    assert load_sketches(tmp_path) == {}
    assert add_sketches(tmp_path)
    assert identity(0) not in load_sketches(tmp_path)
