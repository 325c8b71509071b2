"""The outbox: events decided in a commit are stored in its metadata, and published from there."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from schemas.events import Event
from schemas.flow import BY_TYPE
from shared.dataset import Release

_EVENTS, _RELEASE = "chimera.events", "chimera.release"


def to_metadata(events: Iterable[Event], release: Release | None = None) -> dict[str, str]:
    """Build commit metadata with the events, and the release that the commit makes."""
    stored = {_EVENTS: json.dumps([{"type": event.type, "event": event.model_dump(mode="json")} for event in events])}
    return {**stored, _RELEASE: json.dumps(asdict(release))} if release else stored


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
