"""Exports load as researchers load them: by Hugging Face's `datasets` and by pandas."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from datasets import load_dataset
from trl import SFTConfig, SFTTrainer

from schemas.config.policies import HeldOut
from services.aggregator.handler import Curate
from services.cli.dataset.export.command import export
from shared.dataset import Dataset
from tests.support.items import attempt, checked, log, plan, rejected
from tests.trainer import clock, tiny

IGNORED = -100
"""The label of a token from which nothing is learned."""
PAPER = ["index", "subject", "topic", "question", "answer", "solution", "original_solution", "correctness"]
"""Columns of the CHIMERA paper's release, in its order."""


@pytest.fixture
async def home(tmp_path: Path) -> Path:
    """Write rows of two subjects; some are held out, some have a second solution, one was never solved."""
    wanted = plan(8, "mathematics", "physics").model_copy(update={"held_out": HeldOut(share=0.4)})
    sink = Curate(tmp_path / "dataset", "test", wanted, lambda: datetime(2026, 1, 1, tzinfo=UTC), print)
    await sink.open({})
    rows = [checked(n, "physics" if n % 2 else "mathematics") for n in range(8)]
    rows += [checked(n, attempts=(attempt(0, "no"), attempt(1))) for n in range(8, 12)]
    rows += [checked(12, attempts=(attempt(0, "no"),))]
    await sink.write(log(*map(worded, rows), rejected(20)))
    return tmp_path


def worded(event: Any) -> Any:
    """Return the event with a statement of its own cluster."""
    named = event.item.written.with_(statement=f"Who is {event.item.id.hex.translate(LETTERS)}?")
    return event.with_(item=event.item.with_(problem=named))


LETTERS = str.maketrans("0123456789", "ghijklmnop")


def loaded(home: Path, form: str, view: str) -> dict[str, pd.DataFrame]:
    """Load each split, by `load_dataset` and by pandas, and check that both agree."""
    out = home / f"{form}-{view}"
    export(home, out, form, view, "now")
    found = load_dataset(str(out), cache_dir=str(home / "cache"))
    read = pd.read_json if form == "jsonl" else pd.read_parquet
    for split, rows in found.items():
        lines = {"lines": True} if form == "jsonl" else {}
        alone = pd.concat([read(path, **lines) for path in sorted((out / "data").glob(f"{split}-*"))])
        assert list(alone.columns) == rows.column_names
        assert len(alone) == rows.num_rows
        key = "id" if "id" in alone else alone.columns[0]
        assert [str(one) for one in alone[key]] == [str(one) for one in rows[key]]
    return {split: rows.to_pandas() for split, rows in found.items()}


@pytest.mark.parametrize("form", ["parquet", "hf", "jsonl"])
def test_the_rows_that_are_loaded_are_those_of_the_dataset(home: Path, form: str) -> None:
    found = loaded(home, form, "all")
    assert set(found) == {"train", "held_out"}
    rows = {row.id: row for row in Dataset.open(home / "dataset").rows}
    for split, frame in found.items():
        for one in frame.to_dict("records"):
            row = rows.pop(one["id"])
            assert (row.problem, row.answer, row.reasoning, row.correct) == (
                one["problem"],
                one["answer"],
                one["reasoning"],
                one["correct"],
            )
            assert (list(row.views), row.attempts, row.split) == (list(one["views"]), one["attempts"], split)
    assert not rows


def test_the_papers_columns_are_exactly_the_papers_and_of_its_types(home: Path) -> None:
    (frame,) = loaded(home, "chimera", "sft").values()
    assert list(frame.columns) == PAPER
    assert frame["index"].tolist() == list(range(len(frame)))
    assert frame["correctness"].dtype == bool
    assert frame["correctness"].all()
    assert frame["solution"].str.startswith("<think>\n").all()
    assert all(isinstance(value, str) for name in PAPER[1:-1] for value in frame[name])


def test_what_was_held_out_is_in_no_training_view_however_it_is_loaded(home: Path) -> None:
    held = set(loaded(home, "hf", "held_out")["held_out"]["problem"])
    assert held
    for form, view, column in (("hf", "sft", "problem"), ("chimera", "rl", "question")):
        frames = loaded(home, form, view)
        assert list(frames) == ["train"]
        assert not held & set(frames["train"][column])


def test_verl_and_preferences_load_as_conversations(home: Path) -> None:
    (frame,) = loaded(home, "verl", "rl").values()
    assert frame["prompt"][0][0]["role"] == "user"
    assert set(frame["reward_model"][0]) == {"style", "ground_truth"}
    (pairs,) = loaded(home, "parquet", "preference").values()
    assert {chosen[0]["role"] for chosen in pairs["chosen"]} == {"assistant"}
    assert all("Attempt 0" in wrong[0]["content"] for wrong in pairs["rejected"])


def test_a_chat_export_trains_in_trl_as_it_is_on_its_completions(home: Path) -> None:
    out = home / "chat"
    export(home, out, "chat", "sft", "now")
    rows = load_dataset(str(out), cache_dir=str(home / "cache"))["train"]
    settings = SFTConfig(str(home / "run"), max_steps=1, use_cpu=True, report_to=[], max_length=None)
    trainer = SFTTrainer(
        str(clock.newborn(home / "model")), settings, train_dataset=rows, processing_class=tiny.tokenizer()
    )
    learned = [token for token in trainer.train_dataset[0]["labels"] if token != IGNORED]
    assert trainer.processing_class.decode(learned) == rows[0]["completion"][0]["content"] + tiny.END
    trainer.train()
