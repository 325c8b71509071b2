"""Training runs."""

from typing import ClassVar
from uuid import UUID

from schemas.events.base import Event


class TrainingTriggered(Event):
    """There are enough new rows: train on this release."""

    type: ClassVar[str] = "training.triggered"

    plan: str
    release: int
    table_version: int
    rows: int

    @property
    def key(self) -> str:
        return self.plan


class TrainingCompleted(Event):
    type: ClassVar[str] = "training.completed"

    plan: str
    release: int
    run: UUID
    model: str
    """Path or URL of the trained model."""

    @property
    def key(self) -> str:
        return self.plan


class TrainingFailed(Event):
    type: ClassVar[str] = "training.failed"

    plan: str
    release: int
    run: UUID
    phase: str
    reason: str

    @property
    def key(self) -> str:
        return self.plan
