"""A problem with an exact answer, and the sketch from which it is made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

AnswerType = Literal["number", "expression", "text", "set", "tuple"]


@dataclass(frozen=True, slots=True)
class Sketch:
    """The result of a family. `text` may contain variants of wording, `⟨one|another⟩`, from which the bank chooses."""

    text: str
    """One line, ASCII, self-contained, with exactly one answer."""
    answer: str
    """LaTeX or plain; also the end of the last step."""
    slips: Sequence[str]
    """Natural wrong answers, most likely first; at least three must differ from the true answer and from each other."""
    steps: Sequence[str]
    """The worked solution. It identifies the problem: sketches with equal steps are one problem in other words."""
    difficulty: float
    """About −2 (easy) to 3."""
    answer_type: AnswerType = "number"


Family = Callable[[Random], Sketch]
"""Draws one problem of a kind; a pure function of the generator's state."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem of the bank."""

    id: str
    subject: str
    family: str
    text: str
    answer: str
    answer_type: AnswerType
    difficulty: float
    steps: tuple[str, ...]
    slips: tuple[str, str, str]
    """The wrong answers that every role shares: errors are correlated, as between real models."""

    def worked(self, answer: str) -> list[str]:
        """Return the worked solution that ends with `answer` (the true answer or a slip)."""
        head, _, tail = self.steps[-1].rpartition(self.answer)
        return [*self.steps[:-1], head + answer + tail]
