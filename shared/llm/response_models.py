"""Schemas of structured answers. The services request them, and `chimera check models` tests them.

Names, order and docstrings are part of the request, and so of the key of a recorded call: a change makes an upgraded
factory repeat its calls in flight.
"""

from pydantic import BaseModel

from schemas.item import Agreement


class Draft(BaseModel):
    """What the writer hands in."""

    problem: str
    answer: str
    answer_type: str
    solution: str


class Reasons(BaseModel):
    """One sentence for each point."""

    well_posed: str
    self_contained: str
    unique_answer: str
    correct: str
    hard_enough: str
    open_problem: str


class Judgement(BaseModel):
    """A verdict: reasons before points, the subjects as the judge finds them, and a word of its prompt.

    The judge finds the subject: it does not know the requested topic.
    """

    reasons: Reasons
    well_posed: bool
    self_contained: bool
    unique_answer: bool
    correct: bool
    hard_enough: bool
    open_problem: bool
    subjects: list[str]
    reason: str
    canary: str


class Same(BaseModel):
    """What the judge says of two problems."""

    same: Agreement
    reason: str


class Grade(BaseModel):
    """What the judge says of two answers."""

    agrees: Agreement
    reason: str
