"""Schemas of structured answers. The services request them, and `chimera check models` tests them.

Names, order and docstrings are part of the request, and so of the key of a recorded call: a change makes an upgraded
factory repeat the calls of events that had not ended. Work comes before the verdict that it leads to. Fields with
a default may be missing in a reply.
"""

from typing import Literal

from pydantic import BaseModel

from schemas.item import Agreement


class Draft(BaseModel):
    """What the writer hands in: the answer after the work, so that the work is no excuse for it."""

    plan: str = ""
    problem: str
    solution: str
    check: str = ""
    answer: str
    answer_type: str


class Reasons(BaseModel):
    """One sentence for each point."""

    well_posed: str
    self_contained: str
    unique_answer: str
    correct: str
    hard_enough: str
    established: str


class Judgement(BaseModel):
    """A verdict: working, then reasons, then points, of which true always favours the problem.

    Then the subjects as the judge finds them, and a word of its prompt: it does not know the requested topic.
    """

    working: str = ""
    second_answer: str = ""
    reasons: Reasons
    well_posed: bool
    self_contained: bool
    unique_answer: bool
    correct: bool
    hard_enough: bool
    established: bool
    subjects: list[str]
    reason: str
    canary: str


class Adjudication(BaseModel):
    """Which of two answers is right; a word of the prompt shows that it was made for this call."""

    working: str = ""
    reason: str
    right: Literal["first", "second", "neither"]
    canary: str


class Same(BaseModel):
    """What the judge says of two problems."""

    working: str = ""
    reason: str
    same: Agreement


class Grade(BaseModel):
    """What the judge says of two answers."""

    working: str = ""
    reason: str
    agrees: Agreement
