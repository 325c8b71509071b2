"""The item: one problem with everything known about it so far."""

import re
from collections.abc import Iterable
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from schemas.belief import Belief
from schemas.identity import content_hash, derive, normal_form
from schemas.model import Model, added

Agreement = Literal["yes", "no", "unsure"]
"""Whether an answer agrees with the key; `unsure`: cannot be decided."""

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
"""The name of a model at a hub, such as Qwen/Qwen3-32B."""

IMPORT_ROLE = "import"
"""Role of the command that brings in problems from files."""

FAULTS = ("too_long", "runaway", "refused", "empty")
"""Why a model's reply has no answer: truncated at the highest limit, beyond any limit, refused, empty."""


ANSWER_TYPES = (
    *("number", "expression", "relation", "interval", "set", "multiset", "tuple", "list", "vector", "matrix"),
    *("permutation", "formula", "text", "name", "date", "code", "choice", "yes_no"),
)
"""Kinds of answers that the rules for comparing know; any other is compared by its form."""


class Topic(Model):
    """A topic of a subject, with its path subject › field › subfield › name."""

    subject: str
    field: str
    subfield: str
    name: str

    def id(self, factory: UUID) -> UUID:
        """Id of the topic in a factory. Names that differ only in case or spacing have the same id."""
        return derive(factory, f"topic/{normal_form(self.subject)}/{normal_form(self.name)}")


def weights_name(endpoint: str, weights: str) -> str:
    """Name of a model by its weights: a hub id, or a path with the endpoint where it is."""
    hub_id = weights.partition("@")[0]
    return hub_id if HUB_ID.fullmatch(hub_id) else f"{endpoint}: {weights}"


class Provenance(Model):
    """One model call: the origin of a text. Unknown is `None`, never 0."""

    role: str
    """The caller: problem_writer, verifier-a, …"""
    endpoint: str
    """Alias of the endpoint, never its address or key."""
    model: str
    revision: str | None = None
    served: str | None = None
    """The model's name in the answer, where it differs."""
    simulated: bool = False
    prompt: str
    """Name of the prompt file."""
    prompt_hash: str
    prompt_origin: str | None = added()
    """File of a prompt of the user's own; `None`: the shipped prompt."""
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
    repaired: bool | None = added()
    """True when the JSON of the reply had to be repaired before it could be read."""
    weights: str | None = added()
    """What the endpoint says is behind the model's name, if it is not the name: hub id, with `@revision` if known, or
    path."""

    @property
    def identities(self) -> frozenset[str]:
        """Names of the model. Calls with a common one have the same model, whatever else it is called."""
        names = {self.model}
        if self.served:
            names.add(f"{self.endpoint}: {self.served}")
        if self.weights:
            names.add(weights_name(self.endpoint, self.weights))
        return frozenset(names)

    @property
    def answered_by(self) -> str:
        """The model that answered: its weights where the endpoint reports them, otherwise its name."""
        return self.weights or self.model

    @property
    def full_name(self) -> str:
        """The name, and what the endpoint says is behind it."""
        return f"{self.model} ({self.weights})" if self.weights else self.model


class Problem(Model):
    """A problem statement with the writer's key."""

    statement: str
    answer: str
    answer_type: str
    """What the answer is, one of ANSWER_TYPES; open: events of other versions may have others."""
    rationale: str
    """The writer's short solution. No verifier or solver sees it."""

    @property
    def fingerprint(self) -> str:
        """A hash that is equal for statements that differ only in case, spacing or Unicode form."""
        return content_hash(normal_form(self.statement))


class Vote(Model):
    """One blind attempt. `answer` is `None` without a final answer: then it does not count as a vote."""

    answer: str | None
    agrees: Agreement
    method: str
    """How it was compared with the key, or why it was not."""
    rival: str | None = added()
    """The earlier rival answer that it is, as its verifier compared them."""
    other_than: tuple[str, ...] | None = added()
    """Earlier rival answers that it is not."""


class Judgement(Model):
    """A verifier's judgement with the key in view, point by point."""

    well_posed: bool
    self_contained: bool
    unique_answer: bool
    correct: bool
    on_topic: bool
    hard_enough: bool
    open_problem: bool
    reason: str
    reasons: dict[str, str] = Field(default_factory=dict)
    """The reason for each point."""
    subjects: tuple[str, ...] = ()
    """The verifier's classification of the problem, closest first. It does not know the requested subject."""

    @property
    def good(self) -> bool:
        """Whether every point is in favour of the item, difficulty aside: opinions on it are unreliable."""
        points = (self.well_posed, self.self_contained, self.unique_answer, self.correct, self.on_topic)
        return all(points) and not self.open_problem


class Verdict(Model):
    """The result of one verifier: blind votes, then its judgement."""

    role: str
    model: str
    problem_hash: str
    votes: tuple[Vote, ...] = ()
    judgement: Judgement | None = None
    unable: str | None = None
    """Why the verifier could not reach a verdict; `None` when it did."""
    judged_votes: int | None = added()
    """How many of the votes the judge saw; `None`: all. Later ones were requested by the panel."""

    @property
    def seen_votes(self) -> tuple[Vote, ...]:
        """The votes that its judge saw."""
        return self.votes[: self.judged_votes]

    @property
    def hits(self) -> int:
        """Votes that agree with the key."""
        return sum(vote.agrees == "yes" for vote in self.votes)


