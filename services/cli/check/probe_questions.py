"""What each role is asked when it is tried out: a small fixed problem, in the way that its service asks."""

from dataclasses import dataclass

from pydantic import BaseModel

from shared.llm.response_models import Draft, Grade, Judgement

CALLS = 2
"""Most calls for one role."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question. Without a form it is a problem, to be solved at length."""

    prompt: str
    form: type[BaseModel] | None = None
    boxed: bool = False
    """The answer must stand in a box, as it is read from there."""
    thinks: bool = False
    """The thinking must come too."""


_BLIND = (Question("solve", boxed=True), Question("judgement", Judgement))
QUESTIONS: dict[str, tuple[Question, ...]] = {
    "writer": (Question("draft", Draft),),
    "verifier_a": _BLIND,
    "verifier_b": _BLIND,
    "solver": (Question("solve", boxed=True, thinks=True),),
    "judge": (Question("grade", Grade),),
    "base": (Question("solve"),),
}
