"""Events that are decided in a commit lie in its metadata until they have been published."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from schemas.events import Event
from schemas.flow import BY_TYPE
from shared.dataset import Release

_EVENTS, _RELEASE = "chimera.events", "chimera.release"


def to_metadata(events: Iterable[Event], release: Release | None = None) -> dict[str, str]:
    """Commit metadata that holds the events, and the release that the commit makes."""
    said = {_EVENTS: json.dumps([{"type": event.type, "event": event.model_dump(mode="json")} for event in events])}
    return {**said, _RELEASE: json.dumps(asdict(release))} if release else said


def events(commit: Mapping[str, Any]) -> list[Event]:
    """The events in a commit's metadata; none in commits of others, such as a compaction."""
    return [BY_TYPE[one["type"]].event.model_validate(one["event"]) for one in json.loads(commit.get(_EVENTS, "[]"))]


def release(commit: Mapping[str, Any]) -> Release | None:
    """The release that a commit made, if it made one."""
    return Release(**json.loads(commit[_RELEASE])) if _RELEASE in commit else None


def format_cursor(table: str, version: int) -> str:
    """How far the history of a table has been published."""
    return f"{table}@{version}"


def published_version(cursor: str | None, table: str, version: int) -> int:
    """Version up to which the events are known to be published, -1 for none.

    None either when the mark is of another table, or ahead of this one: then the folder was emptied or restored, and
    saying everything again is harmless, for it has the same ids.
    """
    named, _, number = (cursor or "").rpartition("@")
    return int(number) if named == table and int(number) <= version else -1
