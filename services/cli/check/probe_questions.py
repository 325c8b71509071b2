"""What each role is asked when it is tried out: a small fixed problem, in the way that its service asks."""

from dataclasses import dataclass

from pydantic import BaseModel

from shared.llm.response_models import Draft, Grade, Judgement

CALLS = 2
"""Most calls for one role."""


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
