"""The dataset card of an export, in the form of the Hugging Face hub. It contains only measured figures."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from schemas.config.plan import ENGLISH, Plan
from schemas.outcomes import Tier
from shared.dataset.reader import Dataset
from shared.dataset.reports.coverage import MEANING
from shared.dataset.reports.export_stats import ExportStats
from shared.dataset.reports.statistics import PAPER_WORDS, UNKNOWN, describe_bins
from shared.dataset.reports.wrong_keys import card_lines
from shared.text.contamination import MAX_CONTAINED, MAX_JACCARD_8, MAX_JACCARD_13
from shared.text.controls import strip_controls
from shared.text.languages import languages

SIMULATED = "**SIMULATED: a simulator answered in place of the models for {} of {} rows. Do not train on this.**"
TIERS = {
    Tier.VERIFIED: "each verifier found the key blind, both judge it good, the key has more votes than any rival",
    Tier.PLAUSIBLE: "both judge it good, no rival answer has two votes, a verifier of another model found the key",
    Tier.REVIEWED: "a person looked at the key and accepted it; the reason stands on the row",
    Tier.UNSOLVED: "no verifier found the key, no rival: hard, or a wrong key",
    Tier.JUDGE_ONLY: "judge-only: two models that saw the key called it right, as in the CHIMERA paper",
}
SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))
LARGEST = "10M<n<100M"


@dataclass(frozen=True, slots=True)
class CardSource:
    """The sources of the card beside the tables."""

    plan: Plan | None
    """The plan of the folder's last run."""
    audits: Mapping[str, Any] | None
    """The figures of `chimera audit`; `None` without audits."""
    wrong_keys: Mapping[str, Any]
    """The estimated share of wrong keys, as `chimera audit` prints it."""


def card(
    source: CardSource,
    stats: ExportStats,
    dataset: Dataset,
    release: Mapping[str, Any] | None,
    *,
    form: str,
    view: str,
    columns: Sequence[str],
    suffix: str,
) -> str:
    """Return the README.md of the folder: YAML header and text."""
    body = [_warning(stats), _title(source, stats, release, dataset, form, view), *_usage(columns)]
    body += [*_models(stats), *_funnel(dataset), *_rows(stats), *_trust(source, stats, dataset), *_limits(stats)]
    body += _reproduction(source, form, view, release)
    return f"---\n{_header(source, stats, suffix)}---\n\n" + strip_controls(
        "\n".join(line for line in body if line is not None)
    )


def _header(source: CardSource, stats: ExportStats, suffix: str) -> str:
    tags = ["reasoning", "chain-of-thought", "synthetic", *(["simulated"] if stats.by["simulated"][True] else [])]
    files = [{"split": split, "path": f"data/{split}-*.{suffix}"} for split in sorted(stats.splits, reverse=True)]
    header = {
        "pretty_name": _name(source),
        "license": (source.plan and source.plan.license) or "other",
        **_language(source),
        "task_categories": ["text-generation"],
        "tags": tags,
        "size_categories": [next((name for limit, name in SIZES if stats.records < limit), LARGEST)],
        "configs": [{"config_name": "default", "data_files": files}],
    }
    return yaml.safe_dump(header, sort_keys=False)


def _language(source: CardSource) -> dict[str, list[str]]:
    """Return the code of the plan's language; nothing when it is unknown."""
    language = languages().get(source.plan.language if source.plan else ENGLISH)
    return {"language": [language.code]} if language else {}


def _name(source: CardSource) -> str:
    return source.plan.name if source.plan else "reasoning problems"


def _warning(stats: ExportStats) -> str | None:
    simulated = stats.by["simulated"][True]
    return f"{SIMULATED.format(f'{simulated:,}', f'{stats.rows:,}')}\n" if simulated else None


