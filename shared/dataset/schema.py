"""The tables of the dataset, each defined once: a dataclass, from which the Arrow schema is made.

rows    one per curated problem
ledger  everything else that was paid for: rejected items, attempts before the last; and which rows were deleted
audits  items that were broken on purpose, and controls: apart, so that whoever reads rows or ledger never meets one
"""

from dataclasses import dataclass, fields
from datetime import datetime
from types import NoneType, UnionType
from typing import Any, Self, get_args, get_origin, get_type_hints

import pyarrow as pa

SCHEMA_VERSION = 1
"""Raised with every change of the columns. Older code refuses a newer table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a row comes from: columns that all tables have."""

    id: str
    plan: str | None = None
    subject: str | None = None
    field: str | None = None
    subfield: str | None = None
    topic: str | None = None
    problem: str | None = None
    answer: str | None = None
    answer_type: str | None = None
    tier: str | None = None
    """verified, plausible, disputed, unsolved; open."""
    simulated: bool = False
    """Whether any model behind it was played by the simulator."""
    tokens: int | None = None
    """Tokens generated for the item by all models, reasoning included; null when any count is unknown."""
    cost: float | None = None
    """US dollars spent on the item; null when any price is unknown."""
    kafka_topic: str
    kafka_incarnation: str
    kafka_partition: int
    kafka_offset: int
    schema_version: int

    @classmethod
    def of(cls, record: dict[str, Any]) -> Self:
        """From a record as Arrow gives it."""
        values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in record.items()}
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row(Source):
    """One curated problem. `id` is the problem's id."""

    plan: str
    subject: str
    field: str
    subfield: str
    topic: str
    problem: str
    answer: str
    answer_type: str
    tier: str
    independent: bool
    """Whether writer, verifiers and solver were different models."""
    rationale: str
    """The writer's own short solution."""
    fingerprint: str
    """Equal for problems that differ only in case, spacing or Unicode form."""
    tier_reason: str | None
    reasoning: str
    """Chain of thought of the chosen attempt: the first sound one that lands on the key, else the first."""
    solution: str
    """Text after the thinking, of the same attempt."""
    correct: bool | None
    """Whether that attempt lands on the key; null when it cannot be told."""
    flaws: tuple[str, ...]
    """What is unsound about that attempt."""
    solver: str
    """Model that made it."""
    difficulty: float | None
    """Share of the probe's graded attempts that missed; null when there was none."""
    views: tuple[str, ...] = ()
    """Views that it belongs to: sft, rl."""
    admission: str = "aside"
    """in, reserve, aside (see sample.curated)."""
    split: str = "train"
    """train, or held_out: in no view (see shared/dataset/split.py)."""
    verdicts: str
    """JSON list of schemas.item.Verdict."""
    attempts: str
    """JSON list of schemas.item.Attempt, the chosen one among them."""
    lineage: str
    """JSON list of schemas.item.Step: every event with its model calls, prompts, tokens and cost."""
    event: str
    """Id of the solution.checked that it was made from."""
    event_hash: str
    row_hash: str
    """SHA-256 over everything that does not depend on when, in which order and under which targets it was curated."""
    curated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Source):
    """One line of the ledger. `id` is the id of the event that it keeps."""

    kind: str
    """rejected, attempt (solved, but another attempt was asked for), deleted."""
    item_id: str
    service: str | None = None
    """Who rejected it."""
    reason: str | None = None
    """One word for statistics, or why it was deleted."""
    detail: str | None = None
    item: str | None = None
    """The complete schemas.item.Item as JSON; null for a deletion."""
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit(Source):
    """One judged audit item. `id` is the item's id."""

    kind: str
    """Kind of defect, or control-…; open (see schemas.audit_tag.Mark)."""
    source: str | None
    """Id of the row that it was made from."""
    difficulty: float | None
    """0 easy to 1 hard, as measured for the source; null when unknown."""
    accepted: bool
    """Whether the checks let it through."""
    reason: str
    """Why it was rejected; of an accepted one, its tier."""
    detail: str
    service: str
    """Who ended it."""
    found: str
    """JSON object, by check that looked at it: passed, noticed, unable."""
    item: str
    """The complete schemas.item.Item as JSON."""
    event: str
    """Id of the audit.judged."""
    judged_at: datetime


_ARROW: dict[Any, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    datetime: pa.timestamp("us", tz="UTC"),
    tuple[str, ...]: pa.list_(pa.string()),
}


def arrow_schema(of: type[Source]) -> pa.Schema:
    """Columns in the order of the fields; only `X | None` is nullable."""
    hints = get_type_hints(of)
    return pa.schema([_arrow_field(field.name, hints[field.name]) for field in fields(of)])


def _arrow_field(name: str, hint: Any) -> pa.Field:
    options = get_args(hint) if get_origin(hint) is UnionType else (hint,)
    (kind,) = (option for option in options if option is not NoneType)
    return pa.field(name, _ARROW[kind], nullable=NoneType in options)
