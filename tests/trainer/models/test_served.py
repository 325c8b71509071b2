"""Served models: true scores, no call paid twice, and refusals with a reason."""

import asyncio
import json
import math
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.simulator.api.server import serve
from services.simulator.bank import problems
from services.simulator.settings import ABILITIES, Settings
from shared.dataset import Row
from shared.errors import Refusal
from tests.support.fake_endpoint import FakeEndpoint
from tests.trainer import clock
from trainer.models import served
from trainer.phases import compare, rl_set
from trainer.phases import evaluate as evaluate_phase
from trainer.phases.evaluate import evaluate
from trainer.recipe import Recipe, RlSet, load_recipe
from trainer.run.run_folder import Run, write_json

PLAYS = {"base": "sim-base", "sft": "sim-verifier-a", "rl": "sim-solver"}
REQUESTED, SAMPLES = 60, 8


@contextmanager
def alongside(serving: AbstractAsyncContextManager[str]) -> Iterator[str]:
    """Run a server in a thread, since a phase has its own event loop. Yield its address."""
    loop, address, over = asyncio.new_event_loop(), list[str](), asyncio.Event()
    up = threading.Event()

    async def work() -> None:
        async with serving as url:
            address.append(url)
            up.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=[work()])
    thread.start()
    assert up.wait(60)
    try:
        yield address[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


def rows() -> list[Row]:
    """Return problems of the simulator's bank, all held out."""
    made: list[Row] = []
    for number, one in enumerate(problems(0, "physics")[:REQUESTED]):
        its = {name: getattr(one, name) for name in ("answer", "answer_type", "difficulty")}
        made.append(clock.row(number, 3, random.Random(0), **its, problem=one.text, split="held_out"))
    return [*made, *clock.rows(3, (3,), seed=1, start=1000)]


def laid_out(folder: Path, url: str, **place: Any) -> dict[str, Path]:
    """Write all files of a run; return its options."""
    clock.grow(folder / "data", rows())
    nothing = {"topics": 0, "clusters": 0, "validation": 0}
    how = {"samples": SAMPLES, "ks": [1, 4], "max_tokens": 4000}
    recipe = clock.recipe(folder, "base", prompt="$problem", held_out=nothing, evaluate=how)
    priced = {"endpoint": "sim", "price": {"input": 1, "output": 2}}
    models = {stage: {**priced, "model": model} for stage, model in PLAYS.items()}
    reported = folder / "served.yaml"
    reported.write_text(yaml.safe_dump({"endpoints": {"sim": {"base_url": url, **place}}, "models": models}))
    return {"--config": recipe, "--dataset": folder / "data", "--run": folder / "run", "--served": reported}


def run_of(places: dict[str, Path]) -> Run:
    recipe: Recipe = load_recipe(places["--config"])
    return Run(places["--run"], recipe, places["--dataset"], None, served=places["--served"])


def test_served_models_get_their_true_scores_and_costs(tmp_path: Path) -> None:
    faults = {"*": {"rates": {"503": 0.05, "cut": 0.02}}}
    settings = Settings(port=0, faults=faults, call_log=tmp_path / "calls")
    with alongside(serve(settings)) as url:
        found = evaluate(run_of(laid_out(tmp_path, url)))
    scores = {(one["model"], one["k"]): one for one in found["scores"] if one["kind"] == "all"}
    difficulties = [one.difficulty for one in problems(0, "physics")[:REQUESTED]]
    for stage, model in PLAYS.items():
        chances = [1 / (1 + math.exp(hard - ABILITIES[model])) for hard in difficulties]
        spread = math.sqrt(sum(p * (1 - p) for p in chances) / SAMPLES) / REQUESTED
        assert scores[stage, 1]["value"] == pytest.approx(sum(chances) / REQUESTED, abs=4 * spread + 0.02)
        assert scores[stage, 4]["value"] > scores[stage, 1]["value"]
        spent = found["spent"][stage]
        assert spent["mean_tokens"] > 10
        assert spent["cost"] > 2e-6 * spent["mean_tokens"] * REQUESTED * SAMPLES
    assert found["gains"][0]["low"] > 0.1


def test_a_killed_evaluation_pays_again_only_for_what_was_in_flight(tmp_path: Path) -> None:
    at_once, log = 16, tmp_path / "calls"
    with alongside(serve(Settings(port=0, call_log=log, latency_ms=dict.fromkeys(PLAYS.values(), 40.0)))) as url:
        places = laid_out(tmp_path, url, at_once=at_once)
        command = [sys.executable, "-m", "trainer.evaluate", *(str(part) for pair in places.items() for part in pair)]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=dict(os.environ))  # noqa: TID251
        wait_for(lambda: lines(log) >= 150, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not (places["--run"] / "evaluate.json").exists()
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL, env=dict(os.environ))  # noqa: TID251
    whole = len(PLAYS) * REQUESTED * SAMPLES
    assert whole <= lines(log) <= whole + at_once
    assert json.loads((places["--run"] / "evaluate.json").read_text())["problems"] == REQUESTED


