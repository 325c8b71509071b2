"""`chimera resolve`: what becomes of rejected problems that other verifiers believe, and what it refuses."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console
from typer.testing import CliRunner

from schemas.events import Event, ProblemReverified, SampleCurated, SolutionChecked, SolutionRequested
from schemas.identity import derive
from schemas.run_tag import RunTag
from services.aggregator.handler import Curate
from services.cli.__main__ import app
from services.cli.common.run_config import RunConfig
from services.cli.evidence.run_lock import hold_lock
from services.cli.evidence.stored_items import Selection
from services.cli.resolve.resolve import Resolve
from shared.dataset import Dataset
from shared.kafka.codec import decode, tag_of
from tests.support.items import attempt, call, checked, item, log, plan, rejected

WANTED = plan(4)
TOPICS = ("solution.checked", "problem.rejected", "sample.deleted", "audit.judged", "problem.reverified")


def reverified(number: int, accepted: bool) -> ProblemReverified:
    made, requested = item(number, tier="verified" if accepted else "disputed", attempts=())
    run = RunTag(run="one", problem=made.id, believed=False)
    copy = made.with_(id=derive(made.id, "reverify/one"), attempts=())
    end: dict[str, Any] = {"accepted": accepted, "reason": "verified", "detail": "new verifiers hit it"}
    return ProblemReverified.of(requested, "panel", copy, run=run, **end)


@pytest.fixture
async def made(tmp_path: Path) -> tuple[Path, Curate]:
    """Two rows, and three rejected problems, of which a reverify believes one and another doubts one."""
    sink = Curate(tmp_path / "dataset", "test", WANTED, lambda: datetime(2026, 1, 1, tzinfo=UTC), lambda _: None)
    await sink.open(dict.fromkeys((*TOPICS, "problem.resolved"), "one"))
    ends: list[Event] = [checked(0), checked(1), rejected(8), rejected(9), rejected(7)]
    await sink.write(log(*ends))
    await sink.write(log(reverified(7, accepted=True), reverified(8, accepted=False)))
    return tmp_path, sink


async def test_a_reject_that_is_believed_now_becomes_a_row_of_its_own(made: tuple[Path, Curate]) -> None:
    home, sink = made
    selection = Selection(rejects=True)
    work = Resolve(RunConfig(WANTED, home), selection, "one", Console(quiet=True), factory="test")
    [waiting] = await asyncio.to_thread(work.waiting, None)
    [outgoing] = await asyncio.to_thread(lambda: list(work._outgoing()))
    message = outgoing.message
    event = decode(message.name, message.key, message.value, message.headers)
    assert isinstance(event, SolutionRequested)
    assert (event.key, tag_of(message.headers)) == (waiting, None)
    assert event.item.id != item(7)[0].id
    solved = event.item.with_(attempts=(attempt(),))
    cursor = sink.outbox(None)[1]
    await sink.write(
        log(SolutionChecked.of(event, "answer_checker", solved, (call("synthesis"),), final=True), incarnation="two")
    )
    (row,) = (one for one in Dataset.open(home / "dataset").rows if one.id == waiting)
    assert (row.admission, row.views, row.tier_reason) == ("in", ("sft", "rl"), "new verifiers hit it")
    assert row.cost == pytest.approx(0.01)  # of the solution: the rest was paid for when it was rejected
    (curated,) = (one for one in sink.outbox(cursor)[0] if isinstance(one, SampleCurated))
    assert curated.imported
    assert await asyncio.to_thread(work.waiting, None) == []


def models(folder: Path, solver: str) -> str:
    """A models file; one is needed for roles that resolve does not use."""
    names = {"writer": "w", "verifier_a": "a", "verifier_b": "b", "solver": solver, "judge": "j"}
    roles = {role: {"endpoint": "one", "model": name} for role, name in names.items()}
    path = folder / "models.yaml"
    endpoint = {"base_url": "http://127.0.0.1:9/v1", "simulated": True}
    path.write_text(yaml.safe_dump({"endpoints": {"one": endpoint}, "roles": roles}))
    return str(path)


def chimera(home: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["resolve", "--dir", str(home), "--json", *arguments])
    return result.exit_code, " ".join((result.stderr if result.exit_code else result.stdout).split())


async def test_the_same_solver_no_items_and_a_second_run_are_refused(made: tuple[Path, Curate]) -> None:
    home, _ = made
    newer = models(home, "newer")

    async def refusal(*arguments: str) -> str:
        status, output = await asyncio.to_thread(chimera, home, *arguments)
        assert status == 1, output
        return output

    assert "no stored item is selected" in await refusal("--models", newer, "--where", "subject = 'x'")
    assert "No field named subjekt" in await refusal("--models", newer, "--where", "subjekt = 'x'")
    with hold_lock(home, "chimera reverify, run 1a2b"):
        assert "chimera reverify, run 1a2b (pid" in await refusal("--models", newer)
    same = models(home, "model of synthesis")
    assert "the same models as before: solver model of synthesis" in await refusal("--models", same)


async def test_a_dry_run_counts_calls_of_the_solver_and_the_judge(made: tuple[Path, Curate]) -> None:
    home, _ = made
    for more, items in (((), 2), (("--limit", "1"), 1), (("--rejects", "--limit", "1"), 1)):
        status, output = await asyncio.to_thread(chimera, home, "--models", models(home, "newer"), "--dry-run", *more)
        assert status == 0, output
        found: dict[str, Any] = json.loads(output)
        assert found["items"] == items
        assert {need["role"] for need in found["needs"]} == {"solver", "judge"}
