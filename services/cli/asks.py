"""What each role is asked when it is tried out: a small fixed problem, in the way that its service asks."""

from dataclasses import dataclass

from pydantic import BaseModel

from schemas.item import Agreement

CALLS = 2
"""Most calls for one role."""


class Draft(BaseModel):
    """What a writer hands in."""

    problem: str
    answer: str
    answer_type: str
    solution: str


class Grade(BaseModel):
    """What a judge says of two answers."""

    agrees: Agreement
    reason: str


class Reasons(BaseModel):
    """A sentence for each point."""

    well_posed: str
    self_contained: str
    unique_answer: str
    correct: str
    hard_enough: str
    open_problem: str


class Judgement(BaseModel):
    """What a verifier says."""

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


@dataclass(frozen=True, slots=True)
class Ask:
    """One question. Without a form it is a problem, to be solved at length."""

    prompt: str
    form: type[BaseModel] | None = None
    boxed: bool = False
    """The answer must stand in a box, as it is read from there."""
    thinks: bool = False
    """The thinking must come too."""


_BLIND = (Ask("solve", boxed=True), Ask("judgement", Judgement))
ASKS: dict[str, tuple[Ask, ...]] = {
    "writer": (Ask("draft", Draft),),
    "verifier_a": _BLIND,
    "verifier_b": _BLIND,
    "solver": (Ask("solve", boxed=True, thinks=True),),
    "judge": (Ask("grade", Grade),),
    "base": (Ask("solve"),),
}
