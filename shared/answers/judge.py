"""The last rule: a model that sees the question and the two answers, nothing else, says whether they mean the same."""

from dataclasses import dataclass
from pathlib import Path

from schemas.identity import content_hash
from shared.llm import Models, Prompt
from shared.llm.response_models import Grade
from shared.ports import Comparison, Malformed, Model

PROMPT = Path(__file__).parent / "prompts" / "same_answer.md"
METHOD = "judge"


@dataclass(frozen=True, slots=True)
class Judge:
    """Asked only where no rule can tell. It knows neither who gave which answer nor what anybody thought of it."""

    model: Model
    asker: str
    """Service that compares. Two services that ask the same roll dice of their own."""

    async def __call__(self, question: str, key: str, answer: str) -> Comparison:
        """Raises Transient when the model cannot be reached."""
        fields = {"question": question, "key": key, "answer": answer}
        dice = int(content_hash("\n".join((self.asker, *fields.values())))[:7], 16)
        try:
            said, calls = await self.model.structured(fields, Grade, seed=dice)
        except Malformed as error:
            return Comparison("unsure", METHOD, str(error), error.calls)
        return Comparison(said.agrees, METHOD, said.reason, calls)


def open_judge(models: Models, asker: str) -> Judge | None:
    """The judge of a models file; None when the role is open."""
    return Judge(models.model("judge", Prompt.load(PROMPT)), asker) if models.is_assigned("judge") else None
