"""Benchmarks: validation of files, grading of letters, contamination of training rows."""

import csv
import json
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from shared.errors import Refusal
from tests.trainer import clock
from tests.trainer.models.test_served import alongside
from trainer.benchmarks import load_benchmark, render_table
from trainer.benchmarks.descriptor import list_shipped
from trainer.benchmarks.questions import read_questions
from trainer.metrics.multiple_choice import parse_letter
from trainer.phases import card
from trainer.phases.evaluate import evaluate
from trainer.recipe import Recipe, load_recipe
from trainer.run.run_folder import Run

WORDS = ("orbit", "lattice", "enzyme", "tensor", "spectrum", "polymer", "graph", "vector", "genome", "plasma", "ring")


def made(name: str, count: int) -> list[dict[str, str]]:
    """Make rows in the columns of the descriptor."""
    benchmark, dice = load_benchmark(name), random.Random(name)
    rows = []
    for number in range(count):
        text = f"Question {number}: how does the {' '.join(dice.choices(WORDS, k=25))} behave?"
        row = {benchmark.question: text, benchmark.answer: f"right {number}"}
        row |= {column: f"wrong {at} {number}" for at, column in enumerate(benchmark.wrong)}
        row |= {benchmark.group: dice.choice(WORDS)} if benchmark.group else {}
        row |= {benchmark.without: ""} if benchmark.without else {}
        row |= {benchmark.letters.column: "exactMatch"} if benchmark.letters else {}
        rows.append(row)
    return rows


