"""The last rule: a model that sees the question and two answers, nothing else, decides whether they mean the same.

It is called twice, with the sides swapped. A judge that decides by the order of the answers decides nothing.
"""

from dataclasses import dataclass
from pathlib import Path

from schemas.identity import content_hash
from shared.llm import Models
from shared.llm.response_models import Grade
from shared.ports import Comparison, Malformed, Model

PROMPT = Path(__file__).parent / "prompts" / "same_answer.md"
METHOD = "judge"


@dataclass(frozen=True, slots=True)
class Judge:
    """Called only where no rule can decide. It does not see who gave which answer, nor any verdict on them."""

    model: Model
    caller: str
    """Service that compares. Two services with the same pair use seeds of their own."""

    async def __call__(self, question: str, key: str, answer: str) -> Comparison:
        """Compare both ways round. Raises Transient when the model cannot be reached."""
        first = await self._compare(question, key, answer, self.caller)
        if first.agrees == "unsure":
            return first
        second = await self._compare(question, answer, key, f"{self.caller}, swapped")
        calls = (*first.calls, *second.calls)
        if second.agrees == first.agrees:
            return Comparison(first.agrees, METHOD, first.reason, calls)
        return Comparison("unsure", METHOD, f"{first.agrees}, and {second.agrees} with the sides swapped", calls)

    async def _compare(self, question: str, key: str, answer: str, purpose: str) -> Comparison:
        """One call. Its seed follows from the pair and from `purpose`, so that no two comparisons share a call."""
        fields = {"question": question, "key": key, "answer": answer}
        seed = int(content_hash("\n".join((purpose, *fields.values())))[:7], 16)
        try:
            grade, calls = await self.model.structured(fields, Grade, seed=seed)
        except Malformed as error:
            return Comparison("unsure", METHOD, str(error), error.calls)
        return Comparison(grade.agrees, METHOD, grade.reason, calls)


def open_judge(models: Models, caller: str) -> Judge | None:
    """The judge of a models file; None when the role is open."""
    return Judge(models.model("judge", models.prompt(PROMPT)), caller) if models.is_assigned("judge") else None
