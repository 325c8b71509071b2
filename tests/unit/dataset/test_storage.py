"""Any name of a folder: the same rows, releases and files everywhere, or a refusal before anything is written."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.aggregator.handler import Curate
from services.cli.common.atomic_folder import atomic_folder
from services.cli.common.dataset_location import dataset_in
from shared.dataset import Dataset, open_release
from shared.errors import Refusal
from tests.support.items import checked, log, plan

WRITTEN = ("sp ace", "100%", "ü 中 é", "a'b\"c;&$(x)", "{a}@b=c+d,e", "*")
REFUSED = ("ha#sh", "que?st", "50%20off", "[b]", "a|b", "back\\slash")


@pytest.mark.parametrize("name", WRITTEN + REFUSED)
async def test_a_folder_of_any_name_has_its_row_and_release_or_is_refused(tmp_path: Path, name: str) -> None:
    home = tmp_path / name
    if name in REFUSED:
        with pytest.raises(Refusal, match=re.escape(name)):
            dataset_in(home)
        assert not list(tmp_path.iterdir())  # noqa: ASYNC240
        return
    folder = dataset_in(home)
    sink = Curate(folder, "test", plan(1), lambda: datetime(2026, 1, 1, tzinfo=UTC), print)
    await sink.open({})
    await sink.write(log(checked(0), partitions=1))
    sink.outbox(None)
    assert len(Dataset.open(folder).rows) == 1
    release, manifest = open_release(folder, "latest")
    assert manifest is not None
    assert len(release.rows) == 1
    assert [path.name for path in tmp_path.iterdir()] == [name]  # noqa: ASYNC240


@pytest.mark.parametrize("out", [".", "file", "s3:/bucket/x", "full", "~no-such-user/x"])
def test_what_cannot_be_written_whole_is_refused(tmp_path: Path, out: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("full").mkdir()
    Path("full/x").touch()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(Refusal), atomic_folder(Path(out)):
        pass
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("out", ["~/new", "new", "ha#sh ?/new"])
def test_a_home_or_a_new_folder_is_written(tmp_path: Path, out: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with atomic_folder(Path(out)) as draft:
        (draft / "x").touch()
    assert [path.name for path in tmp_path.joinpath(out.removeprefix("~/")).iterdir()] == ["x"]
