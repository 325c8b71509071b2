"""Which items are worth a person's look, the most doubtful first.

A look is worth the chance that it changes something: min(p, 1 − p), where p is the item's belief, or else what its
blind votes alone say, (hits + 1) / (votes + 2).
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from schemas.item import Item, Verdict
from shared.dataset.query import id_in
from shared.dataset.reader import Dataset
from shared.dataset.reports.rejects import rivals
from shared.stats.item_belief import complete_belief, row_belief

COLUMNS = ("subject", "topic", "problem", "answer", "answer_type")
LOOKED_AT = 2000
"""Rows, and rejected problems, that are weighed: the latest."""
DOUBTED = "kind = 'rejected' and reason in ('key_disputed', 'unsolved')"
KEPT = "tier not in ('verified', 'reviewed')"


@dataclass(frozen=True, slots=True)
class DoubtfulItem:
    """An item whose key may be wrong."""

    id: str
    subject: str | None
    topic: str | None
    problem: str | None
    answer: str | None
    answer_type: str | None
    fate: str
    why: str | None
    hits: int
    """Blind votes for the key."""
    rivals: dict[str, int]
    """Other answers, with their blind votes."""
    chance: float
    """Chance that the key is right."""
    believed: bool
    """Whether the chance is a belief, and not of votes alone."""
    judgements: dict[str, str]
    """What each verifier says with the key in view."""

    @property
    def value(self) -> float:
        """Chance that a look changes something."""
        return min(self.chance, 1 - self.chance)


def review_queue(dataset: Dataset, decided: Iterable[str] = (), suspicious: Iterable[str] = ()) -> list[DoubtfulItem]:
    """Return the items without those that a person has `decided`; `suspicious` rows are weighed whatever their tier."""
    done, kept = set(decided), f"{KEPT} or {id_in(suspicious)}"
    found = [*_rows(dataset, kept), *_rejects(dataset)]
    return sorted((one for one in found if one.id not in done), key=lambda one: (-one.value, one.id))


def _rows(dataset: Dataset, where: str) -> Iterator[DoubtfulItem]:
    names = (*COLUMNS, "id", "tier", "tier_reason", "rationale", "verdicts", "lineage")
    for row in dataset.rows.newest(*names, at="curated_at", limit=LOOKED_AT, where=where):
        verdicts = [Verdict.model_validate(one) for one in json.loads(row["verdicts"])]
        yield _weighed(row, verdicts, row["id"], f"kept as {row['tier']}", row["tier_reason"], row_belief(row))


def _rejects(dataset: Dataset) -> Iterator[DoubtfulItem]:
    names = (*COLUMNS, "item_id", "reason", "detail", "item")
    for line in dataset.ledger.newest(*names, at="recorded_at", limit=LOOKED_AT, where=DOUBTED):
        item = Item.model_validate_json(line["item"] or "")
        whole = complete_belief(item)
        belief = whole.key if whole else None
        yield _weighed(line, item.verdicts, line["item_id"], f"refused: {line['reason']}", line["detail"], belief)


def _weighed(
    line: dict[str, Any], verdicts: Iterable[Verdict], id_: str, fate: str, why: str | None, belief: float | None
) -> DoubtfulItem:
    verdicts = tuple(verdicts)
    votes = [vote for verdict in verdicts for vote in verdict.votes if vote.answer]
    hits, against = sum(vote.agrees == "yes" for vote in votes), rivals(verdicts)
    return DoubtfulItem(
        **{name: line[name] for name in COLUMNS},
        id=id_,
        fate=fate,
        why=why,
        hits=hits,
        rivals=against,
        chance=(hits + 1) / (hits + sum(against.values()) + 2) if belief is None else belief,
        believed=belief is not None,
        judgements={one.role: _judgement(one) for one in verdicts},
    )


def _judgement(verdict: Verdict) -> str:
    if verdict.judgement is None:
        return f"no judgement: {verdict.unable or 'none given'}"
    return f"{'good' if verdict.judgement.good else 'not good'}: {verdict.judgement.reason}"