def test_what_is_cut_off_is_wrong_and_counted_apart(tmp_path: Path) -> None:
    with alongside(serve(Settings(port=0, faults={"sim-base": {"rates": {"truncated": 1.0}}}))) as url:
        found = evaluate(run_of(laid_out(tmp_path, url)))
    assert [round(found["spent"][stage]["truncated"], 2) for stage in PLAYS] == [1, 0, 0]
    assert found["scores"][0]["value"] == 0


def test_a_model_that_is_not_served_is_named_before_anything_is_requested(tmp_path: Path) -> None:
    with alongside(serve(Settings(port=0))) as url:
        places = laid_out(tmp_path, url)
        places["--served"].write_text(places["--served"].read_text().replace("sim-base", "sim-bass"))
        with pytest.raises(Refusal, match=r"no model sim-bass at .*; did you mean sim-base"):
            evaluate(run_of(places))


@pytest.mark.parametrize(("fault", "message"), [(400, "answers 400: no"), (503, "has accepted no call for")])
def test_an_endpoint_that_fails_ends_it_with_a_reason(
    fault: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "OUTAGE_LIMIT_S", 2.0)
    monkeypatch.setattr(served, "backoff", lambda *_: 0.0)
    monkeypatch.setattr(served, "faults", nothing_wrong)
    with alongside(FakeEndpoint(fault=fault).listen()) as url, pytest.raises(Refusal, match=message):
        evaluate(run_of(laid_out(tmp_path, f"{url}/v1")))


def test_sampling_is_the_recipes_to_say(tmp_path: Path) -> None:
    file = tmp_path / "served.yaml"
    models = {"base": {"endpoint": "b", "model": "m", "temperature": 1}}
    file.write_text(yaml.safe_dump({"endpoints": {"a": {"base_url": "http://127.0.0.1:1/v1"}}, "models": models}))
    with pytest.raises(Refusal, match=r"(?s)base.endpoint: no endpoint 'b'.*temperature: `evaluate` in the recipe"):
        served.load_served_models(file)


def test_rl_set_and_compare_sample_the_served_models(tmp_path: Path) -> None:
    log = tmp_path / "calls"
    with alongside(serve(Settings(port=0, call_log=log))) as url:
        places = laid_out(tmp_path, url)
        run = run_of(places)
        write_json(run.path("sft.json"), {"model": "never loaded", "train": {"tokens": 1}})
        pool = rl_set.select(replace(run, recipe=with_tries(run.recipe, samples=2)))
        assert pool["taught"] == 3
        assert requested_models(log) == {"sim-verifier-a": 6}
        arms = {"base": "sim-base", "one": "sim-solver", "other": "sim-base"}
        served_arms = {name: {"endpoint": "sim", "model": model} for name, model in arms.items()}
        places["--served"].write_text(yaml.safe_dump({"endpoints": {"sim": {"base_url": url}}, "models": served_arms}))
        exam = compare.Arm(tmp_path / "exam", with_tries(run.recipe, rl=None), tmp_path, None, served=run.served)
        exam = replace(exam, rows=tuple(evaluate_phase.select_problems(run)))
        found = compare.sample_arms(exam, {name: [exam_arm(run, name)] for name in (compare.ONE, compare.OTHER)})
    assert found["gain"]["low"] > 0.05
    assert requested_models(log)["sim-solver"] == REQUESTED * SAMPLES


def with_tries(recipe: Recipe, samples: int = 8, **changes: Any) -> Recipe:
    return recipe.model_copy(update={"rl_set": RlSet(samples=samples, max_tokens=4000), **changes})


def exam_arm(run: Run, name: str) -> compare.Arm:
    arm = compare.Arm(run.folder / name, run.recipe, run.dataset, None)
    write_json(arm.path("sft.json"), {"model": "never loaded", "train": {"tokens": 1}})
    return arm


def requested_models(log: Path) -> Counter[str]:
    return Counter(json.loads(line)["model"] for line in log.read_text().splitlines())


async def nothing_wrong(_: Any) -> dict[str, Any]:
    return {}


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def wait_for(there: Any, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while not there():
        assert process.poll() is None, "it ended by itself"
        assert time.monotonic() < deadline
        time.sleep(0.02)
