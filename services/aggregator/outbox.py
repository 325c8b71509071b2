"""The outbox: what is published about a commit is in its metadata, events about rows by the ids of the rows alone.

Older versions of this software stored every event whole; these are published as they are.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from schemas.events import Event
from schemas.flow import BY_TYPE
from shared.dataset import Release

_EVENTS, _RELEASE, _ROWS = "chimera.events", "chimera.release", "chimera.rows"


@dataclass(frozen=True, slots=True)
class RowEvents:
    """The events sample.curated of a commit, which are built from its rows."""

    version: int
    """Version of the rows that the commit makes."""
    ids: Mapping[str, int]
    """Id of each row, and the index of its event."""


def to_metadata(
    events: Iterable[Event], release: Release | None = None, rows: RowEvents | None = None
) -> dict[str, str]:
    """Build commit metadata with the events, the release that the commit makes, and the rows with events."""
    note = {_EVENTS: json.dumps([{"type": event.type, "event": event.model_dump(mode="json")} for event in events])}
    if release:
        note[_RELEASE] = json.dumps(asdict(release))
    if rows:
        note[_ROWS] = json.dumps(asdict(rows))
    return note


def row_events(commit: Mapping[str, Any]) -> RowEvents | None:
    """Read which rows of a commit have events; `None` when there are none, or when `events` has them."""
    return RowEvents(**json.loads(commit[_ROWS])) if _ROWS in commit else None


def events(commit: Mapping[str, Any]) -> list[Event]:
    """Read the events of a commit; none of a commit without them, such as a compaction."""
    return [BY_TYPE[one["type"]].event.model_validate(one["event"]) for one in json.loads(commit.get(_EVENTS, "[]"))]


def release(commit: Mapping[str, Any]) -> Release | None:
    """Read the release of a commit, if it made one."""
    return Release(**json.loads(commit[_RELEASE])) if _RELEASE in commit else None


def format_cursor(table: str, version: int) -> str:
    """Format a position in the history of a table."""
    return f"{table}@{version}"


def published_version(cursor: str | None, table: str, version: int) -> int:
    """Return the version up to which events were published, -1 for none.

    It is -1 also when the cursor is of another table, or ahead of this one: the folder was emptied or restored.
    Publishing everything again is harmless, because ids are the same.
    """
    its_table, _, number = (cursor or "").rpartition("@")
    return int(number) if its_table == table and int(number) <= version else -1
