"""A real model over HTTP, one in every role. The simulator's server plays it, with a key."""

import asyncio
import json
from pathlib import Path

from deltalake import DeltaTable
from pydantic import SecretStr

from services.simulator.api.server import serve
from services.simulator.settings import Settings
from tests.e2e.factory import chimera

KEY = "sk-never-written-down"


async def test_one_model_for_all_roles_is_reported_and_its_key_never_written(
    tmp_path: Path,
) -> None:
    directory = tmp_path / "stack"
    async with serve(Settings(port=0, api_key=SecretStr(KEY))) as url:
        options = ["--rows", "8", "--base-url", url, "--model", "sim-all", "--api-key-env", "THE_KEY"]
        with chimera(directory, *options, THE_KEY=KEY) as process:
            out, progress = await asyncio.to_thread(process.communicate, timeout=120)
    assert process.returncode == 0, progress
    assert "One model writes, verifies and solves" in progress
    rows = DeltaTable(directory / "dataset" / "rows").to_pyarrow_table().to_pylist()
    assert sum(row["admission"] == "in" for row in rows) == 8
    assert {row["independent"] for row in rows} == {False}
    assert {row["simulated"] for row in rows} == {False}
    assert json.loads(out)["outcome"] == "done"
    assert [path for path in directory.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()] == []
    assert KEY not in out + progress
