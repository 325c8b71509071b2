"""Comparison of two datasets: the one with right keys trains the better model."""

import json
from pathlib import Path

import pytest

from tests.trainer import clock
from tests.trainer.tiny import example
from trainer.data import measure
from trainer.models.weights import load_tokenizer
from trainer.phases import compare
from trainer.recipe import load_recipe

MUDDLED = 0.3
EXAM = {
    "held_out": {"topics": 0.04, "clusters": 0.1, "validation": 0.04},
    "evaluate": {**clock.RECIPE["evaluate"], "problems": 120},
}
"""Enough problems for a significant difference."""


def compared(folder: Path, config: Path, **places: object) -> int | str | None:
    options = {"config": config, "run": folder / "run", **places}
    with pytest.raises(SystemExit) as ended:
        compare.main([text for name, value in options.items() for text in (f"--{name.replace('_', '-')}", str(value))])
    return ended.value.code


def test_wrong_keys_cost_points_that_the_comparison_shows(tmp_path: Path, base: str) -> None:
    clean, muddled = tmp_path / "clean", tmp_path / "muddled"
    clock.grow(clean, clock.harder())
    clock.grow(muddled, clock.harder(MUDDLED))
    config = clock.recipe(tmp_path, base, rl=None, **EXAM)
    assert compared(tmp_path, config, one=clean, other=muddled, seeds=1) == 0
    found = json.loads((tmp_path / "run" / "exam" / "exam.json").read_text())
    assert found["gain"]["low"] > 0.02
    assert found["pass@1"]["other"]["low"] > found["pass@1"]["base"]["high"]
    assert found["tokens"]["one"] == pytest.approx(found["tokens"]["other"], rel=0.001)
    requested = {
        name: (tmp_path / "run" / "exam" / f"{name}.jsonl").read_text().splitlines()
        for name in (compare.ONE, compare.OTHER)
    }
    assert [json.loads(line)["id"] for line in requested["one"]] == [
        json.loads(line)["id"] for line in requested["other"]
    ]


@pytest.mark.parametrize(
    ("where", "reported"),
    [
        ("difficulty > 0.9", "has 0 rows to train on"),
        ("tear = 'verified'", "invalid condition on rows, \"tear = 'verified'\": Schema error: No field named tear"),
    ],
)
def test_an_arm_without_rows_is_refused_before_anything_is_trained(
    where: str, reported: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    clock.grow(data, clock.harder())
    assert compared(tmp_path, clock.recipe(tmp_path, "never loaded"), one=data, other=data, other_where=where) == 1
    assert reported in capsys.readouterr().err


def test_every_seed_draws_its_own_rows_with_equal_tokens_in_all_arms(tmp_path: Path) -> None:
    base = str(clock.newborn(tmp_path / "newborn"))
    recipe = load_recipe(clock.recipe(tmp_path, base, rl=None, **EXAM))
    made = [example(number, split="train", problem=f"{'add ' * (number % 7)}{number}") for number in range(200)]
    rows = {"one": made, "other": made[:60], "third": made[50:]}
    found = {seed: dict(compare.select_equal_tokens(rows, [], recipe, seed)) for seed in (0, 1, 2)}
    tokens = {row.id: measure([row], load_tokenizer(base), recipe).tokens for row in made}
    sums = [sum(tokens[row.id] for row in its) for arms in found.values() for its in arms.values()]
    assert max(sums) - min(sums) <= max(tokens.values())
    assert found[0]["one"] == made[: len(found[0]["one"])]
    drawn = [{row.id for row in arms["one"]} for arms in found.values()]
    assert len(drawn[1] & drawn[2]) < 0.6 * len(drawn[1])
