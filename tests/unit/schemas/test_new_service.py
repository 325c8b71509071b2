"""The skeleton of a service, and what is refused. That it passes all tests is seen in tests/e2e/test_readme.py."""

import shutil
from pathlib import Path

import pytest

from schemas.codegen.export import ROOT
from schemas.codegen.new_service import refusal, write
from schemas.flow import FLOW

COPIED = ("schemas/flow.py", "schemas/events/problem.py", "schemas/events/__init__.py")


@pytest.mark.parametrize(
    ("name", "consumes", "produces", "reason"),
    [
        ("Tagger", "problem.accepted", "", "is not a name of a service"),
        ("verifier", "problem.accepted", "", "there is a service verifier already"),
        ("verifier-a", "problem.accepted", "", "is not a name of a service"),
        ("cli", "problem.accepted", "", "there is a service cli already"),
        ("indexer", "problem.lost", "", "there is no event problem.lost; there are plan.adopted, "),
        ("indexer", "dataset.released", "", "dataset.released carries no problem"),
        ("indexer", "evidence.requested", "", "is for one service"),
        (
            "indexer",
            "problem.verified",
            "",
            "or has fields that the skeleton's test cannot make up",
        ),
        ("indexer", "problem.accepted", "problem.probed", "is not a new event"),
        ("indexer", "problem.accepted", "indexed", "is not a new event"),
        ("indexer", "problem.accepted", "index.found", "there is no schemas/events/index.py"),
    ],
)
def test_a_service_that_cannot_be_made_is_refused(name: str, consumes: str, produces: str, reason: str) -> None:
    assert reason in str(refusal(name, consumes, produces))


@pytest.mark.parametrize(
    ("name", "consumes", "produces", "model", "reason"),
    [
        (
            "indexer",
            "problem.accepted",
            "problem.indexed",
            "judge",
            "is not a role that always has a model",
        ),
        ("indexer", "problem.accepted", "", "writer", "publishes the calls"),
        ("indexer", "problem.rejected", "problem.indexed", "writer", "problem.rejected is more than a problem"),
        ("draft", "problem.accepted", "problem.indexed", "writer", "there is a prompt or a simulated answer draft"),
        ("same", "problem.accepted", "problem.indexed", "writer", "there is a prompt or a simulated answer same"),
    ],
)
def test_a_service_whose_calls_cannot_be_made_or_counted_is_refused(
    name: str, consumes: str, produces: str, model: str, reason: str
) -> None:
    assert reason in str(refusal(name, consumes, produces, model))
    assert refusal("indexer", "problem.accepted", "problem.indexed", "writer") is None


@pytest.mark.parametrize("consumes", ["problem.accepted", "problem.screened", "problem.rejected"])
def test_the_new_service_consumes_its_event_and_all_others_stay(tmp_path: Path, consumes: str) -> None:
    for path in COPIED:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    for folder in ("services", "tests/services"):
        (tmp_path / folder).mkdir(parents=True)
    write(tmp_path, "indexer", consumes, "problem.indexed")
    flow = (tmp_path / "schemas/flow.py").read_text().replace("e.ProblemIndexed", "e.ProblemParked")
    made: dict[str, object] = {"__name__": "flow"}
    exec(compile(flow, "flow.py", "exec"), made)  # noqa: S102 - what was just written
    consumers = {one.name: set(one.consumers) for one in made["FLOW"]}  # type: ignore[attr-defined]
    expected = {one.name: set(one.consumers) for one in FLOW}
    expected[consumes] |= {"indexer"}
    assert {name: consumers[name] for name in expected if name != "problem.parked"} == {
        name: expected[name] for name in expected if name != "problem.parked"
    }
