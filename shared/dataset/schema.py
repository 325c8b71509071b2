"""The tables of the dataset: a dataclass each, from which the Arrow schema is derived.

rows    one line per curated problem
ledger  all other results: rejected items, attempts before the last, deletions of rows
audits  items with planted errors, and controls: in a table of their own, so that rows and ledger never contain one
reverifications  stored problems that other verifiers judged again
resolutions  stored problems that another solver solved again
probings  stored problems whose difficulty was measured again
reviews  decisions of people about keys
"""

from dataclasses import dataclass
from datetime import datetime
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Self, get_args, get_origin, get_type_hints

from schemas.outcomes import Admission

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION = 1
"""Incremented with every change of the columns. Older code refuses a newer table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Columns of all tables: what a line is about and the record that it comes from."""

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
    """Whether the simulator answered any of its calls."""
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
        """Convert a record as Arrow returns it."""
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
    """Chain of thought of the chosen attempt: the first sound one that hits the key, else the first."""
    solution: str
    """Text after the thinking, of the same attempt."""
    correct: bool | None
    """Whether that attempt hits the key; null when unknown."""
    flaws: tuple[str, ...]
    """Flaws of that attempt."""
    solver: str
    """Model of that attempt."""
    difficulty: float | None
    """Share of the probe's graded attempts that missed; null without one."""
    views: tuple[str, ...] = ()
    """Views that contain the row: sft, rl."""
    admission: str = Admission.ASIDE
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
    """Id of its solution.checked."""
    event_hash: str
    row_hash: str
    """SHA-256 over all columns that do not depend on the time, the order and the targets of its curation."""
    curated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Source):
    """One line of the ledger. `id` is the id of its event."""

    kind: str
    """rejected, attempt (another attempt was requested), deleted."""
    item_id: str
    service: str | None = None
    """The service that rejected it."""
    reason: str | None = None
    """One word for statistics, or the decision to delete."""
    detail: str | None = None
    item: str | None = None
    """The complete schemas.item.Item as JSON; null for a deletion."""
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit(Source):
    """One judged audit item. `id` is the item's id."""

    kind: str
    """Kind of planted error, or control-…; open (see schemas.audit_tag.AuditTag)."""
    source: str | None
    """Id of the row that it was derived from."""
    difficulty: float | None
    """0 easy to 1 hard, as measured for the source; null when unknown."""
    accepted: bool
    """Whether the checks accepted it."""
    reason: str
    """Reason of the rejection; the tier of an accepted item."""
    detail: str
    service: str
    """The service that ended it."""
    found: str
    """JSON object: result of each check that saw it (passed, noticed, unable)."""
    item: str
    """The complete schemas.item.Item as JSON."""
    event: str
    """Id of the audit.judged."""
    judged_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reverification(Source):
    """One stored problem that other verifiers judged again. `id` is derived from the problem and the run."""

    run: str
    """Name of the run."""
    compare: bool
    """Whether the run only compares verifiers: no row moves."""
    item_id: str
    """Id of the problem."""
    believed_before: bool
    """Whether the item was accepted before."""
    belief_before: float | None
    accepted: bool
    """Whether the panel accepts it by the evidence of before and the new one."""
    belief: float | None
    reason: str
    """The tier of an accepted item; otherwise the reason as of a rejection."""
    detail: str
    admission_before: str | None
    """The row's admission before; null when the item was no row."""
    votes_before: str
    """JSON object: number of votes of before, by verifier; they are the first ones of its verdicts."""
    verdicts: str
    """JSON list of schemas.item.Verdict, with all votes."""
    lineage: str
    """JSON list of schemas.item.Step, of this run."""
    event: str
    """Id of the problem.reverified."""
    reverified_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution(Source):
    """One row that was solved again, and has the attempts. `id` is derived from the problem and the run."""

    run: str
    """Name of the run."""
    item_id: str
    """Id of the problem."""
    admission_before: str | None
    solver: str
    """Model of the first new attempt."""
    correct_before: bool | None
    """Whether the row's solution agreed with the key; null when unknown."""
    correct: bool | None
    """Whether a new attempt agrees with the key; null when none can be compared."""
    sound: bool
    """Whether a new attempt that agrees with the key has no flaw."""
    disputed: str | None
    """Why the new attempts dispute the key; null when they do not."""
    attempts: int
    """Number of new attempts."""
    lineage: str
    """JSON list of schemas.item.Step, of this run."""
    event: str
    """Id of the problem.resolved."""
    resolved_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Probing(Source):
    """One row whose difficulty was measured again. `id` is derived from the problem and the run."""

    run: str
    """Name of the run."""
    item_id: str
    """Id of the problem."""
    model: str
    """The model that it was measured for."""
    difficulty_before: float | None
    difficulty: float | None
    """Share of the graded attempts that missed; null when none could be graded."""
    attempts: int
    hits: int
    left: tuple[str, ...]
    """Views that the row left because every attempt hit the key."""
    lineage: str
    """JSON list of schemas.item.Step, of this run."""
    event: str
    """Id of the problem.reprobed."""
    probed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewLine(Source):
    """One decision of a person about the key of an item. `id` is that of its event."""

    item_id: str
    """Id of the problem."""
    decision: str
    """accept, correct, reject."""
    reviewer: str
    """Name of the person."""
    reason: str
    new_answer: str | None
    """The right key, of `correct`."""
    reviewed_at: datetime


def arrow_schema(of: type[Source]) -> "pa.Schema":
    """Derive the columns, in the order of the fields; only `X | None` is nullable."""
    import pyarrow as pa  # for those who write: it takes longer to import than an item takes to read

    arrow: dict[Any, pa.DataType] = {
        str: pa.string(),
        int: pa.int64(),
        float: pa.float64(),
        bool: pa.bool_(),
        datetime: pa.timestamp("us", tz="UTC"),
        tuple[str, ...]: pa.list_(pa.string()),
    }
    kinds = ((name, *_kind(hint)) for name, hint in get_type_hints(of).items())
    return pa.schema([pa.field(name, arrow[kind], nullable=nullable) for name, kind, nullable in kinds])


def _kind(hint: Any) -> tuple[Any, bool]:
    """Return a type without None, and whether None was in it."""
    options = get_args(hint) if get_origin(hint) is UnionType else (hint,)
    (kind,) = (option for option in options if option is not NoneType)
    return kind, NoneType in options
