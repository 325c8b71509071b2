"""Fills a dataset quickly, for benches and tests: the commits of the aggregator, with any number of rows in each.

python -m tests.bench.dataset.loader FOLDER [ROWS]
"""

import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from schemas.events import SolutionChecked
from schemas.identity import derive
from services.aggregator import outbox
from services.aggregator.policy import IN
from shared.dataset import Audit, Entry, Row, Table, build
from shared.ports import Record
from tests.support.items import FACTORY, attempt, checked, record, rejected

SUBJECTS = ("mathematics", "physics", "chemistry", "biology", "linguistics", "literature", "history", "economics")
TOPICS = 1179
"""As many as in the dataset of the CHIMERA paper."""
VARIANTS = 3
"""Rows of one template, which differ in their numbers."""
REJECTED = 2
"""Rows for each rejected item."""
START = datetime(2026, 1, 1, tzinfo=UTC)


@cache
def vocabulary() -> list[str]:
    """Return words for texts: random letters, the worst case for compression and search."""
    dice = random.Random(1)
    return ["".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=dice.randint(3, 9))) for _ in range(20_000)]


def statement(number: int) -> str:
    """Return the problem of a row: a template of 60 words, with numbers of its own."""
    words = random.Random(number // VARIANTS).choices(vocabulary(), k=60)
    return f"Given {number} and {number * 7}: {' '.join(words)}?"


def solution(number: int, words: int = 500) -> SolutionChecked:
    """Return a final event whose row has about this many words."""
    text = " ".join(random.Random(number).choices(vocabulary(), k=words))
    event = checked(number, attempts=(attempt(text=text),))
    return event.with_(item=event.item.with_(problem=event.item.written.with_(statement=statement(number))))


def load(folder: Path, rows: int, *, a_commit: int = 10_000, words: int = 500) -> None:
    """Write rows, and a rejected item for every second one. Every row is admitted, and its event is in the outbox."""
    table, ledger, _ = (Table(folder, kind, "test") for kind in (Row, Entry, Audit))
    template = build.to_row(record(solution(0, words), 0), solution(0, words), START)
    for begin in range(0, rows, a_commit):
        lines = list(_rows(template, range(begin, min(rows, begin + a_commit)), words))
        last = record(checked(0), begin + len(lines) - 1)
        note = outbox.to_metadata([], rows=outbox.RowEvents(table.version + 1, {line.id: 0 for line in lines}))
        table.append(lines, table.watermarks([last]), note)
        refused = [record(rejected(0), number // REJECTED) for number in range(begin, begin + len(lines), REJECTED)]
        ledger.append(list(_entries(refused)), ledger.watermarks(refused[-1:]), {})


def _rows(template: Row, numbers: Sequence[int], words: int) -> Iterator[Row]:
    for number in numbers:
        topic = number // VARIANTS % TOPICS
        yield replace(
            template,
            id=identity(number),
            subject=SUBJECTS[topic % len(SUBJECTS)],
            topic=f"topic {topic}",
            problem=statement(number),
            reasoning=" ".join(random.Random(number).choices(vocabulary(), k=words)),
            difficulty=number % 5 / 4,
            views=("sft", "rl"),
            admission=IN,
            row_hash=f"{number:064x}",
            kafka_offset=number,
            curated_at=START + timedelta(seconds=number),
        )


def _entries(records: Sequence[Record]) -> Iterator[Entry]:
    template = build.to_entry(records[0], START)
    assert template
    for one in records:
        number = one.offset
        at = START + timedelta(seconds=number)
        yield replace(
            template,
            id=identity(-1 - number),
            item_id=identity(-number - 10**9),
            topic=f"topic {number % TOPICS}",
            kafka_offset=number,
            recorded_at=at,
        )


def identity(number: int) -> str:
    """Return the id of a row by its number."""
    return str(derive(FACTORY, f"row {number}"))


if __name__ == "__main__":
    load(Path(sys.argv[1]), *map(int, sys.argv[2:3] or ["10000"]))
