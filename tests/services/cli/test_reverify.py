"""`chimera reverify` against simulated verifiers of known ability: its figures, and what it refuses."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from schemas.events import Event, ProblemAccepted, ProblemReverified, ProblemScreened, SolutionChecked
from schemas.item import Item, Topic
from services.aggregator.handler import Curate
from services.cli.__main__ import app
from services.cli.evidence.reverify_report import ReverifyReport, report
from services.cli.evidence.stored_items import Selection, select_items
from shared.answers.grade import Graders
from shared.audit_items import divert
from tests.support.fake_models import requested
from tests.support.items import attempt, log, plan
from tests.support.verification_sim import Candidate, Remembering, candidates, judged

OLD = {"verifier-a": "sim-verifier-a", "verifier-b": "sim-verifier-b"}
STRONG = {"verifier-a": "sim-solver", "verifier-b": "sim-all"}
PROBLEMS = 60


@pytest.fixture(scope="module")
async def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Curate]:
    """A dataset of problems with right keys, of which the old verifiers accept some."""
    home = tmp_path_factory.mktemp("home")
    sink = Curate(home / "dataset", "test", plan(1000), lambda: datetime(2026, 1, 1, tzinfo=UTC), lambda _: None)
    names = ("solution.checked", "problem.rejected", "sample.deleted", "audit.judged", "problem.reverified")
    await sink.open(dict.fromkeys(names, "one"))
    grader = Remembering(Graders())
    drawn = candidates(PROBLEMS, wrong=0, natural=0)
    await sink.write(log(*[await ended(number, one, grader) for number, one in enumerate(drawn)]))
    return home, sink


async def ended(number: int, drawn: Candidate, grader: Remembering) -> Event:
    """Return the end of a problem: a row with a solution if the old verifiers accept it, else a rejected item."""
    topic = Topic(subject=drawn.subject, field="f", subfield="s", name="t")
    written = requested(number).item.with_(problem=drawn.problem, topic=topic)
    start = ProblemScreened.of(requested(number), "screening", written)
    [end] = await judged(start, grader, OLD)
    if not isinstance(end, ProblemAccepted):
        return end
    item: Item = end.item.with_(attempts=(attempt(),))
    return SolutionChecked.of(requested(number), "answer_checker", item, final=True)


async def reverify(made: tuple[Path, Curate], run: str, models: Mapping[str, str]) -> ReverifyReport:
    """Send every item through these verifiers, as the command and the runtime do; nothing moves."""
    home, sink = made
    grader, ends = Remembering(Graders()), list[ProblemReverified]()
    both = (Selection(), Selection(rejects=True))
    for one in (one for selection in both for one in select_items(home / "dataset", selection)):
        start, tag = one.copy_for(run, compare=True)
        [end] = await judged(start, grader, models)
        reverified = divert(end, tag)
        assert isinstance(reverified, ProblemReverified)
        ends.append(reverified)
    await sink.write(log(*ends, incarnation=run))
    found = await asyncio.to_thread(report, home / "dataset", run)
    assert found
    return found


async def test_the_same_verifiers_change_nothing_beyond_chance(made: tuple[Path, Curate]) -> None:
    found = await reverify(made, "same", OLD)
    assert found.items == found.kept + found.lost + found.gained + found.still_rejected == PROBLEMS
    assert found.lost == 0
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0 < found.high


async def test_stronger_verifiers_hit_more_often_and_the_interval_says_so(made: tuple[Path, Curate]) -> None:
    found = await reverify(made, "strong", STRONG)
    assert found.hits_before is not None
    assert found.hits_new is not None
    assert found.difference is not None
    assert found.low is not None
    assert found.difference == pytest.approx(found.hits_new - found.hits_before)
    assert found.low > 0
    assert found.gained > 0
    assert found.agree <= found.paired <= found.items


def chimera(home: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["reverify", "--dir", str(home), "--json", *arguments])
    return result.exit_code, " ".join((result.stderr if result.exit_code else result.stdout).split())


def models(folder: Path, first: str, second: str) -> str:
    """A models file; one is needed for roles that reverify does not use."""
    names = {
        "writer": "sim-writer",
        "verifier_a": first,
        "verifier_b": second,
        "solver": "sim-solver",
        "judge": "sim-judge",
    }
    endpoint = {"base_url": "http://127.0.0.1:9/v1", "simulated": True}
    content = {
        "endpoints": {"one": endpoint},
        "roles": {role: {"endpoint": "one", "model": name} for role, name in names.items()},
    }
    path = folder / "models.yaml"
    path.write_text(yaml.safe_dump(content))
    return str(path)


async def test_the_same_verifiers_invalid_conditions_and_no_items_are_refused(
    made: tuple[Path, Curate], tmp_path: Path
) -> None:
    home, _ = made
    same = models(tmp_path, "sim-verifier-a", "sim-verifier-b")
    cases: list[tuple[list[str], str]] = [
        (["--where", "subjekt = 'x'"], "No field named subjekt"),
        (["--where", "subject = 'x'"], "no stored item is selected"),
        (["--rejects", "--where", "plan = 'x'"], "no stored item is selected"),
    ]
    for arguments, words in cases:
        status, output = await asyncio.to_thread(chimera, home, "--models", same, "--dry-run", *arguments)
        assert (status, words in output) == (1, True), output
    (tmp_path / "fresh").mkdir()
    status, output = await asyncio.to_thread(chimera, tmp_path / "fresh", "--models", same, "--dry-run")
    assert (status, "there is no dataset" in output) == (1, True), output


async def test_a_dry_run_counts_items_and_calls_of_the_verifiers(made: tuple[Path, Curate], tmp_path: Path) -> None:
    home, _ = made
    other = models(tmp_path, "sim-all", "sim-solver")
    status, output = await asyncio.to_thread(chimera, home, "--models", other, "--dry-run", "--limit", "7")
    assert status == 0, output
    found: dict[str, Any] = json.loads(output)
    assert found["items"] == 7
    assert {need["role"] for need in found["needs"]} == {"verifier_a", "verifier_b", "judge"}