def _title(
    source: CardSource, stats: ExportStats, release: Mapping[str, Any] | None, dataset: Dataset, form: str, view: str
) -> str:
    version = f"release {release['number']}" if release else f"version {dataset.rows.version}, not a release"
    return (
        f"# {_name(source)}: reasoning problems with solutions, view `{view}`\n\n"
        f"{stats.records:,} records of {stats.rows:,} problems in {len(stats.by['subject'])} subjects and "
        f"{stats.coverage.topics:,} topics: {version}, written as `{form}`.\n"
    )


def _usage(columns: Sequence[str]) -> Iterator[str]:
    yield "## Use\n\n```python\nfrom datasets import load_dataset\n"
    yield 'rows = load_dataset("FOLDER")  # the folder of this card'
    if "messages" in columns:
        yield "\nfrom trl import SFTConfig, SFTTrainer\n"
        yield "args = SFTConfig(max_length=None)  # whole chains of thought: TRL's default cuts them at 1,024 tokens"
        yield 'SFTTrainer("MODEL", args=args, train_dataset=rows["train"]).train()'
    yield "```"
    yield f"\nColumns: {', '.join(f'`{name}`' for name in columns)}.\n"


def _models(stats: ExportStats) -> Iterator[str]:
    yield (
        "## How it was made\n\n"
        "A model writes a problem with its key. Two models solve it blind, then judge it with the key in view; their\n"
        "votes decide its tier. A further model writes the long solution, which is compared with the key.\n"
    )
    yield "| role | model | calls |\n|---|---|---|"
    for role, models in stats.models.items():
        yield from (f"| {role} | {model} | {calls:,} |" for model, calls in models.most_common())
    if shared_models := stats.by["independent"][False]:
        yield f"\nFor {shared_models:,} rows one model had several roles: its verdict on its own work is worth less."


def _funnel(dataset: Dataset) -> Iterator[str]:
    reasons: Counter[str] = Counter()
    for (kind, reason), number in dataset.ledger.counts("kind", "reason").items():
        reasons[reason] += number if kind == "rejected" else 0
    curated, rejected = len(dataset.rows), reasons.total()
    yield f"\n## Selection\n\nOf {curated + rejected:,} problems {curated:,} were curated, {rejected:,} rejected:\n"
    yield "| reason | problems |\n|---|---|"
    yield from (f"| {reason} | {number:,} |" for reason, number in reasons.most_common() if number)


def _rows(stats: ExportStats) -> Iterator[str]:
    yield "\n## Coverage\n"
    yield "| subject | rows | share | topics | different problems | in a topic |\n|---|---|---|---|---|---|"
    for name, one in stats.coverage.document().items():
        share = one["rows"] / stats.rows
        yield (
            f"| {name} | {one['rows']:,} | {'█' * round(40 * share)} {share:.1%} | {one['topics']:,} "
            f"| {one['clusters']:,} | {one['clusters_of_a_topic']:.1f} |"
        )
    yield f"\n{MEANING[0].upper()}{MEANING[1:]}; those in a topic are means. The paper has 9,225 rows of 1,179 topics."
    yield "\n## Rows"
    yield "\n| tier | rows | condition |\n|---|---|---|"
    yield from (f"| {tier} | {n:,} | {TIERS.get(tier, '')} |" for tier, n in stats.by["tier"].most_common())
    correct = {True: "agrees with the key", False: "differs from the key", None: "not comparable with the key"}
    difficulty = f"difficulty ({describe_bins(stats.difficulty.bins)})"
    for title, key in (("solution", "correct"), ("answer type", "answer_type"), (difficulty, "difficulty")):
        counts = stats.by[key].most_common()
        labels = ((correct[value] if key == "correct" else value, number) for value, number in counts)
        yield f"\n{title}: " + ", ".join(f"{name} {number:,}" for name, number in labels)
    yield "\n| mean words | here | CHIMERA paper |\n|---|---|---|"
    yield from (f"| {part} | {stats.mean_words(part):,.0f} | {words:,} |" for part, words in PAPER_WORDS.items())
    cost = "unknown" if stats.cost is None else f"${stats.cost:,.2f}"
    tokens = "unknown" if stats.tokens is None else f"{stats.tokens:,}"
    yield f"\nGenerated tokens for these rows alone: {tokens}. Their cost: {cost}."


