"""Progress events of the stack, for a live view or a log."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["downloading", "starting", "ready", "died", "gave_up", "killed", "stopped", "orphans"]


@dataclass(frozen=True, slots=True)
class StackEvent:
    """`process` is the name of an instance (`kafka`, `planner`, `synthesis-2`) or "stack"."""

    kind: Kind
    process: str
    message: str
    done: int | None = None
    """Bytes, while downloading."""
    total: int | None = None
    """Bytes, while downloading."""


OnEvent = Callable[[StackEvent], None]
"""Called in the event loop's thread. It must not block and must not raise."""