class Adjudication(Model):
    """A blind choice between the key and a rival answer, by a model that does not know which is the key."""

    role: str
    model: str
    rival: str
    chosen: Literal["key", "rival", "neither"]
    key_first: bool
    """Whether the key was the first of the two shown."""
    reason: str = ""


class Probe(Model):
    """How hard the problem is for the model that will be trained: hits among the graded attempts."""

    attempts: int
    hits: int
    ungraded: int = 0

    @property
    def difficulty(self) -> float | None:
        """Share of the graded attempts that missed; `None` when none could be graded."""
        graded = self.attempts - self.ungraded
        return (graded - self.hits) / graded if graded else None


class Attempt(Model):
    """One solution: the thinking, the text after it, and its answer."""

    index: int
    reasoning: str
    solution: str
    answer: str | None = None
    agrees: Agreement | None = None
    """`None` until checked."""
    method: str | None = None
    flaws: tuple[str, ...] = ()
    """Flaws of the trace: a fault, no_thinking, no_answer, repetition, unclosed, control_token, foreign_script,
    off_topic, `told`; an open set."""
    provenance: Provenance

    @property
    def is_imported(self) -> bool:
        """Whether it came with an imported problem: it is no evidence for the key that came with it."""
        return self.provenance.role == IMPORT_ROLE


class ImportSource(Model):
    """The record of a user's file that a problem was imported from."""

    file: str
    """Name of the file, without its folder."""
    line: int
    form: str
    """The form in which the record was read, such as gsm8k, or `columns`."""
    counts: bool = False
    """Whether the row counts towards the plan's rows; otherwise it is only in views of imported rows."""


class Step(Model):
    """One event of the item, with its model calls."""

    service: str
    event: UUID
    type: str
    calls: tuple[Provenance, ...] = ()
    adjudication: Adjudication | None = added()
    """What an adjudicator chose in this step."""
    belief: Belief | None = added()
    """Belief in the key after this step, where it changed."""
    source: ImportSource | None = added()
    """`None`: the item was not imported in this step."""
    left: tuple[str, ...] | None = added()
    """Views that the row left in this step because the probe always hit the key."""


def adjudications_in(lineage: Iterable[Step]) -> tuple[Adjudication, ...]:
    """What adjudicators chose in the steps of an item."""
    return tuple(step.adjudication for step in lineage if step.adjudication)


def last_belief(lineage: Iterable[Step]) -> Belief | None:
    """Belief in the key after the last step of an item that changed it."""
    return next((step.belief for step in reversed(tuple(lineage)) if step.belief), None)


class Easier(Model):
    """A problem that was too easy, of which a harder version is requested."""

    problem: UUID
    statement: str
    answer: str
    times: int
    """How often the idea has been sent back, including this time."""


class Example(Model):
    """An accepted problem with its answer, shown to the writer of another one."""

    statement: str
    answer: str


class Item(Model):
    """Everything known about one problem. Each service adds its results and passes on the rest."""

    id: UUID
    plan: str
    topic: Topic
    harder_than: Easier | None = None
    """The problem that the writer started from; `None`: from the topic alone."""
    problem: Problem | None = None
    fingerprint: str | None = None
    verdicts: tuple[Verdict, ...] = ()
    tier: str | None = None
    """verified, plausible, disputed, unsolved; an open set."""
    tier_reason: str | None = None
    belief: Belief | None = added()
    """`None`: not both verifiers have given a verdict, or an older version decided."""
    probe: Probe | None = None
    """`None`: not probed, difficulty unknown."""
    attempts: tuple[Attempt, ...] = ()
    lineage: tuple[Step, ...] = ()

    @property
    def written(self) -> Problem:
        """The problem of a drafted item. Raises ValueError when there is none yet."""
        if self.problem is None:
            raise ValueError(f"item {self.id} has no problem yet")
        return self.problem

    def writer_names(self, *more: Provenance) -> frozenset[str]:
        """Names of the writer's model: of its own calls, and of the item's and `more` calls with the same weights."""
        calls = [call for step in self.lineage if step.type == "problem.drafted" for call in step.calls]
        identities = frozenset[str]().union(*(call.identities for call in calls))
        return frozenset(call.model for call in (*self.calls, *more) if call.identities & identities)

    @property
    def own_attempts(self) -> tuple[Attempt, ...]:
        """The solver's attempts, without one that came with an imported problem."""
        return tuple(attempt for attempt in self.attempts if not attempt.is_imported)

    @property
    def source(self) -> ImportSource | None:
        """Where the problem was imported from; `None` when a model wrote it."""
        return next((step.source for step in self.lineage if step.source), None)

    @property
    def adjudications(self) -> tuple[Adjudication, ...]:
        """What adjudicators chose, in order."""
        return adjudications_in(self.lineage)

    @property
    def calls(self) -> tuple[Provenance, ...]:
        """All model calls for the item."""
        return tuple(call for step in self.lineage for call in step.calls)

    @property
    def independent(self) -> bool:
        """Whether each role had its own model, by name and weights: a model's verdict on its own work is worth less.

        The probe does not count: it measures how hard a problem is, not whether the key is right.
        """
        roles: dict[str, set[str]] = {}
        for call in (*self.calls, *(attempt.provenance for attempt in self.own_attempts)):
            if call.role != "probe":
                for name in call.identities:
                    roles.setdefault(name, set()).add(call.role)
        return all(len(names) == 1 for names in roles.values())
