"""The forecast equals sums computed by hand."""

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.trainer import clock
from tests.trainer.studies.paper import FOUR_BILLION, papers
from trainer.phases import all as phases
from trainer.recipe import Rl, load_recipe
from trainer.run.devices import DEVICES
from trainer.run.forecast import count_rollouts_together

LONG, PROMPT, COMPLETION = 35, 10, 25
"""Tokens of a clock of three steps: user, 1 + 3 × 2, end; assistant, think, 3 × 5 + 2, close; box, 3, brace, end."""
ROWS, HELD_OUT = 40, 4
LAYERS, HIDDEN, WORDS = 3, 128, 263
PARAMETERS = 2 * WORDS * 128 + LAYERS * (4 * 128 * 128 + 3 * 128 * 256 + 2 * 128 + 2 * 32) + 128
FLOPS, BANDWIDTH = 989e12, 3.35e12
HOUR = 3600


SERVED = {"sample": {"engine": "vllm"}, "rl": {**clock.RECIPE["rl"], "vllm": "colocate"}}


def reported(
    folder: Path, capsys: pytest.CaptureFixture[str], *options: str, status: int = 0, **changes: Any
) -> dict[str, Any]:
    held_out = [clock.row(number, 3, random.Random(number), split="held_out") for number in range(HELD_OUT)]
    clock.grow(folder / "data", [*held_out, *clock.rows(ROWS, (3,), seed=1, start=100)])
    nothing = {"topics": 0, "clusters": 0, "validation": 0}
    base = str(clock.newborn(folder / "base"))
    recipe = clock.recipe(folder, base, held_out=nothing, max_length=100, **{**SERVED, **changes})
    places = ["--config", recipe, "--dataset", folder / "data", "--run", folder / "run", "--dry-run"]
    with pytest.raises(SystemExit) as ended:
        phases.main([*map(str, places), *options])
    assert ended.value.code == status
    assert not (folder / "run").exists()
    output = capsys.readouterr()
    found: dict[str, Any] = json.loads(output.out) if output.out else {"said": output.err}
    return found


def test_the_numbers_follow_from_the_rows_and_the_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = reported(tmp_path, capsys, "--devices", "2", "--price", "3", "--json")
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
    total = sum(one["hours"] for one in phases.values())
    assert found["total"]["usd"] == pytest.approx(total * 2 * 3)
    assert sft["disk"] == 3 * 16 * PARAMETERS + 4 * PARAMETERS


def test_a_person_reads_a_table_and_no_run_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = reported(tmp_path, capsys)["said"]
    assert f"{ROWS} training rows, {ROWS * LONG:,} tokens, longest {LONG}; 0 too long" in output
    assert "rl, rollouts" in output


def test_a_run_that_does_not_fit_is_refused_with_the_key_to_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heavy = {"per_device": 20_000_000, "completions": 20_000_000, "learning_rate": 1e-5}
    output = reported(tmp_path, capsys, status=1, rl=heavy)["said"]
    assert "does not fit: 77 GB are usable; transformers writes 80,000,000 rollouts together: use rl.vllm" in output


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


def test_a_checkpoint_is_as_large_as_one_of_four_billion_weights_was() -> None:
    assert FOUR_BILLION.checkpoint_bytes(1) / 1e9 == pytest.approx(48, rel=0.01)
    assert FOUR_BILLION.model_bytes / 1e9 == pytest.approx(16, rel=0.01)


def test_the_papers_recipe_fits_on_eight_h100s() -> None:
    costs = {one.phase: one for one in papers().costs()}
    assert all(one.fits for one in costs.values()), costs
    assert costs["rl_set"].devices == 8
    assert sum(one.hours for one in costs.values() if one.hours) < 24 * 7


def test_rollouts_by_transformers_at_the_papers_length_are_refused() -> None:
    (rollouts,) = (one for one in papers(rl={"vllm": "no"}).costs() if one.phase == "rl, rollouts")
    assert count_rollouts_together(load_recipe(Path("trainer/configs/paper.yaml")).rl or Rl(), 8) == 128
    assert rollouts.memory > 2 * 618e9
    assert not rollouts.fits


def test_sampling_in_one_process_takes_weeks_where_a_server_takes_hours() -> None:
    hours = {
        engine: next(
            one.hours
            for one in papers(sample={"engine": engine}, evaluate={"batch": 8}).costs()
            if one.phase == "rl_set"
        )
        for engine in ("vllm", "in_process")
    }
    assert (hours["in_process"] or 0) > 24 * 23
    assert (hours["vllm"] or 0) < 48


def test_rows_of_one_step_wait_for_the_longest_less_when_grouped() -> None:
    found = {grouped: papers(sft={"group_by_length": grouped}) for grouped in (False, True)}
    padded = {grouped: sum(one._padded_lengths()) / sum(one.lengths.taught) for grouped, one in found.items()}
    assert 1.5 < padded[False] < 2
    assert padded[True] < 1.1


def test_decoding_is_as_fast_as_vllm_was_seen_on_an_h100() -> None:
    assert FOUR_BILLION.decoding_rate(DEVICES["h100"], 128, 2048) == pytest.approx(11_109, rel=0.1)
