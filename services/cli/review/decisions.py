"""Decisions as files: written as CSV for a spreadsheet, filled in by people, and read back."""

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from shared.dataset.records import Flaw, read_records
from shared.dataset.reports.review_queue import DoubtfulItem
from shared.errors import Refusal
from shared.llm.sanitize import neutralise, one_line

KINDS = ("accept", "correct", "reject")
COLUMNS = ("id", "value", "fate", "subject", "problem", "key", "rivals", "judgements")
FILLED_IN = ("decision", "answer", "reason", "name")
LARGEST = 2000
"""Most characters of a key, a reason or a name."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What one person decided about one item."""

    id: str
    decision: str
    """accept, correct, reject."""
    name: str
    reason: str
    answer: str | None = None
    """The right key, of `correct`."""

    @property
    def outcome(self) -> tuple[str, str | None]:
        """Equal for decisions that agree."""
        return self.decision, self.answer

    def __str__(self) -> str:
        return f"{self.name}: {self.decision}{f' to {self.answer}' if self.answer else ''} ({self.reason})"


def write_queue(path: Path, items: Iterable[DoubtfulItem]) -> int:
    """Write items as CSV with empty columns for decisions; returns their number. Raises Refusal when it is there."""
    if path.exists():
        raise Refusal(f"{path} exists", "Name another file: it may have decisions")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, (*COLUMNS, *FILLED_IN))
        writer.writeheader()
        count = 0
        for one in items:
            rivals = "; ".join(f"{answer} ×{votes}" for answer, votes in one.rivals.items())
            line: dict[str, Any] = {
                "id": one.id,
                "value": f"{one.value:.3f}",
                "fate": f"{one.fate}: {one.why}",
                "subject": one.subject,
                "problem": one.problem,
                "key": f"{one.answer} ×{one.hits}",
                "rivals": rivals,
                "judgements": "; ".join(f"{role}: {text}" for role, text in one.judgements.items()),
            }
            writer.writerow({name: _inert(str(value)) for name, value in line.items()})
            count += 1
    return count


def _inert(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def append_decision(path: Path, decision: Decision) -> None:
    """Append a decision to a file of JSON lines, so that a kill loses none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(decision)) + "\n")


def read_decisions(paths: Sequence[Path], name: str) -> list[Decision]:
    """Read the decisions of files; lines without one, and those with `skip`, are left out.

    `name` stands for lines without a name. Raises Refusal when a line is not a decision: nothing is done then.
    """
    found: list[Decision] = []
    for path in paths:
        for record in read_records(path):
            where = f"{path}:{record.line}"
            if isinstance(record, Flaw):
                raise Refusal(f"cannot read {where}: {record.reason}", "Correct the file and run again")
            decided = _decision(record.fields, name, where)
            if decided and decided not in found:
                found.append(decided)
    return found


def _decision(fields: dict[str, Any], name: str, where: str) -> Decision | None:
    kind, answer, reason, person = (_text(fields, column, where) for column in FILLED_IN)
    kind = kind.lower()
    if kind in ("", "skip"):
        return None
    id_, person = _text(fields, "id", where).lower(), person or name
    missing = {
        "decision": kind not in KINDS,
        "id": not _is_id(id_),
        "reason": not reason,
        "name": not person,
        "answer": (kind == "correct") != bool(answer),
    }
    if wrong := next((column for column, is_wrong in missing.items() if is_wrong), None):
        raise Refusal(f"{where}: {_NEEDED[wrong]}", "Correct the file and run again; nothing was changed")
    return Decision(id_, kind, one_line(person), one_line(reason), neutralise(answer) or None)


_NEEDED = {
    "decision": "the decision is not accept, correct, reject or skip",
    "id": "the id is not that of an item",
    "reason": "a decision needs a reason",
    "name": "a decision needs the name of a person: the column name, or --name",
    "answer": "`correct` needs the right key in the column answer, and no other decision has one",
}


def _text(fields: dict[str, Any], column: str, where: str) -> str:
    text = str(fields.get(column) or "").strip()
    if len(text) > LARGEST:
        raise Refusal(f"{where}: {column} has more than {LARGEST:,} characters", "Shorten it and run again")
    return text


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def contradictions(decisions: Iterable[Decision], recorded: Iterable[Decision]) -> dict[str, list[Decision]]:
    """Return the decisions on each item about which people disagree. A person may change an own decision."""
    latest: defaultdict[str, dict[str, Decision]] = defaultdict(dict)
    given: defaultdict[str, list[Decision]] = defaultdict(list)
    for one in recorded:
        latest[one.id][one.name] = one
    for one in decisions:
        given[one.id].append(one)
    found = {}
    for id_, new in given.items():
        own = {one.name for one in new}
        others = [one for name, one in latest[id_].items() if name not in own]
        if len({one.outcome for one in (*new, *others)}) > 1:
            found[id_] = [*others, *new]
    return found
