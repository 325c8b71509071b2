"""The estimated share of wrong keys among rows, by view, and the parameters that it rests on."""

from collections import Counter
from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any

from schemas.audit_tag import AuditTag
from schemas.belief import BeliefEstimate
from schemas.item import Item
from schemas.outcomes import Tier
from shared.dataset.amend import follows_from_another
from shared.dataset.reader import Dataset, TableSnapshot
from shared.dataset.schema import Audit
from shared.stats.belief_estimation import NO_AUDITS, Estimate, estimate, wrong_share
from shared.stats.belief_model import Saw
from shared.stats.grid_posterior import Interval
from shared.stats.item_belief import is_complete, possible_evidence, row_evidence, says_about_key, sight_of
from shared.stats.ledger import Audits, Observation, Proportion

NATURAL = "natural"
"""Kind of the audits whose key is an answer that verifiers gave: only these resemble a wrong key of a writer."""
MOST = 20_000
"""Items from which a release estimates: more would tell little more, and take minutes."""
_COLUMNS = ("id", "problem", "answer", "answer_type", "rationale", "tier", "verdicts", "lineage", "views")
_REJECTED = "kind = 'rejected'"
MEANING = {
    "wrong_keys": "w, share of wrong keys among written problems",
    "error_agreement": "ρ, share of wrong answers that coincide",
    "catch": "d, chance that a judge catches a wrong key",
    "false_alarm": "f, chance that a judge refuses a right key",
    "adjudicator": "α, chance that an adjudicator is right",
    "neither": "ν, chance that an adjudicator takes neither of two wrong answers",
    "ability": "ability of verifier-b relative to verifier-a, in log-odds",
    "dependence": "c, chance that verifier-b repeats a draw of verifier-a",
}


def estimate_wrong_keys(dataset: Dataset, audits: TableSnapshot[Audit] | None) -> dict[str, Any]:
    """The share by view with its 95 % interval, and the parameters, as one JSON document."""
    rows, rejected = dataset.rows.columns(*_COLUMNS), dataset.ledger.columns("item", where=_REJECTED)
    decided = dataset.decided()
    observations, repeated = Counter[tuple[Observation | None, tuple[str, ...]]](), Counter[Observation | None]()
    for row in rows:
        one = _observation(row, decided)
        observations[one, tuple(row["views"])] += 1
        repeated[one] += follows_from_another(row)
    observed = _known(_total(observations) - repeated + Counter(_rejected(line, decided) for line in rejected))
    result = _estimate(observed, audits)
    adjudicated = any(one.evidence.adjudications for one in observed)
    views = sorted({view for _, entered in observations for view in entered}, reverse=True)
    shares = {"all": _share(result, _total(observations))}
    shares |= {view: _share(result, _total(observations, view)) for view in views}
    return {
        "items": result.items,
        "rows": shares,
        "parameters": {name: _document(interval) for name, interval in result.intervals.items()},
        "assumed": {name: _default(result, name) for name in result.assumed if name != "adjudicator" or adjudicated},
    }


def estimate_parameters(dataset: Dataset, audits: TableSnapshot[Audit] | None) -> BeliefEstimate | None:
    """The parameters by the latest rows and rejected items, MOST together; `None` where none has verdicts."""
    counts = len(dataset.rows), dataset.ledger.counts("kind")["rejected",]
    share = min(1.0, MOST / max(1, sum(counts)))
    rows, rejected = (ceil(share * count) for count in counts)
    latest = dataset.rows.newest(*_COLUMNS, at="curated_at", limit=rows)
    refused = dataset.ledger.newest("item", at="recorded_at", limit=rejected, where=_REJECTED)
    decided = dataset.decided()
    observed = _known(
        Counter(_observation(row, decided) for row in latest if not follows_from_another(row))
        + Counter(_rejected(line, decided) for line in refused)
    )
    if not observed:
        return None
    result = _estimate(observed, audits)
    values = {"parameters": result.parameters.values, "cautious": result.cautious.values}
    return BeliefEstimate(items=result.items, assumed=result.assumed, **values)


