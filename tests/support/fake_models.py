"""For tests of handlers: a model that returns scripted lines, and events."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from schemas.events import ItemEvent, ProblemRequested
from schemas.identity import factory_id
from schemas.item import Item, Problem, Provenance, Topic
from shared.answers.grade import Graders
from shared.llm.prompts import Prompt
from shared.llm.replies.structured_output import parse
from shared.ports import Malformed, Reply, T

E = TypeVar("E", bound=ItemEvent)
GRADER = Graders()
"""The real rules, without the process for symbolic expressions."""

TOPIC = Topic(subject="mathematics", field="topology", subfield="3-manifolds", name="lens spaces")
PROBLEM = Problem(
    statement="Let $L(7,2)$ be the lens space.\nHow many homotopy classes of self-maps of degree one does it have?",
    answer="8128",
    answer_type="number",
    rationale="Because of a secret reason.",
)


class ScriptedModel:
    """Returns its lines in turn, through the real prompt and parser. `CUT` lines are truncated."""

    CUT = "cut off: "

    def __init__(self, service: str, prompt: str, *lines: str, name: str = "scripted") -> None:
        self.name = name
        self.prompt = Prompt.load(Path("services") / service / "prompts" / f"{prompt}.md")
        self.lines = list(lines)
        self.asked: list[str] = []
        """The rendered prompts."""
        self.seeds: list[int] = []

    async def complete(self, fields: Mapping[str, str], *, seed: int) -> Reply:
        self.asked.append("\n".join(message["content"] for message in self.prompt.messages(fields, seed)))
        self.seeds.append(seed)
        line = self.lines.pop(0)
        fault = "too_long" if line.startswith(self.CUT) else None
        return Reply(line.removeprefix(self.CUT), "I think.", (provenance(seed),), fault)

    async def structured(
        self, fields: Mapping[str, str], form: type[T], *, seed: int
    ) -> tuple[T, tuple[Provenance, ...]]:
        reply = await self.complete(fields, seed=seed)
        try:
            return parse(form, reply.text), reply.calls
        except ValueError as error:
            raise Malformed(str(error), reply.calls) from error


def provenance(seed: int = 0) -> Provenance:
    return Provenance(
        role="test",
        endpoint="test",
        model="scripted",
        prompt="p",
        prompt_hash="h",
        seed=seed,
        started="2026-01-01T00:00:00+00:00",
        latency_s=0.1,
    )


def requested(index: int = 0, answer_type: str = "number") -> ProblemRequested:
    parent: UUID = TOPIC.id(factory_id("test"))
    return ProblemRequested.root(parent, "planner", index, plan="p", topic=TOPIC, answer_type=answer_type)


def item(problem: Problem = PROBLEM, index: int = 0) -> Item:
    return requested(index).item.with_(problem=problem)


def event(kind: type[E], item: Item, **fields: Any) -> E:
    """Make an event about an item, derived from its request."""
    return kind.of(requested(), "test", item=item, **fields)
