"""Versions of the dataset for people."""

from typing import ClassVar

from schemas.events.base import Event


class DatasetReleased(Event):
    """A release: one version of the rows table, pinned."""

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
