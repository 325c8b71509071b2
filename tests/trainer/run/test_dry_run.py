"""The forecast equals sums computed by hand."""

import json
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.trainer import clock
from trainer.run.costs import DEVICES, Shape

LONG, PROMPT, COMPLETION = 35, 10, 25
"""Tokens of a clock of three steps: user, 1 + 3 × 2, end; assistant, think, 3 × 5 + 2, close; box, 3, brace, end."""
ROWS, HELD_OUT = 40, 4
LAYERS, HIDDEN, WORDS = 3, 128, 263
PARAMETERS = 2 * WORDS * 128 + LAYERS * (4 * 128 * 128 + 3 * 128 * 256 + 2 * 128 + 2 * 32) + 128
FLOPS, BANDWIDTH = 989e12, 3.35e12
HOUR = 3600


def reported(folder: Path, *options: str) -> dict[str, Any]:
    held_out = [clock.row(number, 3, random.Random(number), split="held_out") for number in range(HELD_OUT)]
    clock.grow(folder / "data", [*held_out, *clock.rows(ROWS, (3,), seed=1, start=100)])
    nothing = {"topics": 0, "clusters": 0, "validation": 0}
    base = str(clock.newborn(folder / "base"))
    recipe = clock.recipe(folder, base, held_out=nothing, max_length=100)
    places = ["--config", recipe, "--dataset", folder / "data", "--run", folder / "run", "--dry-run"]
    command = [sys.executable, "-m", "trainer.all", *map(str, places), *options]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert not (folder / "run").exists()
    found: dict[str, Any] = json.loads(done.stdout) if done.stdout else {"said": done.stderr}
    return found


def test_the_numbers_follow_from_the_rows_and_the_model(tmp_path: Path) -> None:
    found = reported(tmp_path, "--devices", "2", "--json")
    assert found["model"]["parameters"] == PARAMETERS
    assert found["lengths"] == {
        "rows": ROWS,
        "tokens": ROWS * LONG,
        "longest": LONG,
        "too_long": 0,
        "prompt": PROMPT,
        "completion": COMPLETION,
    }
    phases = {one["phase"]: one for one in found["phases"]}
    assert list(phases) == ["sft", "rl_set", "rl, rollouts", "rl, steps", "evaluate"]

    sft = phases["sft"]
    flops = 4 * ROWS * (6 * PARAMETERS * LONG + 6 * LAYERS * 128 * LONG**2)
    assert (sft["tokens"], sft["hours"]) == (4 * ROWS * LONG, pytest.approx(flops / (0.28 * FLOPS * 2 * HOUR)))
    batch = 32 * LONG
    memory = 16 * PARAMETERS / 2 + 6 * batch * WORDS + (4 * LAYERS * HIDDEN + 34 * HIDDEN) * batch
    assert sft["memory"] == memory

    completions = ROWS * 8
    step = (2 * PARAMETERS + 256 * 4 * LAYERS * 128 * (PROMPT + COMPLETION / 2)) / BANDWIDTH
    hours = completions * COMPLETION / (0.65 * 256 / step * 2 * HOUR)
    assert phases["rl_set"]["tokens"] == completions * COMPLETION
    assert phases["rl_set"]["tokens_at_most"] == completions * 80
    assert phases["rl_set"]["hours"] == pytest.approx(hours)
    flops = completions * (8 * PARAMETERS * LONG + 8 * LAYERS * 128 * LONG**2)
    assert phases["rl, steps"]["hours"] == pytest.approx(flops / (0.28 * FLOPS * 2 * HOUR))
    assert phases["evaluate"]["sequences"] == 3 * HELD_OUT * 8
    assert all(one["fits"] for one in phases.values())


def test_a_person_reads_a_table_and_no_run_is_made(tmp_path: Path) -> None:
    output = reported(tmp_path)["said"]
    assert f"{ROWS} training rows, {ROWS * LONG:,} tokens, longest {LONG}; 0 too long" in output
    assert "rl, rollouts" in output


LINEAR = 36 * (2560 * (2 * 4096 + 2 * 1024) + 3 * 2560 * 9728)
FOUR_BILLION = Shape(4_022_468_096, LINEAR, 0, 36, 2560, 4096, 1024, 151_936)
"""Qwen3-4B: 36 layers, 2560 wide, 32 heads of 128 and 8 for keys."""


def test_long_traces_of_a_model_of_four_billion_need_more_than_one_device() -> None:
    assert FOUR_BILLION.longest(DEVICES["h100"], 1, 1) == pytest.approx(10_000, rel=0.01)
    assert FOUR_BILLION.longest(DEVICES["h100"], 1, 8) > 100_000
    assert FOUR_BILLION.decoding_memory(1, 1) - FOUR_BILLION.decoding_memory(0, 1) == 147_456


@pytest.mark.parametrize(
    ("length", "rank", "gigabytes"), [(4093, 0, 74.2), (8189, 0, 75.8), (14_997, 0, 78.7), (32_765, 16, 37.6)]
)
def test_memory_is_what_an_h100_was_seen_to_take(length: int, rank: int, gigabytes: float) -> None:
    adapters = rank * 36 * (2 * (2560 + 1024) + 2 * (2560 + 4096) + 3 * (2560 + 9728))
    shape = replace(FOUR_BILLION, adapters=adapters)
    assert shape.training_memory(length, 1, 1) / 1e9 == pytest.approx(gigabytes, rel=0.01)


def test_decoding_is_as_fast_as_vllm_was_seen_on_an_h100() -> None:
    assert FOUR_BILLION.decoding_rate(DEVICES["h100"], 128, 2048) == pytest.approx(11_109, rel=0.1)
