"""The plan: what the factory is asked to grow. A lab writes it as YAML; the planner adopts it."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from schemas.identity import content_hash

SUBJECTS: dict[str, str] = {
    "mathematics": "pure and applied mathematics",
    "physics": "theoretical and experimental physics",
    "chemistry": "physical, organic, inorganic and analytical chemistry",
    "biology": "molecular, cellular, evolutionary and quantitative biology",
    "computer science": "algorithms, complexity, systems and information theory",
    "linguistics": "phonology, morphology, syntax, semantics and computational linguistics",
    "literature": "literary history, poetics, textual criticism and metre",
    "history": "political, economic and cultural history, chronology and historical method",
}
"""Subjects that need no description in a plan (the eight of the CHIMERA paper)."""

ALL = "all"
"""What the limit on the sum of all models goes by."""

UNLIKELY = 1e-6
"""Highest chance that every topic of a subject is held out: it would never get a row."""

View = Literal["sft", "rl"]
Share = Annotated[float, Field(gt=0)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Subject(_Part):
    """One subject of the plan."""

    weight: Share = 1.0
    """Its share of the rows, relative to the other weights."""
    about: str | None = None
    """What it means, in a sentence. Needed for a subject outside the built-in eight."""
    topics: int = Field(default=8, ge=1, le=10_000)
    """How many topics to expand it into."""


class Verification(_Part):
    """How a verifier works and which tier enters which view."""

    blind_attempts: int = Field(default=4, ge=1, le=64)
    """Most blind attempts a verifier makes; it stops at the first that hits the key or, where a guess may hit, once
    its hits are hardly luck."""
    accept: dict[View, tuple[str, ...]] = {"sft": ("verified",), "rl": ("verified", "plausible")}
    """Tiers that enter each view. A plausible row enters sft when the solver lands on the key too."""
    policy: Literal["evidence", "paper"] = "evidence"
    """What a tier rests on. `paper` is for comparison: two nods with the key in view make an item `nodded`, whatever
    was found blind; `accept` is then `nodded` for both views unless it says otherwise."""

    @model_validator(mode="before")
    @classmethod
    def _paper_accepts_nods(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("policy") == "paper":
            return {"accept": {"sft": ("nodded",), "rl": ("nodded",)}, **given}
        return given


class Solving(_Part):
    """How much solving an accepted problem is worth."""

    probe_attempts: int = Field(default=0, ge=0, le=64)
    """Cheap attempts by the model that will be trained, before a long solution is paid for; 0: difficulty unknown."""
    max_base_pass: float = Field(default=1.0, ge=0, le=1)
    """Reject as too easy above this share of probe hits."""
    traces: int = Field(default=1, ge=1, le=64)
    """Solutions wanted per problem."""
    retries: int = Field(default=1, ge=0, le=64)
    """Further solutions asked for while none has landed on the key."""


class Releases(_Part):
    """When the dataset gets a version for people, and when training starts."""

    every_rows: int = Field(default=1000, ge=1)
    """Release after so many new admitted rows, and always when the target is reached."""
    train_after_rows: int = Field(default=1000, ge=1)
    """Trigger training when so many rows have been admitted since the last trigger."""


class HeldOut(_Part):
    """What is kept from all training views and does not count towards `rows`.

    Set it before the first row: of what is there already, nothing moves.
    """

    share: float = Field(default=0.0, ge=0, lt=1)
    """Share of the problems, drawn by what twins have in common: variants of one problem stay together."""
    topics: float = Field(default=0.0, ge=0, lt=1)
    """Share of the topics that are held out whole, besides."""


class Audits(_Part):
    """How often what was accepted goes through the checks again, broken on purpose, so that they are measured."""

    rate: float = Field(default=0.05, ge=0, le=1)
    """Share of the accepted items that are audited; 0 turns audits off. Each is verified up to twice more."""
    controls: str | None = None
    """A file of problems known to be good, as JSON lines, which are mixed in: who refuses one is too strict."""

    @field_validator("controls")
    @classmethod
    def _found_from_every_folder(cls, path: str | None) -> str | None:
        if path is not None and not path.startswith("/"):
            raise ValueError("give the whole path, from /: services run in folders of their own")
        return path


class Limit(_Part):
    """Most that may be spent, ever; what is not given is not limited."""

    tokens: int | None = Field(default=None, ge=1)
    """Tokens of prompts and answers, thinking included."""
    dollars: float | None = Field(default=None, gt=0)
    """US dollars by the prices in the models file."""


class Budget(Limit):
    """Most that may be spent in all, and on single models."""

    models: dict[str, Limit] = {}
    """By name of the model as served."""

    def limits(self) -> dict[str, Limit]:
        """Every limit by the model that it is for, ALL for the sum; empty without a budget."""
        everything = {ALL: Limit(tokens=self.tokens, dollars=self.dollars), **self.models}
        return {model: limit for model, limit in everything.items() if limit != Limit()}


class Plan(_Part):
    """What to grow: subjects with weights, rows, and the policies of each step."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    license: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9.-]*$")
    """Of the dataset, by its name on the Hugging Face hub, such as apache-2.0; it stands on the card of an export."""
    rows: int = Field(ge=1)
    """Rows wanted in all, admitted to the sft view."""
    subjects: dict[str, Subject] = Field(min_length=1)
    answer_types: tuple[str, ...] = ("number", "expression", "text")
    """Types of answer to ask for, in turn."""
    in_progress: int = Field(default=48, ge=1)
    """Most problems under way at once."""
    yield_assumed: float = Field(default=0.5, gt=0, le=1)
    """Share of requested problems that become rows, until it has been measured."""
    verification: Verification = Verification()
    solving: Solving = Solving()
    releases: Releases = Releases()
    audits: Audits = Audits()
    held_out: HeldOut = HeldOut()
    budget: Budget = Budget()

    @model_validator(mode="after")
    def _subjects_are_described(self) -> Self:
        for name, subject in self.subjects.items():
            if name not in SUBJECTS and not subject.about:
                known = ", ".join(SUBJECTS)
                raise ValueError(f"unknown subject {name!r}: use one of {known}; or say what it is about with `about:`")
        return self

    @model_validator(mode="after")
    def _no_subject_is_held_out_whole(self) -> Self:
        for name, subject in self.subjects.items():
            if self.held_out.topics**subject.topics > UNLIKELY:
                raise ValueError(
                    f"{name!r} has so few topics that all might be held out: give it more, or hold out fewer"
                )
        return self

    @property
    def hash(self) -> str:
        """SHA-256 of the plan, hexadecimal."""
        return content_hash(self.model_dump_json())

    def about(self, subject: str) -> str:
        """What a subject of this plan means, in a sentence."""
        return self.subjects[subject].about or SUBJECTS[subject]

    def candidates(self) -> tuple[str, ...]:
        """Subjects to tell a problem's own from: the plan's, and where there is but one, the built-in eight too."""
        return tuple(self.subjects if len(self.subjects) > 1 else dict.fromkeys((*self.subjects, *SUBJECTS)))

    def quotas(self) -> dict[str, int]:
        """Rows for each subject: shares of `rows` by largest remainder, so that they add up exactly."""
        total = sum(subject.weight for subject in self.subjects.values())
        exact = {name: self.rows * subject.weight / total for name, subject in self.subjects.items()}
        quotas = {name: int(share) for name, share in exact.items()}
        by_remainder = sorted(exact, key=lambda name: quotas[name] - exact[name])
        for name in by_remainder[: self.rows - sum(quotas.values())]:
            quotas[name] += 1
        return quotas
