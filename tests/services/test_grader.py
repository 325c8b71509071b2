"""Grading over HTTP, as another trainer would ask."""

import asyncio
import importlib.util
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType
from typing import Any

import aiohttp
import pyarrow as pa
import pytest
import pytest_asyncio
import yaml
from pyarrow import parquet

from services.cli.dataset.export.record_formats import INSTRUCTION, VERL
from services.grader.server import serve
from services.grader.settings import Settings
from services.simulator.api.server import serve as simulated
from services.simulator.settings import Settings as Simulated


@pytest_asyncio.fixture(loop_scope="session")
async def url() -> AsyncIterator[str]:
    async with serve(Settings(port=0)) as url:
        yield f"{url}/grade"


async def post(url: str, body: Any) -> tuple[int, Any]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with aiohttp.ClientSession() as session, session.post(url, data=io.BytesIO(data)) as response:
        text = await response.text()
        return response.status, json.loads(text) if text.startswith("{") else text


@pytest.mark.parametrize(
    ("item", "agrees", "how"),
    [
        ({"key": "1/2", "answer": "0.5"}, "yes", "numeric"),
        ({"key": "42", "completion": r"<think>\boxed{42}"}, "no", "no_answer"),
        ({"key": "42", "completion": r"6 \cdot 7</think>So \boxed{42}"}, "yes", "normal_form"),
        ({"key": "42", "completion": r"So \boxed{42}", "thinking": False}, "yes", "normal_form"),
        ({"key": "x^2+2x+1", "answer": "(x+1)^2", "answer_type": "expression"}, "yes", "symbolic"),
        ({"key": "42", "answer": "41"}, "no", "numeric"),
        ({"key": "Paris", "answer": "the capital of France", "answer_type": "text"}, "unsure", "text"),
        ({"key": r"\gcd(a,b)", "answer": r"\gcd(a,c)", "answer_type": "expression"}, "no", "structure"),
        ({"key": r"(1\ 2\ 3)", "answer": r"(1\ 3\ 2)", "answer_type": "expression"}, "no", "permutation"),
        ({"key": r"u\cdot v", "answer": r"u\times v", "answer_type": "expression"}, "no", "structure"),
        (
            {
                "key": r"\frac{\partial u}{\partial x}",
                "answer": r"\frac{\partial u}{\partial t}",
                "answer_type": "expression",
            },
            "no",
            "structure",
        ),
        ({"key": "5 km", "answer": "5 m;", "answer_type": "number"}, "unsure", "none"),
    ],
)
async def test_an_answer_is_right_wrong_or_beyond_telling(url: str, item: Any, agrees: str, how: str) -> None:
    status, grade = await post(url, item)
    assert (status, grade["agrees"], grade["how"]) == (200, agrees, how)


async def test_many_are_graded_together_in_their_order(url: str) -> None:
    items = [{"key": str(number), "answer": str(number % 3)} for number in range(300)]
    status, found = await post(url, {"items": items})
    assert status == 200
    assert [grade["agrees"] for grade in found["grades"]] == ["yes"] * 3 + ["no"] * 297


@pytest.mark.parametrize(
    ("body", "status", "reported"),
    [
        (b"{", 400, "body: not JSON"),
        (b"[]", 400, "body: Input should be a valid dictionary"),
        ({"key": "1"}, 400, "body: give either answer or completion"),
        ({"key": "1", "answer": "1", "completion": "1"}, 400, "body: give either answer or completion"),
        ({"answer": "1"}, 400, "key: Field required"),
        ({"key": "1", "answer": "1", "tolerance": 1}, 400, "tolerance: Extra inputs are not permitted"),
        ({"items": []}, 400, "items: List should have at least 1 item"),
        ({"items": [{"key": "1", "answer": "1"}, {"key": "1", "answer": 2}]}, 400, "items.1.answer: Input should be"),
    ],
)
async def test_what_the_caller_did_wrong_is_reported_with_its_place(
    url: str, body: Any, status: int, reported: str
) -> None:
    found, output = await post(url, body)
    assert found == status
    assert output["error"].startswith(reported)


async def test_too_large_a_body_is_refused(url: str) -> None:
    status, _ = await post(url, {"key": "1", "answer": "1" * (33 * 1024**2)})
    assert status == 413


async def test_a_judge_decides_what_rules_cannot_and_its_absence_is_no_verdict(tmp_path: Path) -> None:
    requested = {"key": "Paris", "answer": "city of Paris", "answer_type": "text", "problem": "Where is the Louvre?"}
    async with simulated(Simulated(port=0)) as models:
        part = {"endpoint": "sim", "model": "sim-judge"}
        roles = dict.fromkeys(("writer", "verifier_a", "verifier_b", "solver", "judge"), part)
        reported = {"endpoints": {"sim": {"base_url": models}}, "roles": roles, "allow_shared": True}
        (tmp_path / "models.yaml").write_text(yaml.safe_dump(reported))
        async with serve(Settings(port=0, models=tmp_path / "models.yaml")) as url:
            status, grade = await post(f"{url}/grade", requested)
            assert (status, grade["how"]) == (200, "judge")
    async with serve(Settings(port=0, models=tmp_path / "models.yaml", judge_s=0.5)) as url:
        status, output = await post(f"{url}/grade", requested)
    assert status == 503
    assert output["error"].startswith("the judge cannot be reached")


async def test_rows_exported_for_verl_are_scored_by_the_example(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = dict.fromkeys(("id", "subject", "topic", "tier", "split"), "")
    row |= {"plan": "p", "problem": "6 times 7?", "answer": "42", "answer_type": "number", "difficulty": 0.5}  # type: ignore[dict-item]
    row |= {"rationale": "", "verdicts": "[]", "lineage": "[]"}
    records = [record for number in range(3) for record in VERL.records(number, row)]
    parquet.write_table(pa.Table.from_pylist(records, VERL.schema), tmp_path / "train.parquet")
    example = loaded(Path("examples/verl/reward.py"))
    monkeypatch.setattr(example, "URL", url)
    for one in parquet.read_table(tmp_path / "train.parquet").to_pylist():
        assert one["prompt"] == [{"role": "user", "content": f"6 times 7?\n\n{INSTRUCTION}"}]
        known = (one["data_source"], one["reward_model"]["ground_truth"], one["extra_info"])
        for output, score in ((r"</think>\boxed{42}", 1.0), (r"</think>\boxed{41}", 0.0), ("hm", 0.0)):
            found = await asyncio.to_thread(example.compute_score, known[0], output, known[1], known[2])
            assert (found["score"], found["unsure"]) == (score, False)


def loaded(path: Path) -> ModuleType:
    """A file as verl loads it: by its path."""
    spec = importlib.util.spec_from_file_location("reward", path.resolve())
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
