"""The item: one problem with everything that has been found out about it so far."""

from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from schemas.identity import content_hash, derive, normal_form
from schemas.model import Model

Agreement = Literal["yes", "no", "unsure"]
"""Does an answer agree with the key? `unsure` means that it cannot be told."""


FAULTS = ("too_long", "runaway", "refused", "empty")
"""Why a reply of a model is no answer: cut off at the highest limit, beyond any limit, a refusal, nothing said."""


ANSWER_TYPES = (
    *("number", "expression", "relation", "interval", "set", "multiset", "tuple", "list", "vector", "matrix"),
    *("permutation", "formula", "text", "name", "date", "code", "choice", "yes_no"),
)
"""Kinds of answers that the rules for comparing know; any other is compared by its form."""


class Topic(Model):
    """One subject matter, at the end of the path subject › field › subfield › name."""

    subject: str
    field: str
    subfield: str
    name: str

    def id(self, factory: UUID) -> UUID:
        """Id of the topic in a factory; the same for names that differ only in case or spacing."""
        return derive(factory, f"topic/{normal_form(self.subject)}/{normal_form(self.name)}")


class Provenance(Model):
    """Where a text came from: one model call. Unknown is `None`, never 0."""

    role: str
    """Who asked: problem_writer, verifier-a, …"""
    endpoint: str
    """Alias of the endpoint, never its address or key."""
    model: str
    revision: str | None = None
    served: str | None = None
    """Name that the endpoint gave in its answer, where it is another one."""
    simulated: bool = False
    prompt: str
    """Name of the prompt file."""
    prompt_hash: str
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    extra: dict[str, Any] | None = None
    """Further sampling parameters."""
    seed: int | None = None
    attempt: int = 0
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    """All generated tokens, reasoning included."""
    reasoning_tokens: int | None = None
    started: str
    """Start of the call, ISO 8601, UTC."""
    latency_s: float
    cost: float | None = None
    """US dollars; `None` when the price is unknown."""


class Problem(Model):
    """A problem statement with the writer's key."""

    statement: str
    answer: str
    answer_type: str
    """What the answer is, one of ANSWER_TYPES; open: events of other versions may have others."""
    rationale: str
    """The writer's own short solution. Never shown to a verifier or solver."""

    @property
    def fingerprint(self) -> str:
        """Equal for statements that differ only in case, spacing or Unicode form."""
        return content_hash(normal_form(self.statement))


class Vote(Model):
    """One blind attempt. `answer` is `None` when there was none, or no final one: then it is no vote."""

    answer: str | None
    agrees: Agreement
    method: str
    """How it was compared with the key, or why it could not be."""


class Judgement(Model):
    """What a verifier says with the key in view, point by point."""

    well_posed: bool
    self_contained: bool
    unique_answer: bool
    correct: bool
    on_topic: bool
    hard_enough: bool
    open_problem: bool
    reason: str
    reasons: dict[str, str] = Field(default_factory=dict)
    """Why, by point."""
    subjects: tuple[str, ...] = ()
    """Where the verifier puts the problem, closest first; it was not told the subject asked for."""

    @property
    def good(self) -> bool:
        """Whether every point speaks for the item."""
        points = (self.well_posed, self.self_contained, self.unique_answer, self.correct, self.on_topic)
        return all(points) and self.hard_enough and not self.open_problem


class Verdict(Model):
    """What one verifier found: blind votes first, then its judgement."""

    role: str
    model: str
    problem_hash: str
    votes: tuple[Vote, ...] = ()
    judgement: Judgement | None = None
    unable: str | None = None
    """Why no verdict could be reached, when it could not."""

    @property
    def hits(self) -> int:
        """Votes that agree with the key."""
        return sum(vote.agrees == "yes" for vote in self.votes)


class Probe(Model):
    """How hard the problem is for the model that will be trained: hits of attempts that could be graded."""

    attempts: int
    hits: int
    ungraded: int = 0

    @property
    def difficulty(self) -> float | None:
        """Share of the graded attempts that missed; `None` when none could be graded."""
        graded = self.attempts - self.ungraded
        return (graded - self.hits) / graded if graded else None


class Attempt(Model):
    """One solution: the thinking, the text after it, and where it lands."""

    index: int
    reasoning: str
    solution: str
    answer: str | None = None
    agrees: Agreement | None = None
    """`None` until checked."""
    method: str | None = None
    flaws: tuple[str, ...] = ()
    """What is unsound about the trace: a fault, no_thinking, no_answer, repetition, unclosed, foreign_script,
    off_topic, told; open."""
    provenance: Provenance


class Step(Model):
    """One event in the life of the item, and the model calls that it took."""

    service: str
    event: UUID
    type: str
    calls: tuple[Provenance, ...] = ()


class Easier(Model):
    """A problem that was too easy, of which a harder relative is wanted."""

    problem: UUID
    statement: str
    answer: str
    times: int
    """How often the idea has been sent back, this time included."""


class Item(Model):
    """Everything known about one problem. Each service adds its part and passes the rest on."""

    id: UUID
    plan: str
    topic: Topic
    harder_than: Easier | None = None
    """What the writer was to start from; `None`: from the topic alone."""
    problem: Problem | None = None
    fingerprint: str | None = None
    verdicts: tuple[Verdict, ...] = ()
    tier: str | None = None
    """verified, plausible, disputed, unsolved; open."""
    tier_reason: str | None = None
    probe: Probe | None = None
    """`None`: not probed, difficulty unknown."""
    attempts: tuple[Attempt, ...] = ()
    lineage: tuple[Step, ...] = ()

    @property
    def written(self) -> Problem:
        """The problem of an item that has been drafted.

        Raises ValueError when there is none yet.
        """
        if self.problem is None:
            raise ValueError(f"item {self.id} has no problem yet")
        return self.problem

    @property
    def writer(self) -> str | None:
        """Name of the model that wrote the problem; `None` when nobody says so."""
        return next(
            (call.model for step in self.lineage if step.type == "problem.drafted" for call in step.calls), None
        )

    @property
    def calls(self) -> tuple[Provenance, ...]:
        """Every model call spent on the item."""
        return tuple(call for step in self.lineage for call in step.calls)

    @property
    def independent(self) -> bool:
        """Whether each role was played by a model of its own: a model's verdict on its own work is worth less.

        Known by the model's name. The probe does not count: it says how hard a problem is, not whether it is right.
        """
        roles: dict[str, set[str]] = {}
        for call in self.calls:
            if call.role != "probe":
                roles.setdefault(call.model, set()).add(call.role)
        return all(len(played) == 1 for played in roles.values())
