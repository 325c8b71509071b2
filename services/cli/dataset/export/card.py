"""The card of an export: a dataset card as the Hugging Face hub reads it, with nothing in it that was not measured."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from schemas.config.plan import Plan
from services.cli.common.sanitize_terminal import strip_controls
from services.cli.dataset.coverage import MEANING
from services.cli.dataset.export.export_stats import ExportStats
from services.cli.dataset.stats import PAPER_WORDS
from shared.dataset import Dataset
from shared.text.contamination import CONTAINED, JACCARD_8, JACCARD_13

SIMULATED = "**SIMULATED: the models behind {} of {} rows were played by a simulator. Do not train on this.**"
TIERS = {
    "verified": "each verifier hit the key blind, both judge it good, the key has more votes than any rival",
    "plausible": "both judge it good, no rival answer has two votes, a verifier of another model hit the key",
    "unsolved": "no hit, no rival: hard, or a wrong key",
    "nodded": "two models that saw the key called it right, as in the CHIMERA paper",
}
SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))
LARGEST = "10M<n<100M"


@dataclass(frozen=True, slots=True)
class CardSource:
    """What is known beside the tables."""

    plan: Plan | None
    """The plan that the folder was last run with."""
    audits: Mapping[str, Any] | None
    """As `chimera audit` counts; `None` when nothing was audited."""


def card(
    source: CardSource,
    tally: ExportStats,
    dataset: Dataset,
    release: Mapping[str, Any] | None,
    *,
    form: str,
    view: str,
    columns: Sequence[str],
    suffix: str,
) -> str:
    """README.md of the folder: YAML header and text."""
    body = [_warning(tally), _what(source, tally, release, dataset, form, view), *_use(columns)]
    body += [*_made(tally), *_funnel(dataset), *_rows(tally), *_trust(source, tally, dataset), *_limits(tally)]
    body += _again(source, form, view, release)
    return f"---\n{_header(source, tally, suffix)}---\n\n" + strip_controls(
        "\n".join(line for line in body if line is not None)
    )


def _header(source: CardSource, tally: ExportStats, suffix: str) -> str:
    tags = ["reasoning", "chain-of-thought", "synthetic", *(["simulated"] if tally.by["simulated"][True] else [])]
    files = [{"split": split, "path": f"data/{split}-*.{suffix}"} for split in sorted(tally.splits, reverse=True)]
    header = {
        "pretty_name": _name(source),
        "license": (source.plan and source.plan.license) or "other",
        "language": ["en"],
        "task_categories": ["text-generation"],
        "tags": tags,
        "size_categories": [next((name for limit, name in SIZES if tally.records < limit), LARGEST)],
        "configs": [{"config_name": "default", "data_files": files}],
    }
    return yaml.safe_dump(header, sort_keys=False)


def _name(source: CardSource) -> str:
    return source.plan.name if source.plan else "reasoning problems"


def _warning(tally: ExportStats) -> str | None:
    played = tally.by["simulated"][True]
    return f"{SIMULATED.format(f'{played:,}', f'{tally.rows:,}')}\n" if played else None


def _what(
    source: CardSource, tally: ExportStats, release: Mapping[str, Any] | None, dataset: Dataset, form: str, view: str
) -> str:
    version = f"release {release['number']}" if release else f"version {dataset.rows.version}, not a release"
    return (
        f"# {_name(source)}: reasoning problems with solutions, view `{view}`\n\n"
        f"{tally.records:,} records of {tally.rows:,} problems in {len(tally.by['subject'])} subjects and "
        f"{tally.coverage.topics:,} topics: {version}, written as `{form}`.\n"
    )


def _use(columns: Sequence[str]) -> Iterator[str]:
    yield "## Use\n\n```python\nfrom datasets import load_dataset\n"
    yield 'rows = load_dataset("FOLDER")  # where this card lies\n```'
    yield f"\nColumns: {', '.join(f'`{name}`' for name in columns)}.\n"


def _made(tally: ExportStats) -> Iterator[str]:
    yield (
        "## How it was made\n\n"
        "A model writes a problem with its key; two models solve it blind, then judge it with the key in view; their\n"
        "votes make its tier; a further model writes the long solution, which is compared with the key.\n"
    )
    yield "| role | model | calls |\n|---|---|---|"
    for role, models in tally.models.items():
        yield from (f"| {role} | {model} | {calls:,} |" for model, calls in models.most_common())
    if doubled := tally.by["independent"][False]:
        yield f"\nOne model played more than one role behind {doubled:,} rows: its verdict on itself is worth less."


def _funnel(dataset: Dataset) -> Iterator[str]:
    reasons: Counter[str] = Counter()
    for (kind, reason), number in dataset.ledger.counts("kind", "reason").items():
        reasons[reason] += number if kind == "rejected" else 0
    curated, rejected = len(dataset.rows), reasons.total()
    yield f"\n## What was kept\n\nOf {curated + rejected:,} problems {curated:,} were curated, {rejected:,} rejected:\n"
    yield "| reason | problems |\n|---|---|"
    yield from (f"| {reason} | {number:,} |" for reason, number in reasons.most_common() if number)


def _rows(tally: ExportStats) -> Iterator[str]:
    yield "\n## Coverage\n\n| subject | rows | | topics | different problems | in a topic |\n|---|---|---|---|---|---|"
    for name, one in tally.coverage.document().items():
        share = one["rows"] / tally.rows
        yield (
            f"| {name} | {one['rows']:,} | {'█' * round(40 * share)} {share:.1%} | {one['topics']:,} "
            f"| {one['clusters']:,} | {one['clusters_of_a_topic']:.1f} |"
        )
    yield f"\n{MEANING[0].upper()}{MEANING[1:]}; those of a topic are a mean. The paper has 9,225 rows of 1,179 topics."
    yield "\n## Rows"
    yield "\n| tier | rows | what it takes |\n|---|---|---|"
    yield from (f"| {tier} | {n:,} | {TIERS.get(tier, '')} |" for tier, n in tally.by["tier"].most_common())
    correct = {True: "lands on the key", False: "misses the key", None: "cannot be compared with it"}
    for title, key in (("solution", "correct"), ("answer type", "answer_type"), ("difficulty", "difficulty")):
        counts = tally.by[key].most_common()
        named = ((correct[value] if key == "correct" else value, number) for value, number in counts)
        yield f"\n{title}: " + ", ".join(f"{name} {number:,}" for name, number in named)
    yield "\n| mean words | here | CHIMERA paper |\n|---|---|---|"
    yield from (f"| {part} | {tally.mean_words(part):,.0f} | {words:,} |" for part, words in PAPER_WORDS.items())
    cost = "unknown" if tally.cost is None else f"${tally.cost:,.2f}"
    tokens = "unknown" if tally.tokens is None else f"{tally.tokens:,}"
    yield f"\nThese rows alone took {tokens} generated tokens; their cost: {cost}."


def _trust(source: CardSource, tally: ExportStats, dataset: Dataset) -> Iterator[str]:
    yield "\n## How far to trust it\n"
    if source.audits is None:
        yield "- Audits: none were made; how much the checks let through was not measured."
    else:
        yield f"- Audits: {_rate(source.audits['let_through']['all'])} of items broken on purpose were let through."
        yield f"- Controls: {_rate(source.audits['falsely_rejected']['all'])} of items known to be good were rejected."
        wrong = source.audits["judge"].items()
        for kind, rate in ((kind, rate) for kind, rate in wrong if rate["n"]):
            yield f"- The judge of answers, {kind}: {_rate(rate)} of the pairs of known verdict."
        if source.audits["simulated"]:
            yield "- These rates are simulated: they prove the arithmetic, not any model."
    held = dataset.rows.counts("split")[("held_out",)]
    yield (
        f"- Held out: {held:,} problems of the dataset are in no training view, of them "
        f"{tally.splits['held_out']:,} here.\n  Problems that differ in their numbers alone lie on one side."
    )
    yield from _contamination(tally.contamination.document())


def _contamination(found: Mapping[str, Any]) -> Iterator[str]:
    if not found:
        yield "- Contamination with benchmarks: not checked."
        return
    yield (
        "- Contamination with benchmarks: each of these problems was held against every question. It counts as known\n"
        f"  that has more than {CONTAINED:.0%} of a question's trigrams, or a Jaccard index above {JACCARD_8} for "
        f"runs\n  of 8 words or {JACCARD_13} for 13. The indices are means, with the closest question.\n"
    )
    yield "| benchmark | questions | known from it | Jaccard, n = 8 | n = 13 |\n|---|---|---|---|---|"
    for name, one in found.items():
        indices = f"{one['jaccard_8']:.2g} | {one['jaccard_13']:.2g}"
        yield f"| {name} | {one['questions']:,} | {len(one['known']):,} | {indices} |"


def _rate(rate: Mapping[str, Any]) -> str:
    if not rate["n"]:
        return "none of 0"
    return f"{rate['hits']:,} of {rate['n']:,} (95 %: {rate['low']:.1%} to {rate['high']:.1%})"


def _limits(tally: ExportStats) -> Iterator[str]:
    yield "\n## Limits\n\n- Everything was written by models; no person has read it."
    yield "- A key is believed because models agree on it, and models share mistakes. A tier is evidence, not proof."
    if tally.by["difficulty"]["unknown"]:
        yield f"- Difficulty was not measured for {tally.by['difficulty']['unknown']:,} rows."


def _again(source: CardSource, form: str, view: str, release: Mapping[str, Any] | None) -> Iterator[str]:
    version = release["number"] if release else "now"
    yield "\n## Made with\n\n```sh\nchimera run --plan plan.yaml --models models.yaml"
    yield f"chimera dataset export --format {form} --view {view} --version {version} --out FOLDER\n```"
    if source.plan:
        text = yaml.safe_dump(_portable(source.plan), sort_keys=False)
        yield f"\nplan.yaml:\n\n```yaml\n{text}```"
        if release and release["plan_hash"] != source.plan.hash:
            yield "\nThe plan has been changed since this release."
    yield ""


def _portable(plan: Plan) -> dict[str, Any]:
    """As one writes it; of files their names alone, for where they lie is nobody's business."""
    told: dict[str, Any] = plan.model_dump(mode="json", exclude_defaults=True)
    benchmarks = ((one, "path") for one in told.get("benchmarks", {}).values())
    for part, key in ((told, "topics"), (told.get("audits", {}), "controls"), *benchmarks):
        if key in part:
            part[key] = Path(part[key]).name
    return told
