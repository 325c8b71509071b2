"""The policies of a plan, one part for each step of the work."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

ALL = "all"
"""What the limit on the sum of all models goes by."""

View = Literal["sft", "rl"]
Share = Annotated[float, Field(gt=0)]


def _whole(path: str) -> str:
    if not path.startswith("/"):
        raise ValueError("give the whole path, from /: services run in folders of their own")
    return path


WholePath = Annotated[str, AfterValidator(_whole)]
"""Found from every folder."""


class PlanSection(BaseModel):
    """A part of a plan: what it does not name is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Verification(PlanSection):
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


class Solving(PlanSection):
    """How much solving an accepted problem is worth."""

    probe_attempts: int = Field(default=0, ge=0, le=64)
    """Cheap attempts by the model that will be trained, before a long solution is paid for; 0: difficulty unknown."""
    max_base_pass: float = Field(default=1.0, ge=0, le=1)
    """Reject as too easy above this share of probe hits."""
    harder: int = Field(default=0, ge=0, le=8)
    """How often a problem that was too easy goes back to the writer: the same idea, harder."""
    traces: int = Field(default=1, ge=1, le=64)
    """Solutions wanted per problem."""
    retries: int = Field(default=1, ge=0, le=64)
    """Further solutions asked for while none has landed on the key."""


class Difficulty(PlanSection):
    """How many rows may be how easy. A row's difficulty is the share of the probe's graded attempts that missed."""

    bins: dict[str, Annotated[float, Field(gt=0, le=1)]] = {"easy": 0.3, "medium": 0.8, "hard": 1.0}
    """Up to which difficulty a bin reaches, easiest first; the last one to 1."""
    at_most: dict[str, Annotated[float, Field(ge=0, le=1)]] = {}
    """Largest share of the rows from a bin. Rows whose difficulty nobody knows are in no bin and have no limit."""

    @model_validator(mode="after")
    def _every_row_has_a_place(self) -> Self:
        edges = list(self.bins.values())
        if edges != sorted(set(edges)) or edges[-1:] != [1.0]:
            raise ValueError("bins go from the easiest to the hardest, each further than the one before, the last to 1")
        if unknown := self.at_most.keys() - self.bins.keys():
            raise ValueError(f"at_most names no bin: {', '.join(sorted(unknown))}; there are {', '.join(self.bins)}")
        if round(sum(self.at_most.get(name, 1.0) for name in self.bins), 6) < 1:
            raise ValueError("at_most leaves no place for all rows: its shares add up to less than 1")
        return self

    def bin(self, difficulty: float | None) -> str | None:
        """The bin of a row; `None` when its difficulty is unknown."""
        if difficulty is None:
            return None
        return next(name for name, edge in self.bins.items() if difficulty <= edge)


class Releases(PlanSection):
    """When the dataset gets a version for people, and when training starts."""

    every_rows: int = Field(default=1000, ge=1)
    """Release after so many new admitted rows, and always when the target is reached."""
    train_after_rows: int = Field(default=1000, ge=1)
    """Trigger training when so many rows have been admitted since the last trigger."""
    train_after_days: float | None = Field(default=None, gt=0)
    """Also with the first row that comes so many days after the last trigger, or after the first row of all."""
    train_at: float | None = Field(default=None, gt=0, le=1)
    """Also once every subject has reached this share of its rows."""


class HeldOut(PlanSection):
    """What is kept from all training views and does not count towards `rows`.

    Set it before the first row: of what is there already, nothing moves.
    """

    share: float = Field(default=0.0, ge=0, lt=1)
    """Share of the problems, drawn by what twins have in common: variants of one problem stay together."""
    topics: float = Field(default=0.0, ge=0, lt=1)
    """Share of the topics that are held out whole, besides."""


class Audits(PlanSection):
    """How often what was accepted goes through the checks again, broken on purpose, so that they are measured."""

    rate: float = Field(default=0.05, ge=0, le=1)
    """Share of the accepted items that are audited; 0 turns audits off. Each is verified up to twice more."""
    controls: WholePath | None = None
    """A file of problems known to be good, as JSON lines, which are mixed in: who refuses one is too strict."""


class Limit(PlanSection):
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


class Benchmark(PlanSection):
    """A file of test questions: JSON lines, CSV or parquet."""

    path: Path
    """Relative to the folder of the plan."""
    column: str | None = None
    """Which column holds the question; by default one of the usual names."""
    judge_from: float | None = Field(default=None, gt=0, le=0.5)
    """Ask the judge about the closest question from this share in common on (0.2, say); by default nobody is asked."""


def _a_path_is_enough(given: Any) -> Any:
    return {"path": given} if isinstance(given, str) else given


Questions = Annotated[Benchmark, BeforeValidator(_a_path_is_enough, json_schema_input_type=str | Benchmark)]
