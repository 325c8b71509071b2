"""The verdict as a judge writes it: reasons before points, the subjects as it finds them, and a word it was told."""

from pydantic import BaseModel


class Reasons(BaseModel):
    """One sentence for each point."""

    well_posed: str
    self_contained: str
    unique_answer: str
    correct: str
    hard_enough: str
    open_problem: str


class Judgement(BaseModel):
    """What is asked for. That it is on topic is not asked but found: the judge is not told the topic."""

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
