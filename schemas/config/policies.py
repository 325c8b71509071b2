"""The policies of a plan, one section for each step."""

from math import ceil
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from schemas.model import added
from schemas.outcomes import Tier

ALL = "all"
"""Name of the limit on the sum of all models."""

View = Literal["sft", "rl"]
Share = Annotated[float, Field(gt=0)]


def _absolute(path: str) -> str:
    if not path.startswith("/"):
        raise ValueError("give an absolute path, from /: services run in other folders")
    return path


AbsolutePath = Annotated[str, AfterValidator(_absolute)]


class PlanSection(BaseModel):
    """A section of a plan. Unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Verification(PlanSection):
    """How a verifier works, and which tier enters which view."""

    blind_attempts: int = Field(default=4, ge=1, le=64)
    """Largest number of blind attempts of a verifier. It stops at the first that hits the key or, where a guess may
    hit, once its hits are unlikely by guessing."""
    max_votes: int | None = Field(default=None, ge=2, le=128)
    """Largest number of blind attempts of both verifiers together; `blind_attempts: k` means 2k. Set one of them."""
    target_wrong: dict[View, Annotated[float, Field(gt=0, lt=1)]] = {}
    """Largest expected share of wrong keys in each view. With it each verifier attempts once, the panel decides by
    belief, and requests further evidence while it is undecided. Without it tiers decide and nothing is requested."""
    adjudications: int = Field(default=0, ge=0, le=16)
    """Largest number of blind adjudications of an item, with `target_wrong`. They need a model in the role
    `adjudicator`."""
    accept: dict[View, tuple[str, ...]] = {"sft": (Tier.VERIFIED,), "rl": (Tier.VERIFIED, Tier.PLAUSIBLE)}
    """Tiers that enter each view. A plausible row enters sft when the solver also gives the key."""
    reject_easy: bool = False
    """Reject a problem that a judge calls too easy. By default that is recorded, and difficulty is measured by the
    probe and by blind misses."""
    policy: Literal["evidence", "paper"] = "evidence"
    """How a tier is decided. `paper` is for comparison: two approvals with the key in view give the tier `nodded`
    (judge-only), whatever the blind attempts gave; `accept` then defaults to `nodded` for both views."""

    @model_validator(mode="before")
    @classmethod
    def _paper_accepts_judge_only(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("policy") == "paper":
            return {"accept": {"sft": (Tier.JUDGE_ONLY,), "rl": (Tier.JUDGE_ONLY,)}, **value}
        return value

    @model_validator(mode="before")
    @classmethod
    def _votes_have_one_limit(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("max_votes") is not None and "blind_attempts" in value:
            raise ValueError("give max_votes or blind_attempts, not both: blind_attempts is for each of two verifiers")
        return value

    @model_validator(mode="after")
    def _belief_uses_votes(self) -> Self:
        if self.target_wrong and self.policy == "paper":
            raise ValueError("target_wrong needs policy: evidence; under policy: paper the votes do not count")
        if self.adjudications and not self.target_wrong:
            raise ValueError("adjudications need target_wrong: without it tiers decide and no evidence is requested")
        return self

    @model_serializer(mode="wrap")
    def _without_unused_keys(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Keep bytes and hash of a plan without the newer keys; of two names for one limit keep the given one."""
        content: dict[str, Any] = dump(self)
        if self.max_votes is None:
            content.pop("max_votes", None)
        else:
            content.pop("blind_attempts", None)
        if not self.target_wrong:
            content.pop("target_wrong", None)
        if not self.adjudications:
            content.pop("adjudications", None)
        if not self.reject_easy:
            content.pop("reject_easy", None)
        return content

    @property
    def attempts_each(self) -> int:
        """Largest number of blind attempts of one verifier."""
        return self.blind_attempts if self.max_votes is None else ceil(self.max_votes / 2)

    @property
    def first_attempts(self) -> int:
        """Largest number of blind attempts of one verifier before anything is requested."""
        return 1 if self.target_wrong else self.attempts_each

    @property
    def votes(self) -> int:
        """Largest number of blind attempts of both verifiers together."""
        return 2 * self.blind_attempts if self.max_votes is None else self.max_votes


class Solving(PlanSection):
    """How often an accepted problem is solved."""

    probe_attempts: int = Field(default=0, ge=0, le=64)
    """Attempts by the model that will be trained, before a long solution is paid for; 0: difficulty unknown."""
    max_base_pass: float = Field(default=1.0, ge=0, le=1)
    """Reject a problem as too easy above this share of probe hits."""
    harder: int = Field(default=0, ge=0, le=8)
    """How often a harder problem is requested in place of one that was too easy."""
    traces: int = Field(default=1, ge=1, le=64)
    """Solutions per problem."""
    retries: int = Field(default=1, ge=0, le=64)
    """Further solutions while none agrees with the key."""
    choose: Literal["newest_correct", "shortest_correct"] | None = added()
    """Which of several sound solutions that agree with the key is the row's; by default the first."""


