"""Writes a problem on a topic, with one short answer that can be checked."""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.events import Event, ProblemDrafted, ProblemRejected, ProblemRequested
from schemas.identity import seed
from schemas.item import Example, Problem
from services.problem_writer.guidance import GUIDANCE, GUIDANCE_ELSEWHERE
from shared.answers.extract import last_box
from shared.llm.response_models import Draft
from shared.llm.sanitize import neutralise, neutralise_statement, one_line
from shared.ports import Malformed, Model

ROLE = "problem_writer"

WISHES = {
    "number": "one number, exact where it can be, otherwise to a stated number of significant figures",
    "expression": "one closed-form expression; the problem names its variables, their domain, the branch and, for \
logarithms, the base",
    "relation": "one equation or inequality in the variables of the problem",
    "interval": r"one interval or union of intervals, written [a, b) \cup (c, d]",
    "set": r"one finite set, written \{a, b, c\}",
    "multiset": r"one finite multiset, written \{a, a, b\}, each element as often as it occurs",
    "tuple": "one ordered tuple, written (a, b, c), in the order that the problem names",
    "list": "one finite sequence, written [a, b, c]",
    "vector": "one vector by its components, written (a, b, c)",
    "matrix": r"one matrix, written \begin{pmatrix} a & b \\ c & d \end{pmatrix}",
    "permutation": "one permutation as a product of disjoint cycles, written (1 2 3)(4 5)",
    "formula": "one chemical formula, ion or reaction equation",
    "text": "one name, term or short phrase; the problem says in which form: full name or surname, language, number",
    "name": "one proper name, in the form that is usual in the language of the problem",
    "date": "one date, written 5 March 1848",
    "code": "one string or program output, taken character by character",
}
"""Wording of the request by answer type; any other type is requested by its name."""

FREE = "as you like"


@dataclass(frozen=True, slots=True)
class WriteProblem:
    """One problem per request: from its topic, or from a problem that was too easy."""

    draft: Model
    harder: Model

    async def __call__(self, event: ProblemRequested) -> Iterable[Event]:
        topic = event.topic
        fields = {
            "subject": topic.subject,
            "field": topic.field,
            "subfield": topic.subfield,
            "topic": topic.name,
            "answer_type": event.answer_type,
            "wish": WISHES.get(event.answer_type, event.answer_type),
            "guidance": GUIDANCE.get(topic.subject, GUIDANCE_ELSEWHERE),
            "technique": event.technique or FREE,
            "structure": event.structure or FREE,
            "avoid": " ; ".join(map(one_line, event.avoid)) or "none",
            "rejections": " ; ".join(map(one_line, event.rejections or ())) or "none",
            "examples": "\n\n".join(map(_show, event.examples or ())) or "none",
        }
        model, easy = self.draft, event.harder_than
        if easy is not None:
            model, fields = self.harder, {**fields, "easy": easy.statement, "easy_answer": easy.answer}
        try:
            draft, calls = await model.structured(fields, Draft, seed=seed(event.id))
        except Malformed as error:
            return [
                ProblemRejected.of(
                    event, ROLE, item=event.item, calls=error.calls, reason=error.fault, detail=str(error)
                )
            ]
        problem = Problem(
            statement=neutralise_statement(draft.problem),
            answer=neutralise(last_box(draft.answer) or draft.answer.strip()),
            answer_type=draft.answer_type.strip().lower(),
            rationale=neutralise("\n\n".join(filter(None, (draft.solution.strip(), draft.check.strip())))),
        )
        return [ProblemDrafted.of(event, ROLE, item=event.item.with_(problem=problem), calls=calls)]


def _show(example: Example) -> str:
    return f"Problem: {example.statement}\nAnswer: {one_line(example.answer)}"
