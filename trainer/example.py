"""A row as the trainer reads it, and its splits."""

from dataclasses import dataclass

from schemas.outcomes import Admission

TRAIN, VALIDATION, CLUSTER, TOPIC = "train", "validation", "cluster", "topic"
HELD_OUT = (CLUSTER, TOPIC)
"""Splits on which models are scored."""


@dataclass(frozen=True, slots=True)
class Example:
    """The columns of a row (`shared.dataset.Row`) that the trainer reads."""

    id: str
    subject: str
    field: str
    subfield: str
    topic: str
    problem: str
    answer: str
    answer_type: str
    reasoning: str
    solution: str
    difficulty: float | None
    views: list[str]
    admission: str
    split: str
    row_hash: str
    """Hash of everything that the row says."""
    simulated: bool | None
    """Whether the simulator played a model behind the row; None when the dataset does not say."""

    @property
    def is_for_sft(self) -> bool:
        """Whether SFT trains on its trace."""
        return self.admission == Admission.IN and "sft" in self.views

    @property
    def is_rl_only(self) -> bool:
        """Whether only RL uses it: its key is accepted, but its trace is wrong or cannot be graded."""
        return "rl" in self.views and "sft" not in self.views
