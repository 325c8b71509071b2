"""Curates: every final solution becomes a row once, everything else a line in the ledger; audits are kept apart.

A batch is up to four commits, each of which may be repeated:

1. ledger, append  rejected items, attempts before the last, deletions; watermark of problem.rejected
2. rows, append    new rows; watermark of solution.checked. What must be said about them lies in the same commit
3. rows, delete    deleted rows; watermark of sample.deleted. Rows in reserve take their places in a commit of its own
4. audits, append  judged audit items; watermark of audit.judged

The last commit that a record needs carries its watermark, so a crash in between repeats the rest. Ids decide whether a
line is new, watermarks only save work: a record that comes again in another batch or at another offset changes nothing.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import TypeVar

from schemas.config.plan import Plan
from schemas.events import AuditJudged, Event, ProblemRejected, SampleCurated, SampleDeleted, SolutionChecked
from services.aggregator import outbox
from services.aggregator.audits import Audits, Tell
from services.aggregator.events import COLUMNS, curated, released
from services.aggregator.maintenance import Upkeep
from services.aggregator.policy import IN, RESERVE, Quotas, decide, views
from services.aggregator.state import State
from shared.dataset import Audit, Conflict, Entry, Progress, Release, Row, Table, build, describe
from shared.dataset.split import TRAIN, split
from shared.dataset.storage import Location
from shared.ports import Record, StoredOffset

T = TypeVar("T")

_WAITS_S = (0.05, 0.2, 0.8, 3.2)
"""Pauses before a decision is taken again because somebody else committed first, in seconds."""

_AGE = ("curated_at", "kafka_topic", "kafka_partition", "kafka_offset")


class Curate:
    """The sink. One at a time may write; a second one that is late finds its commit refused and reads again."""

    def __init__(self, dataset: Location, factory: str, plan: Plan, now: Callable[[], datetime], judged: Tell) -> None:
        """`judged` is told of every audit once it is kept."""
        self._dataset, self._factory, self._plan, self._now, self._judged = dataset, factory, plan, now, judged
        self._rows: Table
        self._ledger: Table
        self._audits: Audits
        self._state: State
        self._upkeep: Upkeep

    async def open(self, incarnations: Mapping[str, str]) -> dict[tuple[str, int], StoredOffset]:
        """See Sink. Also does what a changed plan makes due: admits rows from the reserve, releases.

        Raises Refusal when a newer software wrote the dataset.
        """
        await asyncio.to_thread(self._open)
        await self._retried(self._promote)
        return {
            (kafka_topic, partition): last
            for kafka_topic, incarnation in incarnations.items()
            for partition, last in self._owner(kafka_topic).positions(kafka_topic, incarnation).items()
        }

    async def write(self, records: Sequence[Record]) -> None:
        """See Sink. Raises Invalid when a solution has nothing to curate."""
        await self._retried(lambda: self._write(records))
        await self._retried(lambda: self._upkeep(self._now()))

    def outbox(self, mark: str | None) -> tuple[list[Event], str]:
        """See Sink. A release is said when its manifest lies there."""
        version = self._rows.version
        said: list[Event] = []
        for commit in self._rows.notes(outbox.published(mark, self._rows.id, version)):
            said += outbox.events(commit)
            if release := outbox.release(commit):
                describe(self._dataset, release)
        return said, outbox.mark(self._rows.id, version)

    async def _retried(self, work: Callable[[], T]) -> T:
        for wait in _WAITS_S:
            try:
                return await asyncio.to_thread(work)
            except Conflict:
                await asyncio.sleep(wait)
                await asyncio.to_thread(self._reload)
        return await asyncio.to_thread(work)

    def _open(self) -> None:
        self._rows = Table(self._dataset, Row, self._factory)
        self._ledger = Table(self._dataset, Entry, self._factory)
        self._audits = Audits(Table(self._dataset, Audit, self._factory), self._judged)
        self._state = State.load(self._rows, self._ledger)
        self._upkeep = Upkeep(self._dataset, [self._rows, self._ledger, self._audits.table])

    def _reload(self) -> None:
        self._state = State.load(self._rows, self._ledger)
        self._audits.reload()

    def _owner(self, kafka_topic: str) -> Table:
        """The table that has the watermark of a Kafka topic: the last one written for it."""
        apart = {ProblemRejected.type: self._ledger, AuditJudged.type: self._audits.table}
        return apart.get(kafka_topic, self._rows)

    def _write(self, records: Sequence[Record]) -> None:
        now = self._now()
        fresh = [record for record in records if not self._owner(record.kafka_topic).seen(record)]
        fresh.sort(key=lambda record: (record.kafka_topic, record.partition, record.offset))
        self._keep(fresh, now)
        self._curate([record for record in fresh if isinstance(record.event, SolutionChecked)], now)
        self._delete([record for record in fresh if isinstance(record.event, SampleDeleted)])
        self._audits.keep(fresh, now)

    def _keep(self, records: Sequence[Record], now: datetime) -> None:
        built = (build.entry(record, now) for record in records)
        new = {line.id: line for line in built if line and line.id not in self._state.entries}
        marks = self._ledger.watermarks(record for record in records if isinstance(record.event, ProblemRejected))
        if new or marks:
            self._ledger.append([*new.values()], marks, {})
            for line in new.values():
                self._state.keep(line.id, line.kind, line.item_id)

    def _curate(self, records: Sequence[Record], now: datetime) -> None:
        finals = [(one, one.event) for one in records if isinstance(one.event, SolutionChecked) and one.event.final]
        if not finals:
            return
        quotas, new = self._quotas(), dict[str, Row]()
        for record, event in finals:
            id_ = str(event.item.id)
            if id_ not in new and id_ not in self._state.rows and id_ not in self._state.deleted:
                new[id_] = self._admitted(build.row(record, event, now), quotas)
        progress, note = self._decided([curated(asdict(row)) for row in new.values()], quotas)
        self._rows.append([*new.values()], {**self._rows.watermarks(records), **asdict(progress)}, note)
        for row in new.values():
            self._state.add(row.id, row.subject, row.admission, row.difficulty)
        self._state.progress = progress

    def _delete(self, records: Sequence[Record]) -> None:
        gone = {str(one.event.sample_id) for one in records if isinstance(one.event, SampleDeleted)} & self._state.rows
        if gone:
            self._rows.delete(gone, {**self._rows.watermarks(records), "target": 0})
            self._state = State.load(self._rows, self._ledger)
            self._promote()  # a row in reserve takes the place
        elif records:  # no such row: said in a commit all the same, so that who is late with it reads the ledger again
            self._rows.append([], self._rows.watermarks(records), {})

    def _promote(self) -> None:
        quotas = self._quotas()
        waiting = self._rows.read((*COLUMNS, "difficulty"), where=f"admission = '{RESERVE}'", order=_AGE)
        admitted = [
            {**row, "admission": IN}
            for row in waiting
            if quotas.admit(row["subject"], row["views"], row["difficulty"]) == IN
        ]
        progress, note = self._decided([curated(row, index=1) for row in admitted], quotas)
        if admitted:
            self._rows.set({"admission": IN}, [row["id"] for row in admitted], asdict(progress), note)
        elif progress != self._state.progress:  # the plan asks for less than it did: what is there is due
            self._rows.append([], asdict(progress), note)
        else:
            return
        self._state = State.load(self._rows, self._ledger)

    def _quotas(self) -> Quotas:
        return Quotas(self._plan, self._state.admitted, self._state.difficulties)

    def _admitted(self, row: Row, quotas: Quotas) -> Row:
        side = split(self._plan.held_out, row.subject, row.topic, row.problem)
        entered = views(self._plan.verification, row.tier, row.correct, row.flaws) if side == TRAIN else ()
        return replace(row, split=side, views=entered, admission=quotas.admit(row.subject, entered, row.difficulty))

    def _decided(self, said: Sequence[SampleCurated], quotas: Quotas) -> tuple[Progress, dict[str, str]]:
        """What follows from a commit that admits rows: progress to mark, and the note with all there is to say."""
        admitted = sum(event.admission == IN for event in said)
        decision = decide(self._state.progress, admitted, quotas, self._plan, self._now())
        if not decision.release:
            return decision.progress, outbox.note(said)
        release = Release(
            number=decision.progress.releases,
            plan=self._plan.name,
            plan_hash=self._plan.hash,
            rows=sum(quotas.admitted.values()),
            table_version=self._rows.version + 1,
            ledger_version=self._ledger.version,
        )
        return decision.progress, outbox.note([*said, *released(self._factory, release, train=decision.train)], release)