def _estimate(observed: Mapping[Observation, int], audits: TableSnapshot[Audit] | None) -> Estimate:
    return estimate(observed, NO_AUDITS if audits is None else _judge_audits(audits), verifiers_differ=True)


def _known(counted: Mapping[Observation | None, int]) -> dict[Observation, int]:
    return {one: items for one, items in counted.items() if one is not None}


def _observation(row: Mapping[str, Any], decided: Mapping[str, bool]) -> Observation | None:
    """Return what was seen of a row; a person's decision about its key outweighs it."""
    label = True if row["tier"] == Tier.REVIEWED else decided.get(row["id"])
    return Observation.of(row_evidence(row), label)


def _rejected(line: Mapping[str, Any], decided: Mapping[str, bool]) -> Observation | None:
    item = Item.model_validate_json(line["item"])
    if not is_complete(item.verdicts):
        return None
    evidence = possible_evidence(item.verdicts, item.written, item.adjudications)
    return Observation.of(evidence, decided.get(str(item.id)))


def _judge_audits(audits: TableSnapshot[Audit]) -> Audits:
    """What judges and adjudicators made of keys known to be wrong, and of keys known to be right.

    Judges by what their votes had shown them. An adjudicator is right about a wrong key if it does not choose it.
    """
    counts, adjudicated = Counter[tuple[bool, Saw, bool]](), Counter[bool]()
    for line in audits.columns("kind", "item"):
        control = AuditTag(kind=line["kind"]).control
        if not control and line["kind"] != NATURAL:
            continue
        item = Item.model_validate_json(line["item"])
        adjudicated.update((one.chosen == "key") == control for one in item.adjudications)
        for verdict in item.verdicts:
            if (passed := says_about_key(verdict)) is not None:
                counts[control, sight_of(verdict), passed] += 1
    caught, refused = (
        {
            saw: Proportion(counts[control, saw, False], counts[control, saw, False] + counts[control, saw, True])
            for saw in {saw for kind, saw, _ in counts if kind == control}
        }
        for control in (False, True)
    )
    return Audits(caught, refused, Proportion(adjudicated[True], adjudicated.total()))


def _total(
    observations: Mapping[tuple[Observation | None, tuple[str, ...]], int], view: str | None = None
) -> Counter[Observation | None]:
    """Return the numbers of rows by observation, of all rows or of one view."""
    total = Counter[Observation | None]()
    for (one, entered), rows in observations.items():
        if view is None or view in entered:
            total[one] += rows
    return total


def _share(result: Estimate, counted: Counter[Observation | None]) -> dict[str, Any]:
    unknown = counted.pop(None, 0)
    complete = {one: count for one, count in counted.items() if one is not None}
    share = wrong_share(result, complete) if complete else None
    return {"rows": sum(complete.values()), "without_verdicts": unknown, **(_document(share) if share else {})}


def _document(interval: Interval) -> dict[str, float]:
    return {"estimate": interval.mean, "low": interval.low95, "high": interval.high95}


def _default(result: Estimate, name: str) -> float:
    parameters = result.parameters
    defaults = {"catch": parameters.judge.catch, "false_alarm": parameters.judge.false_alarm}
    defaults |= {"adjudicator": parameters.adjudicator}
    defaults |= {"wrong_keys": parameters.wrong_keys, "error_agreement": parameters.solving.error_agreement}
    return defaults[name]


def card_lines(document: Mapping[str, Any]) -> Iterator[str]:
    """The estimate in Markdown, for the card of an export."""
    for view, share in document["rows"].items():
        name = "all rows" if view == "all" else f"view `{view}`"
        figure = f"{share['estimate']:.1%} (95 %: {share_range(share)})" if share["rows"] else "unknown"
        yield f"- Estimated share of wrong keys, {name}: {figure}."
    if assumed := document["assumed"]:
        parts = "; ".join(f"{MEANING[name]}: {value:.2f}" for name, value in assumed.items())
        yield f"- This estimate assumes what was not measured: {parts}."


def share_range(share: Mapping[str, float]) -> str:
    """The interval of a share, as text."""
    return f"{share['low']:.1%} to {share['high']:.1%}"
