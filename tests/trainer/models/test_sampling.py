"""The sampler in this process: where a completion ends, and what its text is."""

import asyncio
import re
from pathlib import Path
from string import ascii_letters

import pytest
from transformers import PreTrainedTokenizerFast

from shared.answers.extract import final_answer
from tests.trainer import clock
from tests.trainer.tiny import END, PLAIN, example, tokenizer
from trainer.models import weights
from trainer.models.sampling import InProcessSampler, Sample, opens_thinking
from trainer.recipe import Evaluate, Recipe


def samples(folder: Path, *ends: int, template: str = PLAIN) -> list[Sample]:
    """Sample a model that knows nothing, whose generation config has these further end tokens."""
    model = weights.load_model(str(clock.newborn(folder)))
    tokens = weights.load_tokenizer(str(folder))
    model.generation_config.eos_token_id = [tokens.eos_token_id, *ends]
    tokens.chat_template = template
    sampler = InProcessSampler(model, tokens, Recipe(base="none"), Evaluate(samples=16, ks=(1,), max_tokens=30))

    async def all_of() -> list[Sample]:
        return [one async for _, its in sampler.sample([example(1)], 16) for one in its]

    return asyncio.run(all_of())


def test_a_completion_ends_at_every_end_token_of_the_generation_config(tmp_path: Path) -> None:
    tokens = tokenizer()
    letters = [tokens.convert_tokens_to_ids(letter) for letter in ascii_letters]
    found = samples(tmp_path, *letters)
    assert sum(one.truncated for one in found) <= 2, "one token in five ends it: 30 without one are rare"
    tags = re.compile(r"<[^<>]*>|\\boxed")  # tokens of their own
    assert not any(set(tags.sub("", one.text)) & set(ascii_letters) for one in found)
    assert sum(one.truncated for one in samples(tmp_path)) >= 8


@pytest.mark.parametrize(("opening", "opened"), [("<|assistant|>", False), ("<|assistant|><think>\n", True)])
def test_the_text_begins_with_the_thinking_that_the_template_opens(opening: str, opened: bool, tmp_path: Path) -> None:
    template = PLAIN.replace("<|assistant|>{%", f"{opening}{{%")
    assert opens_thinking(tokenizer(template)) is opened
    texts = [one.text for one in samples(tmp_path, template=template)]
    assert [text.startswith("<think>") for text in texts] == [opened] * len(texts)


def test_a_tokenizer_without_a_pad_token_pads_with_its_end_token(tmp_path: Path) -> None:
    tokens: PreTrainedTokenizerFast = tokenizer()
    tokens.pad_token = None
    tokens.save_pretrained(tmp_path)
    assert weights.load_tokenizer(str(tmp_path)).pad_token == END


def test_an_answer_without_thinking_counts_alike_sampled_and_served() -> None:
    plain = "So the answer is \\boxed{5}."
    assert final_answer(plain) == final_answer(f"</think>{plain}") == "5"
