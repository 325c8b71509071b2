"""Answers of a model to problems: what a sampler is, and the one that generates in this process."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from schemas.identity import content_hash
from trainer.data import Example, prompt
from trainer.recipe import Evaluate, Recipe


@dataclass(frozen=True, slots=True)
class Sample:
    """One completion: the thinking first, closed by its tag."""

    text: str
    tokens: int | None
    """Generated, thinking included; None when the endpoint did not tell."""
    truncated: bool
    """Cut off at the limit of tokens."""
    cost: float | None = None
    """US dollars; None when unknown."""


Answers = AsyncGenerator[tuple[Example, list[Sample]], None]


class Sampler(Protocol):
    """Whatever answers problems."""

    def answers(self, examples: Sequence[Example], samples: int) -> Answers:
        """`samples` completions for every problem, in any order. The same for the same seed, so far as the model is."""
        ...


@dataclass(frozen=True, slots=True)
class InProcess:
    """transformers' own generation, a batch of whole problems at a time."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    recipe: Recipe
    how: Evaluate

    async def answers(self, examples: Sequence[Example], samples: int) -> Answers:
        self.model.eval()
        for batch in _batches(examples, max(1, self.how.batch // samples)):
            found = self._generated(batch, samples)
            for at, example in enumerate(batch):
                yield example, found[at * samples : (at + 1) * samples]

    def _generated(self, batch: Sequence[Example], samples: int) -> list[Sample]:
        torch.manual_seed(dice(self.recipe.seed, batch[0].id))
        asked = self.tokenizer.apply_chat_template(
            [prompt(self.recipe, example) for example in batch],
            add_generation_prompt=True,
            padding=True,
            return_tensors="pt",
            return_dict=True,
        ).to(self.model.device)
        written = self.model.generate(
            **asked,
            do_sample=True,
            temperature=self.how.temperature,
            top_p=self.how.top_p,
            top_k=self.how.top_k,
            max_new_tokens=self.how.max_tokens,
            num_return_sequences=samples,
            eos_token_id=self.tokenizer.eos_token_id,
            pad_token_id=self.tokenizer.pad_token_id,
        )[:, asked["input_ids"].shape[1] :]
        return [self._sample(ids.tolist()) for ids in written]

    def _sample(self, ids: list[int]) -> Sample:
        ended = self.tokenizer.eos_token_id in ids
        kept = ids[: ids.index(self.tokenizer.eos_token_id)] if ended else ids
        return Sample(self.tokenizer.decode(kept), len(kept), not ended)


def dice(seed: int, id_: str) -> int:
    """Where the dice of a problem begin."""
    return int(content_hash(f"{seed}/{id_}")[:7], 16)


def _batches(examples: Sequence[Example], size: int) -> Iterator[Sequence[Example]]:
    for start in range(0, len(examples), size):
        yield examples[start : start + size]
