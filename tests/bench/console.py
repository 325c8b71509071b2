"""The console over a large dataset: how long a reader waits for a page, a filter and a search.

The rows are written straight into the table, 2 kB each, with random words: the worst case for compression and search.
"""

import asyncio
import random
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import pyarrow as pa
from aiohttp import ClientSession
from deltalake import DeltaTable, WriterProperties, write_deltalake
from rich.console import Console
from rich.table import Table

from services.console.filters import Cursor
from services.console.server import serve
from services.console.settings import Settings
from shared.dataset.schema import Audit, Row, arrow_schema
from shared.dataset.table import SETTINGS, TABLES

BATCH_ROWS = 50_000
REPEATS = 20
START = datetime(2026, 1, 1, tzinfo=UTC)
SUBJECTS = ("mathematics", "physics", "chemistry", "biology", "linguistics", "literature", "history", "economics")
CHOICES: dict[str, tuple[Sequence[Any], Sequence[int] | None]] = {
    "subject": (SUBJECTS, None),
    "topic": ([f"topic {number}" for number in range(1179)], None),
    "tier": (("verified", "plausible", "unsolved"), (8, 3, 1)),
    "answer_type": (("number", "expression", "text"), None),
    "admission": (("in", "reserve", "aside"), (8, 1, 1)),
    "correct": ((True, False, None), (8, 1, 1)),
    "difficulty": ((None, 0.0, 0.25, 0.5, 0.75, 1.0), None),
}
"""Values of a column, and their weights."""
WORDS = {"problem": 60, "reasoning": 120, "solution": 60, "rationale": 20}
"""Words of each text: about 2 kB together."""
GOALS_S = {"list": 0.3, "search": 5.0}


async def measure(rows: int) -> list[dict[str, Any]]:
    """A row of figures for each case, in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        dataset = Path(folder)
        await asyncio.to_thread(_write, dataset, rows)
        settings = Settings(dataset=dataset, plan=dataset / "plan.yaml", console_port=0)
        async with serve(settings, lambda: None) as url, ClientSession() as client:
            return [await _timed(client, url, *case, rows) for case in _cases(rows)]


def _cases(rows: int) -> Iterator[tuple[str, str, list[str]]]:
    """Name, kind and addresses of each case."""
    dice = random.Random(2)
    cursors = [
        Cursor(at=START + timedelta(seconds=dice.randrange(rows)), id=str(uuid.UUID(int=dice.getrandbits(128))))
        for _ in range(REPEATS)
    ]
    yield "newest page", "list", ["/samples"] * REPEATS
    yield "page anywhere", "list", [f"/samples?after={cursor}" for cursor in cursors]
    narrowed = [f"/samples?subject={SUBJECTS[n % 8]}&tier=plausible&after={one}" for n, one in enumerate(cursors)]
    yield "subject and tier, anywhere", "list", narrowed
    yield "one topic", "list", [f"/samples?topic=topic+{n}" for n in range(REPEATS)]
    yield "difficulty and correct", "list", [f"/samples?difficulty=hard&correct=no&after={one}" for one in cursors]
    yield "one sample", "list", [f"/samples/{identity(dice.randrange(rows))}" for _ in range(REPEATS)]
    yield "text that many rows have", "search", [f"/samples?q={word}" for word in _words(dice)[:5]]
    yield "text that no row has", "search", [f"/samples?q=nowhere{n}" for n in range(5)]
    yield "factory", "first", ["/"]


async def _timed(client: ClientSession, url: str, name: str, kind: str, paths: list[str], rows: int) -> dict[str, Any]:
    took, cpu = list[float](), list[float]()
    for path in paths:
        began, used = time.perf_counter(), time.process_time()
        async with client.get(url + path) as answer:
            await answer.read()
            assert answer.status == 200, path
        took.append(time.perf_counter() - began)
        cpu.append(time.process_time() - used)
    p95 = quantiles(took, n=20)[-1] if len(took) > 1 else took[0]
    figures = {
        "n": len(took),
        "cpu_s": median(cpu),
        "median_s": median(took),
        "p95_s": p95,
        "goal_s": GOALS_S.get(kind),
    }
    return {"case": name, "rows": rows, **figures}


def identity(number: int) -> str:
    """Id of a row by its number."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, str(number)))


def _words(dice: random.Random) -> list[str]:
    return ["".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=dice.randint(3, 9))) for _ in range(20_000)]


def _write(dataset: Path, rows: int) -> None:
    for of, name in TABLES.items():
        if of is not Audit:
            DeltaTable.create(
                str(dataset / name), arrow_schema(of), configuration=SETTINGS, raise_if_key_not_exists=False
            )
    dice = random.Random(1)
    words, schema = _words(dice), arrow_schema(Row)
    for begin in range(0, rows, BATCH_ROWS):
        numbers = range(begin, min(rows, begin + BATCH_ROWS))
        columns = [pa.array(_column(dice, words, field, numbers), field.type) for field in schema]
        zstd = WriterProperties(compression="ZSTD")
        table = pa.table(columns, schema=schema)
        write_deltalake(str(dataset / TABLES[Row]), table, mode="append", writer_properties=zstd)


def _column(dice: random.Random, words: list[str], field: pa.Field, numbers: range) -> list[Any]:
    count = len(numbers)
    if field.name in CHOICES:
        return dice.choices(*CHOICES[field.name], k=count)
    if field.name in WORDS:
        return [" ".join(dice.choices(words, k=WORDS[field.name])) for _ in numbers]
    if field.name == "id":
        return [identity(number) for number in numbers]
    if field.name == "curated_at":
        return [START + timedelta(seconds=number) for number in numbers]
    same = {"verdicts": "[]", "attempts": "[]", "lineage": "[]", "views": ["sft"], "flaws": []}
    if pa.types.is_string(field.type):
        return [same.get(field.name, field.name)] * count
    return [same.get(field.name, False if pa.types.is_boolean(field.type) else 1)] * count


def show(console: Console, rows: list[dict[str, Any]]) -> None:
    """Print for a person."""
    title = f"console over {rows[0]['rows']:,} rows of 2 kB"
    table = Table("page", "requests", "CPU s", "median s", "p95 s", "goal s", title=title)
    for row in rows:
        goal = "" if row["goal_s"] is None else f"{row['goal_s']:.1f}"
        table.add_row(
            row["case"], str(row["n"]), f"{row['cpu_s']:.3f}", f"{row['median_s']:.3f}", f"{row['p95_s']:.3f}", goal
        )
    console.print(table)