class Difficulty(PlanSection):
    """Limits on rows by difficulty. A row's difficulty is the share of the probe's graded attempts that missed."""

    bins: dict[str, Annotated[float, Field(gt=0, le=1)]] = {"easy": 0.3, "medium": 0.8, "hard": 1.0}
    """Upper end of each bin, easiest first; the last is 1."""
    at_most: dict[str, Annotated[float, Field(ge=0, le=1)]] = {}
    """Largest share of the rows from a bin. Rows of unknown difficulty are in no bin and have no limit."""

    @model_validator(mode="after")
    def _every_row_has_a_bin(self) -> Self:
        edges = list(self.bins.values())
        if edges != sorted(set(edges)) or edges[-1:] != [1.0]:
            raise ValueError(
                "the upper ends of bins must increase, from the easiest to the hardest; the last must be 1"
            )
        if unknown := self.at_most.keys() - self.bins.keys():
            names = ", ".join(self.bins)
            raise ValueError(f"at_most has unknown bins: {', '.join(sorted(unknown))}; the bins are {names}")
        if round(sum(self.at_most.get(name, 1.0) for name in self.bins), 6) < 1:
            raise ValueError("at_most has no room for all rows: its shares add up to less than 1")
        return self

    def bin(self, difficulty: float | None) -> str | None:
        """The bin of a row; `None` when its difficulty is unknown."""
        if difficulty is None:
            return None
        return next(name for name, edge in self.bins.items() if difficulty <= edge)


class Releases(PlanSection):
    """When the dataset is released, and when training starts."""

    every_rows: int = Field(default=1000, ge=1)
    """Release after this number of new admitted rows, and always when the target is reached."""
    every_days: float | None = added(gt=0)
    """Also release this number of days after the last release, or after the first row, if there are new rows."""
    train_after_rows: int = Field(default=1000, ge=1)
    """Trigger training after this number of rows admitted since the last trigger."""
    train_after_days: float | None = Field(default=None, gt=0)
    """Also trigger with the first row this number of days after the last trigger, or after the first row."""
    train_at: float | None = Field(default=None, gt=0, le=1)
    """Also trigger once every subject has this share of its rows."""


class MinYield(PlanSection):
    """Share of problems that become rows below which nothing is spent; 0: no floor.

    A share is below the floor when 3 / floor problems in a row gave no row: at the floor that has a chance of 5 %.
    """

    topic: float = Field(default=0.02, ge=0, lt=1)
    """A topic below it is paused, and new topics are requested instead."""
    overall: float = Field(default=0.01, ge=0, lt=1)
    """Below it new topics are requested for every subject; if they give no row either, nothing more is requested."""


class HeldOut(PlanSection):
    """Rows that are in no training view and do not count towards `rows`.

    Set it before the first row: existing rows do not move.
    """

    share: float = Field(default=0.0, ge=0, lt=1)
    """Share of the problems. Variants of one problem stay together."""
    topics: float = Field(default=0.0, ge=0, lt=1)
    """Share of the topics that are completely held out, in addition."""


class Audits(PlanSection):
    """How often an accepted item goes through the checks again, with a planted error, to measure the checks."""

    rate: float = Field(default=0.05, ge=0, le=1)
    """Share of the accepted items that are audited; 0 turns audits off. Each is verified up to twice more."""
    controls: AbsolutePath | None = None
    """A file of problems known to be good, as JSON lines, used as controls: a check that rejects one is too strict."""


class Limit(PlanSection):
    """Largest amount that may be spent in total; `None`: no limit."""

    tokens: int | None = Field(default=None, ge=1)
    """Tokens of prompts and answers, thinking included."""
    dollars: float | None = Field(default=None, gt=0)
    """US dollars by the prices in the models file."""


class Budget(Limit):
    """Limits on the sum of all models, and on single models."""

    models: dict[str, Limit] = {}
    """By name of the model as served."""

    def limits(self) -> dict[str, Limit]:
        """The limits by model; ALL is the sum. Empty without a budget."""
        everything = {ALL: Limit(tokens=self.tokens, dollars=self.dollars), **self.models}
        return {model: limit for model, limit in everything.items() if limit != Limit()}


class Benchmark(PlanSection):
    """A file of test questions: JSON lines, CSV or parquet."""

    path: Path
    """Relative to the folder of the plan."""
    column: str | None = None
    """The column with the question; by default one of the usual names."""
    judge_from: float | None = Field(default=None, gt=0, le=0.5)
    """The judge compares a problem with the closest question from this overlap on, such as 0.2; by default never."""


def _from_path(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


Questions = Annotated[Benchmark, BeforeValidator(_from_path, json_schema_input_type=str | Benchmark)]
