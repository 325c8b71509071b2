"""The plan, in YAML: which rows the factory makes. The planner adopts it."""

import re
from math import ceil
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from schemas.config.policies import (
    AbsolutePath,
    Audits,
    Budget,
    Difficulty,
    HeldOut,
    MinYield,
    PlanSection,
    Questions,
    Releases,
    Share,
    Solving,
    Verification,
)
from schemas.identity import content_hash
from schemas.model import added

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

MAX_PARKED = 4.0
"""Default of `max_parked`."""

ENGLISH = "English"
"""Language of problems and solutions, if the plan names no other."""

MAX_PROBABILITY_ALL_HELD_OUT = 1e-6
"""Highest probability that all topics of a subject are held out, so that it gets no rows."""

FOREVER = 10**12
"""Rows of a plan without an end: more than there will ever be, so that every subject always lacks rows."""

Rows = Annotated[
    int,
    Field(ge=1),
    BeforeValidator(
        lambda value: FOREVER if value == "forever" else value,
        json_schema_input_type=Annotated[int, Field(ge=1)] | Literal["forever"],
    ),
    PlainSerializer(lambda rows: "forever" if rows == FOREVER else rows, return_type=int | str),
]
"""A number, or `forever`."""


def _language(name: object) -> object:
    """Return the name of a language with its capital. Raises ValueError for what is not one, such as a code."""
    if isinstance(name, str) and not re.fullmatch(r"[A-Za-z][a-z]{2,}([ '-][A-Za-z][a-z]+)*", name):
        raise ValueError(f"{name!r} is not the English name of a language, such as German")
    return name[:1].upper() + name[1:] if isinstance(name, str) else name


class Subject(PlanSection):
    """One subject of the plan."""

    weight: Share = 1.0
    """Its share of the rows, relative to the other weights."""
    about: str | None = None
    """What it means, in a sentence. Required for a subject outside the built-in eight."""
    topics: int = Field(default=8, ge=0, le=10_000)
    """Number of topics, including those of the plan's topics file; 0: only those of the file."""


