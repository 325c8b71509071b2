"""What lies in the dataset's folder."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.config.plan import Plan
from shared.config.settings import Connections
from shared.dataset import Dataset, manifests
from shared.dataset.storage import Location, remote


def dataset_in(directory: Path) -> Location:
    """Where the dataset of a stack lies: in its folder, unless CHIMERA_DATASET names another place."""
    named = Connections().dataset
    return named if remote(named) else directory / named


@dataclass(frozen=True, slots=True)
class DatasetSummary:
    """Rows and releases so far."""

    by_subject: Mapping[str, int] = field(default_factory=dict)
    """Admitted rows."""
    reserve: Mapping[str, int] = field(default_factory=dict)
    """Rows that are admitted before anything new."""
    released: int = 0
    """Admitted rows in the latest release."""
    tokens: int | None = None
    """Generated for everything that has ended; `None` when any count is unknown."""

    @classmethod
    def of(cls, folder: Location) -> "DatasetSummary":
        """Read the folder; nothing there is no rows. Raises Refusal when a newer software wrote it."""
        if not Dataset.there(folder):
            return cls()
        dataset = Dataset.open(folder)
        counted = dataset.rows.counts("subject", "admission").items()
        admitted, reserve = ({name: n for (name, how), n in counted if how == kept} for kept in ("in", "reserve"))
        rejected = [count for kind, count in _pairs(dataset.ledger, "kind", "tokens") if kind == "rejected"]
        counts = [*(count for _, count in _pairs(dataset.rows, "id", "tokens")), *rejected]
        return cls(admitted, reserve, _released(folder), None if None in counts else sum(counts))

    @property
    def rows(self) -> int:
        return sum(self.by_subject.values())

    def complete(self, plan: Plan) -> bool:
        """Whether every subject has its rows, and a release holds them."""
        full = all(self.by_subject.get(name, 0) >= quota for name, quota in plan.quotas().items())
        return full and self.released >= plan.rows


def _pairs(part: Any, *columns: str) -> Any:
    table = part.table(*columns)
    return zip(*(table[column].to_pylist() for column in columns), strict=True)


def _released(folder: Location) -> int:
    made = manifests(folder)
    return int(made[-1]["rows"]) if made else 0
