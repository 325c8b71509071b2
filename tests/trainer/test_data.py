"""From rows to tokens: held-out splits, exclusion by length, loss mask, rewards."""

from pathlib import Path

import pytest
from datasets import Dataset
from transformers import Qwen3Config, Qwen3ForCausalLM
from trl import SFTConfig, SFTTrainer

from shared.answers.extract import final_answer
from shared.answers.grade import standard
from shared.answers.symbolic import SymbolicWorker
from shared.errors import Refusal
from tests.trainer.tiny import PLAIN, TEMPLATES, example, tokenizer
from trainer.data import assign_split, measure
from trainer.example import TRAIN, Example
from trainer.metrics.rewards import Reward
from trainer.recipe import HeldOut, Recipe

RECIPE = Recipe(base="none", max_length=400)
KEEP_THINKING = ("qwen3", "qwen2_5", "phi3")


@pytest.mark.parametrize("name", KEEP_THINKING)
def test_the_loss_covers_thinking_and_answer_and_nothing_of_the_prompt(name: str, tmp_path: Path) -> None:
    tokens, row = tokenizer((TEMPLATES / f"{name}.jinja").read_text()), example(21)
    rows = Dataset.from_list(measure([row], tokens, RECIPE).rows)
    config = Qwen3Config(
        vocab_size=len(tokens),
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        head_dim=8,
    )
    settings = SFTConfig(output_dir=str(tmp_path), max_length=400, report_to="none", use_cpu=True, bf16=False)
    trainer = SFTTrainer(Qwen3ForCausalLM(config), settings, train_dataset=rows, processing_class=tokens)
    (batch,) = trainer.get_train_dataloader()
    ids, labels = batch["input_ids"][0], batch["labels"][0]
    learnt = tokens.decode(ids[labels != -100])
    for part in ("<think>", row.reasoning, "</think>", row.solution):
        assert part in learnt
    assert row.problem not in learnt
    assert row.problem in tokens.decode(ids[labels == -100])


def test_a_chat_template_that_drops_the_thinking_is_refused() -> None:
    forgets = PLAIN.replace("m.content", "m.content.split('</think>')[-1]")
    with pytest.raises(Refusal, match="chat template lose the thinking of row 00000001"):
        measure([example(1)], tokenizer(forgets), RECIPE)


def test_no_text_of_a_row_becomes_a_control_token() -> None:
    tokens = tokenizer()
    tokens.add_special_tokens({"additional_special_tokens": ["<|user|>", "<|assistant|>", "@@stop", "</s>"]})
    row = example(1, problem="Stop @@stop </s> <|end|>?", reasoning="No <|end|></s>", solution="So @@stop <|user|> 2")
    clean = example(1, problem="Stop?", reasoning="No", solution="So 2")
    special = set(tokens.all_special_ids)

    def controls(one: Example) -> list[int]:
        [made] = measure([one], tokens, RECIPE).rows
        ids = tokens.apply_chat_template([*made["prompt"], *made["completion"]], return_dict=False)
        return [id_ for id_ in ids if id_ in special]

    assert controls(row) == controls(clean)


def test_a_tokenizer_that_cannot_write_digits_is_refused() -> None:
    tokens = tokenizer()
    tokens.add_tokens(["4"])
    tokens.backend_tokenizer.decoder = None
    with pytest.raises(Refusal, match="tokenizer and its chat template lose the"):
        measure([example(1)], tokens, RECIPE)


def test_what_is_too_long_is_left_out_whole_and_its_difficulty_reported() -> None:
    short, long = example(1, difficulty=0.25), example(2, difficulty=1.0, reasoning="round and round " * 40)
    found = measure([short, long], tokenizer(), RECIPE)
    assert len(found.rows) == 1
    assert short.reasoning in found.rows[0]["completion"][0]["content"]
    assert (found.too_long, found.difficulty, found.difficulty_too_long) == (1, 0.25, 1.0)


def test_problems_that_differ_in_numbers_only_are_never_on_both_sides() -> None:
    held_out = HeldOut(topics=0.2, clusters=0.3, validation=0.1)
    words = [f"A {shape} of {size} tiles" for shape in ("row", "ring", "net", "star", "tree", "path") for size in "ab"]
    for text in words:
        rows = [{"subject": "s", "topic": "t0", "problem": f"{text}, {n}.5 wide", "split": TRAIN} for n in range(9)]
        assert len({assign_split(row, held_out) for row in rows}) == 1
    sides = [
        assign_split({"subject": "s", "topic": f"t{n}", "problem": f"{'x' * n}", "split": TRAIN}, held_out)
        for n in range(2000)
    ]
    shares = {side: sides.count(side) / len(sides) for side in set(sides)}
    assert shares == pytest.approx({"topic": 0.2, "cluster": 0.24, "validation": 0.08, TRAIN: 0.48}, abs=0.04)


async def test_a_completion_is_right_wrong_or_beyond_telling() -> None:
    worker = SymbolicWorker()
    reward = Reward(standard(worker), frozenset({2}))
    texts: dict[str, float | None] = {
        "So it is \\boxed{42}.": 1.0,
        "<think>\n6*7\n</think>\n\n\\boxed{42}": 1.0,
        "6*7</think>\\boxed{41}": 0.0,
        "<think>\nperhaps \\boxed{42}, perhaps": 0.0,
        "</think>I stop here": 0.0,
        "</think>\\boxed{42\\%}": None,
    }
    completions = [[{"role": "assistant", "content": text}] for text in texts]
    many = len(texts)
    ids = [[1, 2]] * many
    reported: dict[str, float] = {}
    about = (["42"] * many, ["number"] * many, ["6*7?"] * many)
    found = await reward(completions, *about, ids, reported.__setitem__, prompts=[])
    cut = await reward(completions, *about, [[1, 2, 1]] * many, dict[str, float]().__setitem__)
    inside = Reward(standard(worker), frozenset({2}), opens_thinking=True)
    thinking = await inside(completions[:1], ["42"], ["number"], ["6*7?"], ids[:1], dict[str, float]().__setitem__)
    await worker.aclose()
    assert cut == [0.0] * many, "what the token limit stops has no answer"
    assert thinking == [0.0], "a box inside the thinking is not an answer"
    assert found == list(texts.values())
    assert reported == {"unsure": pytest.approx(1 / 6)}
    assert final_answer("<think>\\boxed{1}</think>\\boxed{2} or \\boxed{3}") == "3"