def _trust(source: CardSource, stats: ExportStats, dataset: Dataset) -> Iterator[str]:
    yield "\n## Reliability\n"
    yield from card_lines(source.wrong_keys)
    if source.audits is None:
        yield "- Audits: none. How many errors the checks miss was not measured."
    else:
        yield f"- Audits: {_rate(source.audits['let_through']['all'])} of the items with planted errors were accepted."
        yield f"- Controls: {_rate(source.audits['falsely_rejected']['all'])} of the known-good items were rejected."
        wrong = source.audits["judge"].items()
        for kind, rate in ((kind, rate) for kind, rate in wrong if rate["n"]):
            yield f"- The judge of answers, {kind}: {_rate(rate)} of the pairs with a known verdict."
        if source.audits["simulated"]:
            yield "- These rates are simulated: they verify the arithmetic, not a model."
    held_out = dataset.rows.counts("split")[("held_out",)]
    yield (
        f"- Held out: {held_out:,} problems of the dataset are in no training view, of them "
        f"{stats.splits['held_out']:,} here.\n  Problems that differ only in their numbers are in the same split."
    )
    yield from _contamination(stats.contamination.document())


def _contamination(benchmarks: Mapping[str, Any]) -> Iterator[str]:
    if not benchmarks:
        yield "- Contamination with benchmarks: not checked."
        return
    yield (
        "- Contamination with benchmarks: each of these problems was compared with every question. It counts as\n"
        f"  contaminated with more than {MAX_CONTAINED:.0%} of a question's trigrams, or with a Jaccard index above "
        f"{MAX_JACCARD_8}\n  for runs of 8 words or {MAX_JACCARD_13} for 13. Indices are "
        "means, with the closest question.\n"
    )
    yield "| benchmark | questions | contaminated | Jaccard, n = 8 | n = 13 |\n|---|---|---|---|---|"
    for name, one in benchmarks.items():
        indices = f"{one['jaccard_8']:.2g} | {one['jaccard_13']:.2g}"
        yield f"| {name} | {one['questions']:,} | {len(one['known']):,} | {indices} |"


def _rate(rate: Mapping[str, Any]) -> str:
    if not rate["n"]:
        return "none of 0"
    return f"{rate['hits']:,} of {rate['n']:,} (95 %: {rate['low']:.1%} to {rate['high']:.1%})"


def _limits(stats: ExportStats) -> Iterator[str]:
    yield "\n## Limits\n\n- Models wrote everything; no person has read it."
    yield "- A key is accepted because models agree on it, and models share errors. A tier is evidence, not proof."
    if unknown := stats.by["difficulty"][UNKNOWN]:
        yield f"- Difficulty was not measured for {unknown:,} rows."


def _reproduction(source: CardSource, form: str, view: str, release: Mapping[str, Any] | None) -> Iterator[str]:
    version = release["number"] if release else "now"
    yield "\n## Reproduction\n\n```sh\nchimera run --plan plan.yaml --models models.yaml"
    yield f"chimera dataset export --format {form} --view {view} --version {version} --out FOLDER\n```"
    if source.plan:
        text = yaml.safe_dump(_portable(source.plan), sort_keys=False)
        yield f"\nplan.yaml:\n\n```yaml\n{text}```"
        if release and release["plan_hash"] != source.plan.hash:
            yield "\nThe plan has changed since this release."
    yield ""


def _portable(plan: Plan) -> dict[str, Any]:
    """Return the plan without defaults, and with the names of files only, without their folders."""
    document: dict[str, Any] = plan.model_dump(mode="json", exclude_defaults=True)
    benchmarks = ((one, "path") for one in document.get("benchmarks", {}).values())
    for section, key in ((document, "topics"), (document.get("audits", {}), "controls"), *benchmarks):
        if key in section:
            section[key] = Path(section[key]).name
    return document
