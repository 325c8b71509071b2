"""Models behind an endpoint: scored as they are, paid once, and refused with a reason."""

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
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
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
from trainer.phases.evaluate import evaluate
from trainer.recipe import Recipe, load
from trainer.run.run_folder import Run

PLAYS = {"base": "sim-base", "sft": "sim-verifier-a", "rl": "sim-solver"}
ASKED, SAMPLES = 60, 8


@contextmanager
def beside(serving: AbstractAsyncContextManager[str]) -> Iterator[str]:
    """A server in a thread of its own: a phase has an event loop for itself. Yields its address."""
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
    """Problems of the simulator's bank, all held out."""
    made: list[Row] = []
    for number, one in enumerate(problems(0, "physics")[:ASKED]):
        its = {name: getattr(one, name) for name in ("answer", "answer_type", "difficulty")}
        made.append(clock.row(number, 3, random.Random(0), **its, problem=one.text, split="held_out"))
    return [*made, *clock.rows(3, (3,), seed=1, start=1000)]


def laid_out(folder: Path, url: str, **place: Any) -> dict[str, Path]:
    """Everything that a run needs, as files."""
    clock.grow(folder / "data", rows())
    nothing = {"topics": 0, "clusters": 0, "validation": 0}
    how = {"samples": SAMPLES, "ks": [1, 4], "max_tokens": 4000}
    recipe = clock.recipe(folder, "base", prompt="$problem", held_out=nothing, evaluate=how)
    priced = {"endpoint": "sim", "price": {"input": 1, "output": 2}}
    models = {stage: {**priced, "model": model} for stage, model in PLAYS.items()}
    told = folder / "served.yaml"
    told.write_text(yaml.safe_dump({"endpoints": {"sim": {"base_url": url, **place}}, "models": models}))
    return {"--config": recipe, "--dataset": folder / "data", "--run": folder / "run", "--served": told}


def run_of(places: dict[str, Path]) -> Run:
    recipe: Recipe = load(places["--config"])
    return Run(places["--run"], recipe, places["--dataset"], None, served=places["--served"])


def test_served_models_get_their_true_scores_and_costs(tmp_path: Path) -> None:
    faults = {"*": {"rates": {"503": 0.05, "cut": 0.02}}}
    settings = Settings(port=0, faults=faults, call_log=tmp_path / "calls")
    with beside(serve(settings)) as url:
        found = evaluate(run_of(laid_out(tmp_path, url)))
    scores = {(one["model"], one["k"]): one for one in found["scores"] if one["kind"] == "all"}
    difficulties = [one.difficulty for one in problems(0, "physics")[:ASKED]]
    for stage, model in PLAYS.items():
        chances = [1 / (1 + math.exp(hard - ABILITIES[model])) for hard in difficulties]
        spread = math.sqrt(sum(p * (1 - p) for p in chances) / SAMPLES) / ASKED
        assert scores[stage, 1]["value"] == pytest.approx(sum(chances) / ASKED, abs=4 * spread + 0.02)
        assert scores[stage, 4]["value"] > scores[stage, 1]["value"]
        spent = found["spent"][stage]
        assert spent["mean_tokens"] > 10
        assert spent["cost"] > 2e-6 * spent["mean_tokens"] * ASKED * SAMPLES
    assert found["gains"][0]["low"] > 0.1


def test_a_killed_evaluation_pays_again_only_for_what_was_in_flight(tmp_path: Path) -> None:
    at_once, log = 16, tmp_path / "calls"
    with beside(serve(Settings(port=0, call_log=log, latency_ms=dict.fromkeys(PLAYS.values(), 40.0)))) as url:
        places = laid_out(tmp_path, url, at_once=at_once)
        command = [sys.executable, "-m", "trainer.evaluate", *(str(part) for pair in places.items() for part in pair)]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=dict(os.environ))  # noqa: TID251
        wait_for(lambda: lines(log) >= 150, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not (places["--run"] / "evaluate.json").exists()
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL, env=dict(os.environ))  # noqa: TID251
    whole = len(PLAYS) * ASKED * SAMPLES
    assert whole <= lines(log) <= whole + at_once
    assert json.loads((places["--run"] / "evaluate.json").read_text())["problems"] == ASKED


def test_what_is_cut_off_is_wrong_and_counted_apart(tmp_path: Path) -> None:
    with beside(serve(Settings(port=0, faults={"sim-base": {"rates": {"truncated": 1.0}}}))) as url:
        found = evaluate(run_of(laid_out(tmp_path, url)))
    assert [round(found["spent"][stage]["truncated"], 2) for stage in PLAYS] == [1, 0, 0]
    assert found["scores"][0]["value"] == 0


def test_a_model_that_is_not_served_is_named_before_anything_is_asked(tmp_path: Path) -> None:
    with beside(serve(Settings(port=0))) as url:
        places = laid_out(tmp_path, url)
        places["--served"].write_text(places["--served"].read_text().replace("sim-base", "sim-bass"))
        with pytest.raises(Refusal, match=r"no model sim-bass at .*; did you mean sim-base"):
            evaluate(run_of(places))


@pytest.mark.parametrize(("fault", "said"), [(400, "answers 400: no"), (503, "has taken no call for")])
def test_an_endpoint_that_fails_ends_it_with_a_reason(
    fault: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "PATIENCE_S", 2.0)
    monkeypatch.setattr(served, "backoff", lambda *_: 0.0)
    monkeypatch.setattr(served, "faults", nothing_wrong)
    with beside(FakeEndpoint(fault=fault).listen()) as url, pytest.raises(Refusal, match=said):
        evaluate(run_of(laid_out(tmp_path, f"{url}/v1")))


def test_sampling_is_the_recipes_to_say(tmp_path: Path) -> None:
    file = tmp_path / "served.yaml"
    models = {"base": {"endpoint": "b", "model": "m", "temperature": 1}}
    file.write_text(yaml.safe_dump({"endpoints": {"a": {"base_url": "http://127.0.0.1:1/v1"}}, "models": models}))
    with pytest.raises(Refusal, match=r"(?s)base.endpoint: no endpoint 'b'.*temperature: `evaluate` in the recipe"):
        served.load(file)


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
