"""Samplers: the interface, and the one that generates in this process."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from schemas.identity import content_hash
from trainer.data import Example, render_prompt
from trainer.recipe import Evaluate, Recipe


@dataclass(frozen=True, slots=True)
class Sample:
    """One completion; its text begins with the thinking, which its tag closes."""

    text: str
    tokens: int | None
    """Generated tokens, including thinking; None when the endpoint does not report them."""
    truncated: bool
    """Stopped by the token limit."""
    cost: float | None = None
    """US dollars; None when unknown."""


SampleStream = AsyncGenerator[tuple[Example, list[Sample]], None]


class Sampler(Protocol):
    """Samples completions of problems."""

    def sample(self, examples: Sequence[Example], samples: int) -> SampleStream:
        """Yield `samples` completions for every problem, in any order; deterministic by seed as far as the model is."""
        ...


@dataclass(frozen=True, slots=True)
class InProcessSampler:
    """Generates with transformers, in batches of whole problems."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    recipe: Recipe
    how: Evaluate

    async def sample(self, examples: Sequence[Example], samples: int) -> SampleStream:
        self.model.eval()
        for batch in _batches(examples, max(1, self.how.batch // samples)):
            found = self._generated(batch, samples)
            for at, example in enumerate(batch):
                yield example, found[at * samples : (at + 1) * samples]

    def _generated(self, batch: Sequence[Example], samples: int) -> list[Sample]:
        torch.manual_seed(derive_seed(self.recipe.seed, batch[0].id))
        inputs = self.tokenizer.apply_chat_template(
            [render_prompt(self.recipe, example) for example in batch],
            add_generation_prompt=True,
            padding=True,
            return_tensors="pt",
            return_dict=True,
        ).to(self.model.device)
        completions = self.model.generate(
            **inputs,
            do_sample=True,
            temperature=self.how.temperature,
            top_p=self.how.top_p,
            top_k=self.how.top_k,
            max_new_tokens=self.how.max_tokens,
            num_return_sequences=samples,
            eos_token_id=self.tokenizer.eos_token_id,
            pad_token_id=self.tokenizer.pad_token_id,
        )[:, inputs["input_ids"].shape[1] :]
        return [self._sample(ids.tolist()) for ids in completions]

    def _sample(self, ids: list[int]) -> Sample:
        ended = self.tokenizer.eos_token_id in ids
        kept = ids[: ids.index(self.tokenizer.eos_token_id)] if ended else ids
        return Sample(self.tokenizer.decode(kept), len(kept), not ended)


def derive_seed(seed: int, id_: str) -> int:
    """Return the first seed of a problem."""
    return int(content_hash(f"{seed}/{id_}")[:7], 16)


def _batches(examples: Sequence[Example], size: int) -> Iterator[Sequence[Example]]:
    for start in range(0, len(examples), size):
        yield examples[start : start + size]
