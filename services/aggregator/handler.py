"""The sink of the dataset: each final solution becomes one row, other events ledger lines; audits have their own table.

A batch is up to twelve commits, each of which may be repeated:

1. ledger, append  rejected items, attempts before the last, deletions; watermark of problem.rejected
2. rows, append    new rows and, in the metadata, the events about them; watermark of solution.checked
3. rows, delete    deleted rows; watermark of sample.deleted. Another commit admits rows from the reserve instead
4. audits, append  judged audit items; watermark of audit.judged
5. rows, update    rows that reverifications move, and rows admitted from the reserve in their place
6. reverifications, append  judged reverify items; watermark of problem.reverified
7. rows, update    rows with a further solution
8. resolutions, append  items that were solved again; watermark of problem.resolved
9. rows, update    rows with another difficulty
10. probings, append  items that were probed again; watermark of problem.reprobed
11. rows, update   rows about whose keys a person decided
12. reviews, append  decisions of people; watermark of problem.reviewed

The last commit that a record needs carries its watermark, so after a crash the rest is repeated. Ids decide whether a
line is new; watermarks only save work: a record in another batch or at another offset changes nothing.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, TypeVar

from schemas.config.plan import Plan
from schemas.config.policies import Verification
from schemas.events import (
    AuditJudged,
    Event,
    ProblemRejected,
    ProblemReprobed,
    ProblemResolved,
    ProblemReverified,
    ProblemReviewed,
    SampleCurated,
    SampleDeleted,
    SolutionChecked,
)
from schemas.item import Item
from services.aggregator import moves, outbox
from services.aggregator.event_table import EventTable
from services.aggregator.events import COLUMNS, belief_events, release_events, sample_curated
from services.aggregator.maintenance import Maintenance
from services.aggregator.moves import Move
from services.aggregator.policy import (
    ASIDE,
    IN,
    RESERVE,
    Quotas,
    assign_views,
    decide,
    imported_views,
    is_confirmed,
    rows_to_release,
)
from services.aggregator.publication import rebuild_events, summarise
from services.aggregator.state import State
from shared.dataset import (
    Audit,
    Conflict,
    Entry,
    Probing,
    Progress,
    Release,
    Resolution,
    Reverification,
    ReviewLine,
    Row,
    Table,
    build,
    list_manifests,
    write_manifest,
)
from shared.dataset.amend import add_solutions, amendments, decide_key, is_amended, set_difficulty, updates
from shared.dataset.query import id_in
from shared.dataset.split import TRAIN, assign_split
from shared.dataset.storage import Location
from shared.dataset.table import RETENTION
from shared.ports import Record, StoredOffset

log = logging.getLogger(__name__)

T = TypeVar("T")
A = TypeVar("A", ProblemResolved, ProblemReprobed, ProblemReviewed)
MoveAmended = Callable[[Row, Row, A, Verification, Quotas], Move]
"""The row before and now, the event, policy, quotas → how it moves."""

_RETRY_DELAYS_S = (0.05, 0.2, 0.8, 3.2)
"""Delays in seconds before a decision is repeated because another writer committed first."""

_JOIN_COMMITS = 16
"""A release is near when commits like the last one, at most this number, make it due."""

_BY_AGE = ("curated_at", "kafka_topic", "kafka_partition", "kafka_offset")


class Curate:
    """The sink. A writer with a stale handle has its commit refused, and reloads."""

    def __init__(
        self,
        dataset: Location,
        factory: str,
        plan: Plan,
        now: Callable[[], datetime],
        on_audit: Callable[[AuditJudged], None],
        retention: timedelta = RETENTION,
        on_superseded: Callable[[SolutionChecked], None] = lambda _: None,
        changed_plan: Callable[[], Plan | None] = lambda: None,
    ) -> None:
        """`on_audit` is called for every audit that was appended, `on_superseded` for a second content of a row.

        `changed_plan` returns another plan once, when it has changed. Old files are kept for the time `retention`.
        """
        self._dataset, self._factory, self._plan, self._now, self._on_audit = dataset, factory, plan, now, on_audit
        self._retention, self._on_superseded = retention, on_superseded
        self._changed_plan = changed_plan
        self._writing = Lock()
        """Held while the tables are used: maintenance runs beside the intake."""
        self._published = -1
        """Version of the rows up to which events are known to be published."""
        self._decided: dict[int, list[SampleCurated]] = {}
        """Events about rows by version, until they are published."""
        self._rows: Table
        self._ledger: Table
        self._audits: EventTable[AuditJudged]
        self._reverified: EventTable[ProblemReverified]
        self._resolved: EventTable[ProblemResolved]
        self._reprobed: EventTable[ProblemReprobed]
        self._reviewed: EventTable[ProblemReviewed]
        self._state: State
        self._maintenance: Maintenance

    async def open(self, incarnations: Mapping[str, str]) -> dict[tuple[str, int], StoredOffset]:
        """See Sink. Applies the plan: admits rows from the reserve, makes a due release.

        Raises Refusal when newer software wrote the dataset.
        """
        self._plan = self._changed_plan() or self._plan
        await self._with_retries(self._open)
        await self._with_retries(self._promote)
        return {
            (kafka_topic, partition): last
            for kafka_topic, incarnation in incarnations.items()
            for partition, last in self._owner(kafka_topic).positions(kafka_topic, incarnation).items()
        }

    async def write(self, records: Sequence[Record]) -> None:
        """See Sink. Raises Invalid for a solution without a problem or an attempt."""
        if plan := self._changed_plan():
            self._plan = plan
            await self._with_retries(self._promote)
        await self._with_retries(lambda: self._write(records))
        if self._plan.releases.every_days:
            await self._with_retries(self._release_if_due)
        self._maintenance.start(self._now(), self._published, self._next_release(len(records)))

    def _next_release(self, batch: int) -> int | None:
        """Return the number of the next release; `None` while it is not near."""
        progress = self._state.progress
        is_near = rows_to_release(progress, self._quotas(), self._plan) <= batch * _JOIN_COMMITS
        return progress.releases + 1 if is_near else None

    async def finish(self) -> None:
        """Wait for the maintenance that `write` started."""
        await self._maintenance.finish()

    def outbox(self, cursor: str | None) -> tuple[list[Event], str]:
        """See Sink. The manifest of a release is written before its events are published."""
        parts, cursor = self._alone(lambda: self._unpublished(cursor))
        events = list[Event]()
        for decided, release in parts:
            events += decided
            if release:
                events += belief_events(self._factory, write_manifest(self._dataset, release))
        return events, cursor

    def _unpublished(self, cursor: str | None) -> tuple[list[tuple[list[Event], Release | None]], str]:
        """Return what each commit after `cursor` decided, with the release that it made, and the cursor after them."""
        version = self._rows.version
        self._published = outbox.published_version(cursor, self._rows.id, version)
        commits = self._rows.commit_metadata(self._published)
        complete = len(commits) == version - self._published
        self._decided = {at: events for at, events in self._decided.items() if at > self._published}
        known = [] if complete else summarise(self._rows, list_manifests(self._dataset), self._factory)
        parts: list[tuple[list[Event], Release | None]] = [(known, None)]
        for commit in commits:
            rows = outbox.row_events(commit)
            decided = (self._decided.get(rows.version) or rebuild_events(self._rows, rows)) if rows else []
            parts.append(([*decided, *outbox.events(commit)], outbox.release(commit)))
        return parts, outbox.format_cursor(self._rows.id, version)

    async def _with_retries(self, work: Callable[[], T]) -> T:
        for wait in _RETRY_DELAYS_S:
            try:
                return await asyncio.to_thread(self._alone, work)
            except Conflict:
                await asyncio.sleep(wait)
                await asyncio.to_thread(self._alone, self._reload)
        return await asyncio.to_thread(self._alone, work)

    def _alone(self, work: Callable[[], T]) -> T:
        with self._writing:
            return work()

    def _open(self) -> None:
        self._rows = Table(self._dataset, Row, self._factory)
        self._ledger = Table(self._dataset, Entry, self._factory)
        audits, reverifications, resolutions, probings, reviews = (
            Table(self._dataset, kind, self._factory)
            for kind in (Audit, Reverification, Resolution, Probing, ReviewLine)
        )
        self._audits = EventTable(audits, AuditJudged, build.to_audit, self._on_audit)
        self._reverified = EventTable(reverifications, ProblemReverified, build.to_reverification)
        self._resolved = EventTable(resolutions, ProblemResolved, build.to_resolution)
        self._reprobed = EventTable(probings, ProblemReprobed, build.to_probing)
        self._reviewed = EventTable(reviews, ProblemReviewed, build.to_review, id_of=lambda event: str(event.id))
        for table in self._tables:
            table.keep_old_files(self._retention)
        self._state = State.load(self._rows, self._ledger)
        self._maintenance = Maintenance(self._dataset, self._tables, self._retention, self._writing)

    @property
    def _tables(self) -> list[Table]:
        return [self._rows, self._ledger, *(one.table for one in self._event_tables)]

    @property
    def _event_tables(self) -> tuple[EventTable[Any], ...]:
        return self._audits, self._reverified, self._resolved, self._reprobed, self._reviewed

    def _reload(self) -> None:
        self._state = State.load(self._rows, self._ledger)
        for table in self._event_tables:
            table.reload()

    def _owner(self, kafka_topic: str) -> Table:
        """Return the table with the watermark of a Kafka topic: the last one that its records need."""
        others = {
            ProblemRejected.type: self._ledger,
            AuditJudged.type: self._audits.table,
            ProblemReverified.type: self._reverified.table,
            ProblemResolved.type: self._resolved.table,
            ProblemReprobed.type: self._reprobed.table,
            ProblemReviewed.type: self._reviewed.table,
        }
        return others.get(kafka_topic, self._rows)

    def _write(self, records: Sequence[Record]) -> None:
        now = self._now()
        fresh = [record for record in records if not self._owner(record.kafka_topic).has_read(record)]
        fresh.sort(key=lambda record: (record.kafka_topic, record.partition, record.offset))
        self._append_entries(fresh, now)
        self._curate([record for record in fresh if isinstance(record.event, SolutionChecked)], now)
        self._delete([record for record in fresh if isinstance(record.event, SampleDeleted)])
        self._audits.append(fresh, now)
        self._move(fresh)
        self._reverified.append(fresh, now)
        self._amend(self._resolved.new(fresh), self._add_solutions, moves.resolve)
        self._resolved.append(fresh, now)
        self._amend(self._reprobed.new(fresh), set_difficulty, moves.probe)
        self._reprobed.append(fresh, now)
        self._amend(self._reviewed.new(fresh), decide_key, moves.review)
        self._reviewed.append(fresh, now)

    def _append_entries(self, records: Sequence[Record], now: datetime) -> None:
        built = {line.id: line for record in records if (line := build.to_entry(record, now))}
        known = self._state.entries.among(built)
        new = {id_: line for id_, line in built.items() if id_ not in known}
        marks = self._ledger.watermarks(record for record in records if isinstance(record.event, ProblemRejected))
        if new or marks:
            self._ledger.append([*new.values()], marks, {})
            for line in new.values():
                self._state.add_entry(line.id, line.kind, line.item_id)

    def _curate(self, records: Sequence[Record], now: datetime) -> None:
        finals = [(one, one.event) for one in records if isinstance(one.event, SolutionChecked) and one.event.final]
        if not finals:
            return
        quotas, new = self._quotas(), dict[str, Row]()
        known = self._state.rows.among(str(event.item.id) for _, event in finals)
        for record, event in finals:
            id_ = str(event.item.id)
            if id_ not in new and id_ not in known and id_ not in self._state.deleted:
                new[id_] = self._decide_admission(self._row(record, event, now), event.item, quotas)
            elif self._is_superseded(id_, self._row(record, event, now), new):
                log.warning("dropped a second content of row %s: the first counts", id_)
                self._on_superseded(event)
        events = [sample_curated(asdict(row)) for row in new.values()]
        progress, note = self._decide_release(events, quotas)
        self._rows.append([*new.values()], {**self._rows.watermarks(records), **asdict(progress)}, note)
        self._decided[self._rows.version] = events
        for row in new.values():
            self._state.add(row.id, row.subject, row.admission, row.difficulty)
        self._state.progress = progress

    def _row(self, record: Record, event: SolutionChecked, now: datetime) -> Row:
        return build.to_row(record, event, now, self._plan.solving.choose)

    def _is_superseded(self, id_: str, row: Row, new: Mapping[str, Row]) -> bool:
        """Whether a row's content differs from that of the same id which came first."""
        if id_ in new:
            return new[id_].row_hash != row.row_hash
        first = self._rows.read(["row_hash", "event", "lineage"], where=id_in([id_]))
        return any(one["row_hash"] != row.row_hash and not is_amended(one) for one in first)

    def _delete(self, records: Sequence[Record]) -> None:
        ids = (str(one.event.sample_id) for one in records if isinstance(one.event, SampleDeleted))
        gone = self._state.rows.among(ids)
        if gone:
            self._rows.delete(gone, {**self._rows.watermarks(records), "target": 0})
            self._state = State.load(self._rows, self._ledger)
            self._promote()
        elif records:  # no such row; commit anyway, so that a stale writer conflicts and reloads the ledger
            self._rows.append([], self._rows.watermarks(records), {})

    def _move(self, records: Sequence[Record]) -> None:
        """Give rows the views of all their evidence, in one commit with those that take a free place.

        A deleted row stays deleted, and a rejected item rejected.
        """
        events = {str(event.run.problem): event for _, event in self._reverified.new(records)}
        quotas, moved = self._quotas(), list[Move]()
        columns = (*COLUMNS, "difficulty", "flaws")
        for row in self._rows.read(columns, where=id_in(events)) if events else ():
            if move := moves.reverify(row, events[row["id"]], self._plan.verification, quotas):
                moved.append(move)
        if moved:
            self._commit_moves(moved, quotas)

    def _amend(self, new: Sequence[tuple[Record, A]], amend: Callable[[Row, A], Row], move: MoveAmended[A]) -> None:
        """Change the content of rows, in one commit. A deleted row stays deleted."""
        ids = {event.key for _, event in new}
        found = self._rows.read([field.name for field in fields(Row)], where=id_in(ids)) if ids else ()
        before = {row.id: row for row in map(Row.of, found)}
        rows, last = dict(before), dict[str, A]()
        for _, event in new:
            if (row := rows.get(event.key)) and (after := amend(row, event)) != row:
                rows[row.id], last[row.id] = after, event
        quotas, policy = self._quotas(), self._plan.verification
        moved = [move(before[id_], rows[id_], event, policy, quotas) for id_, event in last.items()]
        if moved:
            self._commit_moves(moved, quotas, is_amended=True)

    def _add_solutions(self, row: Row, event: ProblemResolved) -> Row:
        return add_solutions(row, event, self._plan.solving.choose)

    def _commit_moves(self, moves: Sequence[Move], quotas: Quotas, *, is_amended: bool = False) -> None:
        """Write rows that moved, `is_amended` with other content, and admit rows of the reserve in one commit."""
        left = [move.row for move in moves if move.leaves]
        for row in left:
            quotas.release(row["subject"], row["difficulty"])
        admitted = self._from_reserve(quotas, {move.row["id"] for move in moves})
        version = self._rows.version + 1
        moved = [sample_curated(move.after, version, before=move.row["admission"]) for move in moves]
        promoted = [self._admission(row) for row in admitted]
        if left:  # a release contains what is in their place
            self._state.progress = replace(self._state.progress, target=0)
        progress, note = self._decide_release(promoted, quotas, moved)
        changed = [*(move.after for move in moves), *admitted]
        expressions = updates(changed)
        if is_amended:
            expressions = amendments([Row.of(move.after) for move in moves]) | expressions
        self._rows.set_expressions(expressions, [row["id"] for row in changed], asdict(progress), note)
        self._decided[self._rows.version] = promoted
        self._state = State.load(self._rows, self._ledger)

    def _from_reserve(self, quotas: Quotas, without: Collection[str] = ()) -> list[dict[str, Any]]:
        """Return the rows of the reserve for which there is room, as they are then."""
        reserve = self._rows.read((*COLUMNS, "difficulty"), where=f"admission = '{RESERVE}'", order=_BY_AGE)
        return [
            {**row, "admission": IN}
            for row in reserve
            if row["id"] not in without and quotas.admit(row["subject"], row["views"], row["difficulty"]) == IN
        ]

    def _admission(self, row: Mapping[str, Any]) -> SampleCurated:
        """Build the event about a row admitted from the reserve, which comes after those about its changes."""
        return sample_curated(row, index=self._rows.version + 1 if is_amended(row) else 1)

    def _promote(self) -> None:
        """Admit rows from the reserve, where there is room."""
        quotas = self._quotas()
        admitted = self._from_reserve(quotas)
        events = [self._admission(row) for row in admitted]
        progress, note = self._decide_release(events, quotas)
        if admitted:
            self._rows.set({"admission": IN}, [row["id"] for row in admitted], asdict(progress), note)
            self._decided[self._rows.version] = events
        elif progress != self._state.progress:  # a lower target of the plan is already reached
            self._rows.append([], asdict(progress), note)
        else:
            return
        self._state = State.load(self._rows, self._ledger)

    def _release_if_due(self) -> None:
        """Make a release that time alone has made due."""
        progress, note = self._decide_release([], self._quotas())
        if progress.releases > self._state.progress.releases:
            self._rows.append([], asdict(progress), note)
            self._state.progress = progress

    def _quotas(self) -> Quotas:
        return Quotas(self._plan, self._state.admitted, self._state.difficulties)

    def _decide_admission(self, row: Row, item: Item, quotas: Quotas) -> Row:
        side = assign_split(self._plan.held_out, row.subject, row.topic, row.problem)
        correct = row.correct if is_confirmed(row.tier, item.attempts) else None
        policy = self._plan.verification
        entered = assign_views(policy, row.tier, correct, row.flaws, item.belief) if side == TRAIN else ()
        if item.source and not item.source.counts:
            return replace(row, split=side, views=imported_views(entered), admission=ASIDE)
        return replace(row, split=side, views=entered, admission=quotas.admit(row.subject, entered, row.difficulty))

    def _decide_release(
        self, events: Sequence[SampleCurated], quotas: Quotas, moved: Sequence[SampleCurated] = ()
    ) -> tuple[Progress, dict[str, str]]:
        """Return the progress after a commit that admits rows, and the metadata with what is to be published.

        `moved` are events about rows that reverifications move: no row has what they say of the time before.
        """
        admitted = sum(event.admission == IN != event.before for event in (*events, *moved))
        decision = decide(self._state.progress, admitted, quotas, self._plan, self._now())
        ids = {event.key: event.cause.index for event in events}
        rows = outbox.RowEvents(self._rows.version + 1, ids) if ids else None
        if not decision.release:
            return decision.progress, outbox.to_metadata(moved, rows=rows)
        release = Release(
            number=decision.progress.releases,
            plan=self._plan.name,
            plan_hash=self._plan.hash,
            rows=sum(quotas.admitted.values()),
            table_version=self._rows.version + 1,
            ledger_version=self._ledger.version,
        )
        released = release_events(self._factory, release, train=decision.train)
        return decision.progress, outbox.to_metadata([*moved, *released], release, rows)
