"""Answers of a model to problems: generated in this process, or by any OpenAI-compatible endpoint."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from schemas.identity import content_hash
from shared.llm import Models, Prompt, load_cast
from trainer.data import Example, prompt
from trainer.recipe import Evaluate, Recipe

PER_CALL = 4
"""Problems handed to an endpoint at once, times their samples; its gate decides how many are in flight."""


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


class Sampler(Protocol):
    """Whatever answers problems."""

    def answers(self, examples: Sequence[Example], samples: int) -> Iterator[tuple[Example, list[Sample]]]:
        """`samples` completions for every problem, in order. The same for the same seed, so far as the model is."""
        ...


@dataclass(frozen=True, slots=True)
class InProcess:
    """transformers' own generation, a batch of whole problems at a time."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    recipe: Recipe
    how: Evaluate

    def answers(self, examples: Sequence[Example], samples: int) -> Iterator[tuple[Example, list[Sample]]]:
        self.model.eval()
        for batch in _batches(examples, max(1, self.how.batch // samples)):
            found = self._generated(batch, samples)
            yield from ((example, found[at * samples : (at + 1) * samples]) for at, example in enumerate(batch))

    def _generated(self, batch: Sequence[Example], samples: int) -> list[Sample]:
        torch.manual_seed(_dice(self.recipe.seed, batch[0].id))
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


@dataclass(frozen=True, slots=True)
class Served:
    """What plays `base` in a models file, asked as the recipe says. Retries, limits and prices are the file's."""

    models: Path
    recipe: Recipe
    how: Evaluate

    def answers(self, examples: Sequence[Example], samples: int) -> Iterator[tuple[Example, list[Sample]]]:
        with closing(asyncio.new_event_loop()) as loop:
            asked = Models(_sampled_as(load_cast(self.models), self.how), "trainer")
            model = asked.model("base", Prompt("evaluate", self.recipe.prompt))
            for batch in _batches(examples, PER_CALL):
                seeds = [[_dice(self.recipe.seed, e.id) + n for n in range(samples)] for e in batch]
                calls = [
                    model.complete({"problem": example.problem}, seed=seed)
                    for example, its in zip(batch, seeds, strict=True)
                    for seed in its
                ]
                replies = loop.run_until_complete(_all(calls))
                found = [_said(reply) for reply in replies]
                yield from ((example, found[at * samples : (at + 1) * samples]) for at, example in enumerate(batch))
            loop.run_until_complete(asked.aclose())


async def _all(calls: Iterable[Any]) -> list[Any]:
    return list(await asyncio.gather(*calls))


def _sampled_as(cast: Any, how: Evaluate) -> Any:
    """The cast, with `base` sampled as the recipe says."""
    sampling = {"temperature": how.temperature, "top_p": how.top_p, "max_tokens": how.max_tokens, "ceiling": None}
    part = cast.playing()["base"]
    part = part.model_copy(update={**sampling, "extra": {**part.extra, "top_k": how.top_k}})
    return cast.model_copy(update={"roles": cast.roles.model_copy(update={"base": part})})


def _said(reply: Any) -> Sample:
    provenance = reply.provenance
    text = f"{reply.reasoning}</think>{reply.text}" if reply.finished else reply.reasoning
    return Sample(text, provenance.completion_tokens, reply.fault == "too_long", provenance.cost)


def _dice(seed: int, id_: str) -> int:
    return int(content_hash(f"{seed}/{id_}")[:7], 16)


def _batches(examples: Sequence[Example], size: int) -> Iterator[Sequence[Example]]:
    for start in range(0, len(examples), size):
        yield examples[start : start + size]