def as_csv(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.parametrize("name", list_shipped())
def test_every_described_file_is_taken_whole_and_refused_otherwise(name: str, tmp_path: Path) -> None:
    benchmark = load_benchmark(name)
    rows = made(name, benchmark.n)
    assert len(read_questions(name, benchmark, as_csv(tmp_path / "a.csv", rows), seed=0)) == benchmark.n
    with pytest.raises(Refusal, match=f"{benchmark.n - 1} questions, .* has {benchmark.n}. Use the complete file of"):
        read_questions(name, benchmark, as_csv(tmp_path / "b.csv", rows[1:]), seed=0)
    with pytest.raises(Refusal, match=f"{benchmark.n - 1} of them different"):
        read_questions(name, benchmark, as_csv(tmp_path / "b.csv", [*rows[1:], rows[1]]), seed=0)
    nameless = [{column: text for column, text in row.items() if column != benchmark.answer} for row in rows]
    with pytest.raises(Refusal, match=f"no column {benchmark.answer}; its columns: "):
        read_questions(name, benchmark, as_csv(tmp_path / "c.csv", nameless), seed=0)


def test_options_are_shuffled_by_the_seed_and_the_letter_follows(tmp_path: Path) -> None:
    file = as_csv(tmp_path / "a.csv", made("gpqa_diamond", 198))
    found = {seed: read_questions("gpqa_diamond", load_benchmark("gpqa_diamond"), file, seed) for seed in (0, 0, 1)}
    for number, example in enumerate(found[0]):
        assert f"\n{example.answer}. right {number}\n" in example.problem
    letters = [[example.answer for example in its] for its in found.values()]
    assert letters[0] != letters[1]
    assert all(30 <= letters[0].count(letter) <= 70 for letter in "ABCD")


@pytest.mark.parametrize(
    ("answer", "letter"),
    [
        ("C", "C"), ("(c)", "C"), (r"\text{C}", "C"), ("C. 7 nm", "C"), ("option B", "B"), ("9 nm", "B"),
        (r"\textbf{(B)}", "B"), ("a dog", None), ("E", None), ("8 nm", None), ("", None),
    ],
)  # fmt: skip
def test_a_letter_is_read_from_what_models_write(answer: str, letter: str | None) -> None:
    assert parse_letter(answer, "How long?\n\nA. 5 nm\nB. 9 nm\nC. 7 nm\n\nAnswer with the letter.") == letter


@asynccontextmanager
async def world() -> AsyncIterator[str]:
    """Serve `knows`, which finds the right option, `clings`, which always answers A, and `judge`."""

    async def chat(request: web.Request) -> web.Response:
        body = await request.json()
        requested = body["messages"][-1]["content"]
        if body["model"] == "judge":
            agrees = "yes" if "correct, in other words" in requested else "no"  # whichever side it is on
            content = json.dumps({"working": "", "reason": "as scripted", "agrees": agrees})
        else:
            right = re.search(r"^([A-D])\. right", requested, re.MULTILINE)
            known = right[1] if right else "correct, in other words"
            content = f"\\boxed{{{known if body['model'] == 'knows' else 'A'}}}"
        output = {"message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 50, "completion_tokens": 10}
        return web.json_response({"model": body["model"], "choices": [output], "usage": usage})

    async def models(_: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": name} for name in ("knows", "clings", "judge")]})

    app = web.Application()
    app.add_routes([web.post("/v1/chat/completions", chat), web.get("/v1/models", models)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


def laid_out(folder: Path, url: str, judge: bool = True) -> Run:
    """Write a run with small forms of GPQA and HLE, and a training row copied from GPQA."""
    files = {}
    for name, n in (("gpqa_diamond", 60), ("hle_text", 10)):
        small = {**load_benchmark(name).model_dump(exclude_none=True), "n": n, "samples": 2}
        reported = folder / f"small_{name}.yaml"
        reported.write_text(yaml.safe_dump(json.loads(json.dumps(small))))
        as_csv(folder / f"{name}.csv", made(name, n))
        files[str(reported)] = f"{name}.csv"
    copied: dict[str, Any] = {"problem": made("gpqa_diamond", 60)[7]["Question"]}
    held_out = [clock.row(number, 3, random.Random(number), split="held_out") for number in range(3)]
    trained = [*clock.rows(20, (3,), seed=1, start=100), clock.row(999, 3, random.Random(0), **copied)]
    clock.grow(folder / "data", [*held_out, *trained])
    how = {"samples": 2, "ks": [1, 2], "max_tokens": 400, "benchmarks": files}
    nothing = {"topics": 0, "clusters": 0, "validation": 0}
    recipe: Recipe = load_recipe(clock.recipe(folder, "base", prompt="$problem", held_out=nothing, evaluate=how))
    endpoints = {"here": {"base_url": url}}
    part = {"endpoint": "here", "model": "judge"}
    served = folder / "served.yaml"
    stages = {"base": {**part, "model": "clings"}, "sft": {**part, "model": "knows"}}
    served.write_text(yaml.safe_dump({"endpoints": endpoints, "models": stages}))
    models = folder / "models.yaml"
    roles = dict.fromkeys(("writer", "verifier_a", "verifier_b", "solver", "judge"), part)
    models.write_text(yaml.safe_dump({"endpoints": endpoints, "roles": roles, "allow_shared": True}))
    return Run(folder / "run", recipe, folder / "data", None, models if judge else None, served)


def test_the_card_has_benchmark_scores_with_their_contamination(tmp_path: Path) -> None:
    with alongside(world()) as url:
        run = laid_out(tmp_path, url)
        found = run.run_once("evaluate", evaluate)
    gpqa, hle = found["benchmarks"]
    scores = {
        (one["title"], score["model"]): score
        for one in (gpqa, hle)
        for score in one["scores"]
        if score["k"] == 1 and score["kind"] == "all"
    }
    assert scores["GPQA-Diamond", "sft"]["value"] == 1
    clinging = scores["GPQA-Diamond", "base"]
    assert clinging["low"] < 0.25 < clinging["high"]
    assert (scores["HLE, text only", "base"]["value"], scores["HLE, text only", "sft"]["value"]) == (0, 1)
    assert (gpqa["grader"], hle["grader"]) == ("letter", "rules and judge judge")
    assert gpqa["contamination"]["questions_contained"] == 1
    assert gpqa["contamination"]["contained"] == 1
    assert gpqa["contamination"]["jaccard_8"] == pytest.approx(1 / 21)
    assert hle["contamination"]["jaccard_8"] == 0
    card.write(run)
    text = run.path("card", "README.md").read_text()
    assert "| GPQA-Diamond (60 × 2, 400 tokens) | SFT | 100.0 [100.0, 100.0] |" in text
    assert "4.8e-02 / 4.8e-02; 100 %; 1 questions" in text


def test_what_only_a_judge_can_grade_is_refused_without_one(tmp_path: Path) -> None:
    with alongside(world()) as url, pytest.raises(Refusal, match="HLE, text only cannot be graded by rules"):
        evaluate(laid_out(tmp_path, url, judge=False))


def test_a_wrong_benchmark_file_is_refused_before_training(tmp_path: Path) -> None:
    run = laid_out(tmp_path, "http://127.0.0.1:9/v1")
    (tmp_path / "gpqa_diamond.csv").unlink()
    with pytest.raises(Refusal, match="the file of GPQA-Diamond cannot be read: "):
        run.run_once("sft", lambda _: pytest.fail("it began"))
    with pytest.raises(Refusal, match=r"no benchmark 'gpqa'. There are aime24, aime25"):
        load_benchmark("gpqa")
    assert "unknown" in render_table({"benchmarks": []})
