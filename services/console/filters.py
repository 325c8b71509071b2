"""The parameters of an address, parsed by types. Each becomes an SQL condition."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from shared.dataset.query import sql_string
from shared.dataset.reports.statistics import UNKNOWN
from shared.errors import Refusal

PAGE = 25
"""Items of a page."""

Word = Annotated[Annotated[str, Field(max_length=200)] | None, BeforeValidator(lambda given: given or None)]
"""A text; empty, as a form sends it, is none."""
Share = Annotated[Annotated[float, Field(ge=0, le=1)] | None, BeforeValidator(lambda given: given or None)]
Release = Annotated[str, Field(pattern=r"^(now|latest|[0-9]{1,9})$")]

_CORRECT = {"yes": "correct = true", "no": "correct = false", "unknown": "correct is null"}
_SEARCHED = ("id", "problem", "answer", "topic")


class InvalidQuery(Refusal):
    """A parameter of an address is invalid."""


class Cursor(BaseModel):
    """The last item of a page: what comes after it stays the same while the dataset grows."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    id: Annotated[str, Field(max_length=64)]

    @classmethod
    def parse(cls, given: Any) -> Any:
        """From `microseconds~id`."""
        if not isinstance(given, str):
            return given
        at, tilde, id_ = given.partition("~")
        if not (tilde and at.isdecimal() and len(at) < 18):
            raise ValueError("not a place in the list")
        return cls(at=datetime.fromtimestamp(int(at) / 1e6, UTC), id=id_)

    @classmethod
    def of(cls, line: dict[str, Any], at: str) -> Self:
        """At a line, ordered by the column `at`."""
        return cls(at=line[at], id=line["id"])

    def __str__(self) -> str:
        return f"{round(self.at.timestamp() * 1e6)}~{self.id}"

    def where(self, at: str) -> str:
        """The condition that a line comes after it: older, or of the same time with a greater id."""
        then = f"timestamp '{self.at.isoformat()}'"
        return f"({at} < {then} or ({at} = {then} and id > {sql_string(self.id)}))"


After = Annotated[Cursor | None, BeforeValidator(lambda given: Cursor.parse(given) if given else None)]


class ListQuery(BaseModel):
    """What every list takes."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    release: Release = "now"
    subject: Word = None
    topic: Word = None
    q: Word = None
    """Text to look for, in any case."""
    after: After = None

    def conditions(self) -> Iterator[str]:
        """SQL conditions that all hold, but for the place in the list."""
        for name in ("subject", "topic"):
            if value := getattr(self, name):
                yield f"{name} = {sql_string(value)}"
        if self.q:
            sought = sql_string(self.q.lower())
            yield "(" + " or ".join(f"contains(lower({name}), {sought})" for name in _SEARCHED) + ")"

    @property
    def where(self) -> str:
        return " and ".join(self.conditions()) or "true"

    def page(self, at: str, where: str) -> str:
        """SQL condition of what comes next in a list of what matches `where`, ordered by the column `at`."""
        return f"{where} and {self.after.where(at)}" if self.after else where

    def params(self, **changes: object) -> dict[str, str]:
        """As in an address; a change to None takes one out, and every change leads to the first page."""
        now = {**self.model_dump(exclude={"after"}, exclude_none=True), **changes}
        return {name: str(value) for name, value in now.items() if value not in (None, "", "now")}


class SampleFilter(ListQuery):
    """Which samples."""

    tier: Word = None
    answer_type: Word = None
    admission: Word = None
    difficulty: Word = None
    """A bin of the plan's, or `unknown`."""
    correct: Annotated[Literal["yes", "no", "unknown"] | None, BeforeValidator(lambda given: given or None)] = None
    belief_from: Share = None
    belief_to: Share = None

    def conditions(self) -> Iterator[str]:
        """See ListQuery."""
        yield from super().conditions()
        for name in ("tier", "answer_type", "admission"):
            if value := getattr(self, name):
                yield f"{name} = {sql_string(value)}"
        if self.correct:
            yield _CORRECT[self.correct]

    def of_difficulty(self, bins: Mapping[str, float]) -> str | None:
        """SQL condition of the bin of difficulty, from the bins' upper ends. Raises Refusal for a name that is none."""
        if self.difficulty in (None, UNKNOWN):
            return None if self.difficulty is None else "difficulty is null"
        if self.difficulty not in bins:
            raise InvalidQuery(
                f"difficulty: {self.difficulty!r} is not a bin", f"Take one of {', '.join(bins)}, {UNKNOWN}"
            )
        below = max((end for end in bins.values() if end < bins[self.difficulty]), default=-1.0)
        return f"difficulty > {below!r} and difficulty <= {bins[self.difficulty]!r}"

    @property
    def by_belief(self) -> bool:
        """Whether it narrows by belief."""
        return self.belief_from is not None or self.belief_to is not None

    def believes(self, belief: float | None) -> bool:
        """Whether a belief is between the limits; an unknown one is not."""
        low, high = self.belief_from or 0.0, 1.0 if self.belief_to is None else self.belief_to
        return belief is not None and low <= belief <= high


class RejectFilter(ListQuery):
    """Which rejected problems."""

    reason: Word = None
    service: Word = None

    def conditions(self) -> Iterator[str]:
        """See ListQuery."""
        yield "kind = 'rejected'"
        yield from super().conditions()
        for name in ("reason", "service"):
            if value := getattr(self, name):
                yield f"{name} = {sql_string(value)}"


class DifferenceFilter(BaseModel):
    """Two versions."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    before: Release
    after: Release


Q = TypeVar("Q", bound=BaseModel)


def parse(kind: type[Q], given: Mapping[str, str]) -> Q:
    """The parameters of an address. Raises InvalidQuery with the name of the first wrong one."""
    try:
        return kind.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        reason = f"{'.'.join(map(str, first['loc']))}: {first['msg'].removeprefix('Value error, ')}"
        raise InvalidQuery(reason, "Take a value from the lists, or leave it out") from error
