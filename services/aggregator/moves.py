"""Which rows move when there is more evidence on their key, or another solution.

A row moves when the plan admits it then to other views. It leaves `in` when it loses the view sft, and enters `in` when
it gains that view and there is room; otherwise it keeps its admission.
"""

from dataclasses import asdict, dataclass
from typing import Any

from schemas.config.policies import Verification
from schemas.events import ProblemReprobed, ProblemResolved, ProblemReverified, ProblemReviewed
from schemas.outcomes import IMPORTED_VIEWS, Tier
from services.aggregator.events import is_apart
from services.aggregator.policy import ASIDE, IN, RESERVE, Quotas, assign_views, imported_views, is_confirmed
from shared.dataset import Row
from shared.dataset.amend import attempts_of, is_reviewed, left_views
from shared.dataset.split import TRAIN
from shared.stats.item_belief import belief_after_solving


@dataclass(frozen=True, slots=True)
class Move:
    """The views and the admission of a row, before and after."""

    row: dict[str, Any]
    """The row as it was."""
    views: tuple[str, ...]
    admission: str

    @property
    def after(self) -> dict[str, Any]:
        """The row as it is then."""
        return {**self.row, "views": self.views, "admission": self.admission}

    @property
    def leaves(self) -> bool:
        """Whether it no longer counts towards the target."""
        return bool(self.row["admission"] == IN != self.admission)


def reverify(row: dict[str, Any], event: ProblemReverified, policy: Verification, quotas: Quotas) -> Move | None:
    """Return how a row moves by all evidence on its key; `None` when it stays as it is."""
    if event.run.compare or is_reviewed(row):
        return None
    tier = event.item.tier if event.accepted else None
    return decide_move(row, assign_views(policy, tier, row["correct"], row["flaws"], event.item.belief), quotas)


def resolve(before: Row, row: Row, event: ProblemResolved, policy: Verification, quotas: Quotas) -> Move:
    """Return the row with new attempts, and how it moves.

    Its evidence is that of its copy, unless a person has decided about the key.
    """
    item = event.item.with_(attempts=attempts_of(row))
    if is_reviewed({"lineage": row.lineage}):
        item = item.with_(tier=row.tier if row.tier == Tier.REVIEWED else None)
    correct = row.correct if is_confirmed(item.tier, item.attempts) else None
    entered = assign_views(policy, item.tier, correct, row.flaws, belief_after_solving(item))
    return _changed(before, row, entered, quotas)


def review(before: Row, row: Row, event: ProblemReviewed, policy: Verification, quotas: Quotas) -> Move:
    """Return the row that a person decided about, and how it moves. A rejected one, or one with a wrong key, leaves."""
    tier = row.tier if event.decision == "accept" else None
    return _changed(before, row, assign_views(policy, tier, row.correct, row.flaws), quotas)


def probe(before: Row, row: Row, _: ProblemReprobed, __: Verification, quotas: Quotas) -> Move:
    """Return the row with its new difficulty, and how it moves. An always solved one leaves the views of its run."""
    counted = {apart: view for view, apart in IMPORTED_VIEWS.items()}
    return _changed(before, row, tuple(counted.get(view, view) for view in before.views), quotas)


def _changed(before: Row, row: Row, entered: tuple[str, ...], quotas: Quotas) -> Move:
    old = {**asdict(row), "views": before.views, "admission": before.admission}
    return decide_move(old, entered, quotas) or Move(old, before.views, before.admission)


def decide_move(row: dict[str, Any], entered: tuple[str, ...], quotas: Quotas) -> Move | None:
    """Return how a row moves that enters these views; `None` when it stays. One of the held-out split has no view."""
    if row["split"] != TRAIN:
        return None
    left = left_views(row)
    entered = tuple(view for view in entered if view not in left)
    if is_apart(row):
        views = imported_views(entered)
        return None if views == tuple(row["views"]) else Move(row, views, row["admission"])
    if "sft" in row["views"] and "sft" not in entered:
        return Move(row, entered, ASIDE)
    if "sft" in entered and row["admission"] == ASIDE:
        admission = quotas.admit(row["subject"], entered, row["difficulty"])
        return None if admission == RESERVE else Move(row, entered, IN)
    return None if entered == tuple(row["views"]) else Move(row, entered, row["admission"])
