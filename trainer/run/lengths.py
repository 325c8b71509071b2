"""Lengths in tokens of the rows that a run trains on."""

import math
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from trainer.data import render_completion, render_prompt
from trainer.example import TRAIN
from trainer.run.run_folder import Run


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths in tokens: of each row that fits, of each completion, and the mean of prompts."""

    taught: list[int]
    too_long: int
    prompt: int
    completions: list[int]

    @property
    def completion(self) -> int:
        return round(fmean(self.completions))

    def longest_of(self, count: int, limit: int) -> int:
        """Return the expected longest of a number of completions, which the limit truncates."""
        ranked = sorted(self.completions)
        return min(ranked[math.ceil(count / (count + 1) * len(ranked)) - 1], limit)


def measure_lengths(run: Run, tokens: Any) -> Lengths:
    """Measure every training row with the tokenizer."""
    taught, prompts, completions = list[int](), list[int](), list[int]()
    for row in (row for row in run.examples if row.split == TRAIN):
        prompt = render_prompt(run.recipe, row, tokens)
        prompts.append(len(tokens.apply_chat_template(prompt, add_generation_prompt=True, return_dict=False)))
        if row.is_for_sft:
            whole = tokens.apply_chat_template(prompt + render_completion(row, tokens), return_dict=False)
            taught.append(len(whole))
            completions.append(len(whole) - prompts[-1])
    fit = [length for length in taught if length <= run.recipe.max_length]
    return Lengths(fit, len(taught) - len(fit), round(fmean(prompts)), completions)
