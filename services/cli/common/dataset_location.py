"""Where the dataset is, how many rows and releases it has, and by which plan it was made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.config.plan import Plan
from schemas.config.policies import Difficulty
from schemas.outcomes import Admission
from schemas.spend import sum_or_none
from shared.config.plan_loader import load_plan
from shared.config.settings import Connections
from shared.dataset import Dataset, list_manifests
from shared.dataset.storage import Location, check_location, is_remote


def dataset_in(directory: Path) -> Location:
    """Return the location of a stack's dataset: in its folder, unless CHIMERA_DATASET names an object store.

    Raises Refusal for a path that Delta tables cannot have, before anything is started or written.
    """
    configured = Connections().dataset
    where = configured if is_remote(configured) else directory / configured
    check_location(where)
    return where


def last_plan(directory: Path) -> Plan | None:
    """Load the plan of the folder's last run; `None` before the first. Raises Refusal for an invalid file."""
    path = directory / "plan.yaml"
    return load_plan(path) if path.exists() else None


def difficulty_bins(directory: Path) -> Difficulty:
    """Return the difficulty bins of the folder's last run, otherwise the default ones."""
    plan = last_plan(directory)
    return plan.difficulty if plan else Difficulty()


@dataclass(frozen=True, slots=True)
class DatasetSummary:
    """Rows and releases of a dataset."""

    by_subject: Mapping[str, int] = field(default_factory=dict)
    """Admitted rows."""
    reserve: Mapping[str, int] = field(default_factory=dict)
    """Rows that are admitted before new ones."""
    released: int = 0
    """Admitted rows in the latest release."""
    tokens: int | None = None
    """Generated for everything that has ended; `None` when any count is unknown."""

    @classmethod
    def of(cls, folder: Location) -> "DatasetSummary":
        """Read the dataset; no folder means no rows. Raises Refusal when a newer version wrote it."""
        if not Dataset.exists(folder):
            return cls()
        dataset = Dataset.open(folder)
        counts = dataset.rows.counts("subject", "admission").items()
        both = (Admission.IN, Admission.RESERVE)
        admitted, reserve = ({name: n for (name, one), n in counts if one == admission} for admission in both)
        rejected = [count for kind, count in _pairs(dataset.ledger, "kind", "tokens") if kind == "rejected"]
        tokens = [*(count for _, count in _pairs(dataset.rows, "id", "tokens")), *rejected]
        return cls(admitted, reserve, _released_rows(folder), sum_or_none(tokens))

    @property
    def rows(self) -> int:
        return sum(self.by_subject.values())

    def complete(self, plan: Plan) -> bool:
        """Return whether every subject has its rows, and a release contains them."""
        full = all(self.by_subject.get(name, 0) >= quota for name, quota in plan.quotas().items())
        return full and self.released >= plan.rows


def _pairs(part: Any, *columns: str) -> Any:
    return ([line[column] for column in columns] for line in part.columns(*columns))


def _released_rows(folder: Location) -> int:
    releases = list_manifests(folder)
    return int(releases[-1]["rows"]) if releases else 0