class Plan(PlanSection):
    """Subjects with weights, number of rows, and the policies of each step."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    """Name of the plan: small letters, digits and hyphens. Every row has it."""
    license: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9.-]*$")
    """License of the dataset, by its name on the Hugging Face hub, such as apache-2.0; for the card of an export."""
    rows: Rows
    """Target number of rows admitted to the sft view; `forever`: no target, in the subjects' shares."""
    subjects: dict[str, Subject] = Field(min_length=1)
    language: Annotated[str, BeforeValidator(_language)] = Field(
        default=ENGLISH, exclude_if=lambda value: value == ENGLISH
    )
    """Language of problems and solutions, by its English name, such as German."""
    topics: AbsolutePath | None = None
    """A file of topics to request first, as YAML, JSON lines or CSV with subject, field, subfield and topic."""
    answer_types: Annotated[tuple[str, ...], Field(min_length=1)] | Annotated[dict[str, Share], Field(min_length=1)] = (
        "number",
        "expression",
        "text",
    )
    """Types of answer to request: a list, used in turn, or weights."""
    in_progress: int = Field(default=48, ge=1)
    """Largest number of problems in progress."""
    max_parked: float | None = added(gt=0)
    """Parked problems for each of `in_progress` above which none is requested until some are replayed or dropped; 4 by
    default."""
    yield_assumed: float = Field(default=0.5, gt=0, le=1)
    """Share of requested problems that become rows, until it is measured."""
    min_yield: MinYield | None = added()
    """Floors of yield, of a topic and in all; by default 0.02 and 0.01."""
    verification: Verification = Verification()
    solving: Solving = Solving()
    difficulty: Difficulty = Difficulty()
    releases: Releases = Releases()
    audits: Audits = Audits()
    held_out: HeldOut = HeldOut()
    budget: Budget = Budget()
    variants: int = Field(default=3, ge=0)
    """Problems with the same text and other numbers that are allowed beside the first."""
    benchmarks: dict[str, Questions] = Field(default_factory=dict)
    """Test questions by benchmark. A problem that matches one is rejected. Empty: no check."""

    @model_validator(mode="after")
    def _subjects_are_described(self) -> Self:
        for name, subject in self.subjects.items():
            if name not in SUBJECTS and not subject.about:
                known = ", ".join(SUBJECTS)
                raise ValueError(f"unknown subject {name!r}: use one of {known}; or say what it is about with `about:`")
        return self

    @model_validator(mode="after")
    def _probe_is_configured(self) -> Self:
        if self.difficulty.at_most and not self.solving.probe_attempts:
            raise ValueError("difficulty.at_most needs solving.probe_attempts: without a probe no difficulty is known")
        if self.solving.harder and (not self.solving.probe_attempts or self.solving.max_base_pass == 1):
            raise ValueError("solving.harder needs probe_attempts, and max_base_pass below 1: nothing is too easy now")
        return self

    @model_validator(mode="after")
    def _endless_plan_has_no_shares_of_rows(self) -> Self:
        if self.endless and self.difficulty.at_most:
            raise ValueError("difficulty.at_most is a share of the rows, and `rows: forever` has no number of them")
        if self.endless and self.releases.train_at:
            raise ValueError("releases.train_at is a share of the rows, and `rows: forever` has no number of them")
        return self

    @model_validator(mode="after")
    def _every_subject_has_topics(self) -> Self:
        if none := [name for name, subject in self.subjects.items() if not subject.topics and not self.topics]:
            raise ValueError(f"{', '.join(none)} with `topics: 0` needs a file of topics: `topics: FILE` in the plan")
        return self

    @model_validator(mode="after")
    def _no_subject_is_held_out(self) -> Self:
        for name, subject in self.subjects.items():
            if subject.topics and self.held_out.topics**subject.topics > MAX_PROBABILITY_ALL_HELD_OUT:
                raise ValueError(
                    f"{name!r} has so few topics that all of them may be held out: give it more, or hold out fewer"
                )
        return self

    @property
    def endless(self) -> bool:
        """Whether the plan has no target number of rows."""
        return self.rows == FOREVER

    @property
    def floors(self) -> MinYield:
        """Floors of yield."""
        return self.min_yield or MinYield()

    @property
    def parked_limit(self) -> float:
        """Number of parked problems above which none is requested."""
        return (MAX_PARKED if self.max_parked is None else self.max_parked) * self.in_progress

    @property
    def mix(self) -> dict[str, float]:
        """Weights of the types of answer."""
        types = self.answer_types
        return types if isinstance(types, dict) else dict.fromkeys(types, 1.0)

    @property
    def hash(self) -> str:
        """SHA-256 of the plan, hexadecimal."""
        return content_hash(self.model_dump_json())

    def about(self, subject: str) -> str:
        """What a subject of this plan means, in a sentence."""
        return self.subjects[subject].about or SUBJECTS[subject]

    def candidates(self) -> tuple[str, ...]:
        """Subjects that a verifier chooses from: the plan's; if there is only one, also the built-in eight."""
        return tuple(self.subjects if len(self.subjects) > 1 else dict.fromkeys((*self.subjects, *SUBJECTS)))

    def shares(self) -> dict[str, float]:
        """Share of the rows for each subject. The sum is 1."""
        total = sum(subject.weight for subject in self.subjects.values())
        return {name: subject.weight / total for name, subject in self.subjects.items()}

    def quotas(self, rows: int | None = None) -> dict[str, int]:
        """Rows for each subject, by the largest-remainder method. The sum is `rows`, by default the plan's."""
        target = self.rows if rows is None else rows
        exact = {name: target * share for name, share in self.shares().items()}
        quotas = {name: int(share) for name, share in exact.items()}
        by_remainder = sorted(exact, key=lambda name: quotas[name] - exact[name])
        for name in by_remainder[: target - sum(quotas.values())]:
            quotas[name] += 1
        return quotas

    def limits(self) -> dict[str, int]:
        """Largest number of rows of each difficulty bin with a limit, rounded up."""
        return {name: ceil(round(share * self.rows, 6)) for name, share in self.difficulty.at_most.items()}
