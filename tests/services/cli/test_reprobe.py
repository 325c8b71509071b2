"""`chimera probe`: what it would cost, and what it refuses."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from typer.testing import CliRunner

from services.aggregator.handler import Curate
from services.cli.__main__ import app
from services.cli.common.run_config import RunConfig
from services.cli.evidence.stored_items import Selection
from services.cli.probe.reprobe import Reprobe
from shared.kafka.dlq.dead_letter import is_addressed_to
from tests.support.items import checked, log, plan


def models(folder: Path, **more: str) -> str:
    names = {"writer": "w", "verifier_a": "a", "verifier_b": "b", "solver": "s", "judge": "j", **more}
    roles = {role: {"endpoint": "one", "model": name} for role, name in names.items()}
    path = folder / "models.yaml"
    endpoint = {"base_url": "http://127.0.0.1:9/v1", "simulated": True}
    path.write_text(yaml.safe_dump({"endpoints": {"one": endpoint}, "roles": roles}))
    return str(path)


async def test_a_copy_is_for_the_probe_alone(tmp_path: Path) -> None:
    sink = Curate(tmp_path / "dataset", "test", plan(4), lambda: datetime(2026, 1, 1, tzinfo=UTC), lambda _: None)
    await sink.open({"solution.checked": "one"})
    await sink.write(log(checked(0)))
    work = Reprobe(RunConfig(plan(4), tmp_path), Selection(), "one", Console(quiet=True), factory="test")
    await asyncio.to_thread(work.waiting, None)
    [outgoing] = await asyncio.to_thread(lambda: list(work._outgoing()))
    assert outgoing.message.name == "problem.accepted"
    assert is_addressed_to("probe", outgoing.message.headers)
    assert not is_addressed_to("another", outgoing.message.headers)


async def test_a_dry_run_counts_the_attempts_and_a_model_is_needed(tmp_path: Path) -> None:
    sink = Curate(tmp_path / "dataset", "test", plan(4), lambda: datetime(2026, 1, 1, tzinfo=UTC), lambda _: None)
    await sink.open({"solution.checked": "one"})
    await sink.write(log(*(checked(number) for number in range(3))))

    async def chimera(file: str, *arguments: str) -> tuple[int, str]:
        command = ["probe", "--dir", str(tmp_path), "--models", file, "--dry-run", "--json", *arguments]
        result = await asyncio.to_thread(CliRunner().invoke, app, command)
        return result.exit_code, " ".join((result.stderr if result.exit_code else result.stdout).split())

    base = models(tmp_path, base="newer")
    status, output = await chimera(base, "--attempts", "5", "--limit", "2", "--leave", "rl")
    assert status == 0, output
    found: dict[str, Any] = json.loads(output)
    assert found["items"] == 2
    assert [(need["role"], need["model"], need["calls"]) for need in found["needs"]] == [("base", "newer", 10)]
    assert (await chimera(base, "--leave", "all"))[0] == 2
    status, output = await chimera(models(tmp_path))
    assert (status, "the models have no role `base`" in output) == (1, True), output
