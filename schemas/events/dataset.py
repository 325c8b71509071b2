"""Releases of the dataset."""

from typing import ClassVar

from schemas.events.base import Event


class DatasetReleased(Event):
    """A release: one pinned version of the rows table."""

    type: ClassVar[str] = "dataset.released"

    plan: str
    release: int
    """1, 2, 3, …"""
    table_version: int
    rows: int
    """Rows admitted."""

    @property
    def key(self) -> str:
        return self.plan
