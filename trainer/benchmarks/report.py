"""The table of benchmarks on the model card."""

from collections.abc import Iterable, Mapping
from typing import Any

from trainer.stages import STAGE_TITLES

PhaseResult = Mapping[str, Any]
_HOW = (
    "Percent with 95 % intervals, by bootstrap over questions. *Contamination*: mean over the training rows of the "
    "largest n-gram Jaccard index with any question, n = 8 / 13; the largest share of a question's trigrams in a row, "
    "or of a row's in a question; number of questions with at least half contained."
)


def render_table(found: PhaseResult) -> str:
    """Return the section for the result of `evaluate`, also when no benchmark was measured."""
    if not found.get("benchmarks"):
        return "No benchmark file was given: benchmark scores and contamination are unknown."
    lines = [
        _HOW,
        "",
        "| benchmark | model | pass@1 | highest pass@k | cut off | grader | contamination |",
        "|---" * 7 + "|",
    ]
    return "\n".join([*lines, *(line for one in found["benchmarks"] for line in _table_rows(one))])


def _table_rows(one: PhaseResult) -> Iterable[str]:
    name = f"{one['title']} ({one['problems']} × {one['samples']}, {one['max_tokens']:,} tokens)"
    for stage, spent in one["spent"].items():
        scores = [score for score in one["scores"] if score["model"] == stage]
        first, last = _format_score(scores[0]), f"{_format_score(scores[-1])} (k = {scores[-1]['k']})"
        rest = f"{100 * spent['truncated']:.1f} % | {one['grader']} | {_format_contamination(one['contamination'])}"
        yield f"| {name} | {STAGE_TITLES[stage]} | {first} | {last} | {rest} |"


def _format_score(score: PhaseResult) -> str:
    return f"{100 * score['value']:.1f} [{100 * score['low']:.1f}, {100 * score['high']:.1f}]"


def _format_contamination(found: PhaseResult) -> str:
    means = f"{found['jaccard_8']:.1e} / {found['jaccard_13']:.1e}"
    return f"{means}; {100 * found['contained']:.0f} %; {found['questions_contained']} questions"
