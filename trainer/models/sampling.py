"""Samplers: the interface, and the one that generates in this process."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from schemas.identity import content_hash
from trainer.data import render_prompt
from trainer.example import Example
from trainer.metrics.rewards import OPEN
from trainer.models import weights
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
    evaluation: Evaluate

    async def sample(self, examples: Sequence[Example], samples: int) -> SampleStream:
        self.model.eval()
        for batch in _batches(examples, max(1, self.evaluation.batch // samples)):
            found = self._generate(batch, samples)
            for at, example in enumerate(batch):
                yield example, found[at * samples : (at + 1) * samples]

    def _generate(self, batch: Sequence[Example], samples: int) -> list[Sample]:
        ends = weights.end_token_ids(self.model, self.tokenizer)
        torch.manual_seed(derive_seed(self.recipe.seed, batch[0].id))
        inputs = self.tokenizer.apply_chat_template(
            [render_prompt(self.recipe, example, self.tokenizer) for example in batch],
            add_generation_prompt=True,
            padding=True,
            return_tensors="pt",
            return_dict=True,
        ).to(self.model.device)
        completions = self.model.generate(
            **inputs,
            do_sample=True,
            temperature=self.evaluation.temperature,
            top_p=self.evaluation.top_p,
            top_k=self.evaluation.top_k,
            max_new_tokens=self.evaluation.max_tokens,
            num_return_sequences=samples,
            eos_token_id=ends,
            pad_token_id=self.tokenizer.pad_token_id,
        )[:, inputs["input_ids"].shape[1] :]
        prefix = OPEN if opens_thinking(self.tokenizer) else ""
        return [self._to_sample(ids.tolist(), ends, prefix) for ids in completions]

    def _to_sample(self, ids: list[int], ends: list[int], prefix: str) -> Sample:
        length = next((at for at, id_ in enumerate(ids) if id_ in ends), len(ids))
        return Sample(prefix + self.tokenizer.decode(ids[:length]), length, truncated=length == len(ids))


def opens_thinking(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Return whether the chat template ends with an opened thinking tag, so that a completion begins inside it."""
    prompt = [{"role": "user", "content": "?"}]
    text: str = tokenizer.apply_chat_template(prompt, add_generation_prompt=True, tokenize=False)
    return text.rstrip().endswith(OPEN)


def derive_seed(seed: int, id_: str) -> int:
    """Return the first seed of a problem."""
    return int(content_hash(f"{seed}/{id_}")[:7], 16)


def _batches(examples: Sequence[Example], size: int) -> Iterator[Sequence[Example]]:
    for start in range(0, len(examples), size):
        yield examples[start : start + size]
