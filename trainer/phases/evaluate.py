"""Evaluates base, SFT and SFT + RL: unbiased pass@k with intervals, paired gains: `python -m trainer.evaluate`.

A truncated completion counts as wrong, and so does one that cannot be graded; both are also counted separately.
Held-out rows passed the same checks as the training rows, so the scores are relative.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from shared.errors import Refusal
from shared.llm import load_models_config
from trainer.benchmarks import load_benchmark
from trainer.benchmarks.contamination import measure_contamination
from trainer.benchmarks.questions import strip_options
from trainer.example import HELD_OUT, TRAIN, Example
from trainer.metrics.grading import GradedProblem, grade_problems
from trainer.metrics.passk import Estimate, estimate, estimate_paired, estimate_spread, pass_at_k, shrink
from trainer.models.sampler import open_sampler
from trainer.models.served import STAGES, load_served_models
from trainer.recipe import Evaluate
from trainer.run.log import log_line
from trainer.run.run_folder import PhaseResult, Run

ALL = "all"

PARTS: Mapping[str, Callable[[Example], str]] = {
    "split": lambda example: example.split,
    "subject": lambda example: example.subject,
    "subfield": lambda example: f"{example.subject} › {example.subfield}",
}
"""Groupings for which scores are reported."""
GROUPS = {"group": PARTS["subfield"]}


def evaluate(run: Run) -> PhaseResult:
    """Evaluate every model of the run on held-out rows and benchmarks."""
    evaluation = run.recipe.evaluate
    held_out = _measure(run, select_problems(run), evaluation, "evaluate", PARTS)
    found = [_measure_benchmark(run, name, examples) for name, examples in run.benchmarks.items()]
    return {**held_out, "grader": _grader_name(run, "rules"), "benchmarks": found}


def _measure_benchmark(run: Run, name: str, examples: Sequence[Example]) -> PhaseResult:
    """Evaluate on one benchmark, and measure how much of it is in the training rows."""
    benchmark = load_benchmark(name)
    if benchmark.grader == "judge" and run.models is None:
        raise Refusal(f"{benchmark.title} cannot be graded by rules", "Give a models file with a judge: --models")
    trained = [example.problem for example in run.examples if example.split == TRAIN]
    found = _measure(
        run, examples, benchmark.adapt_sampling(run.recipe.evaluate), f"evaluate/{Path(name).stem}", GROUPS
    )
    contamination = measure_contamination([strip_options(example.problem) for example in examples], trained)
    grader = _grader_name(run, "letter" if benchmark.grader == "letter" else "rules")
    return {"name": name, "title": benchmark.title, **found, "grader": grader, "contamination": contamination}


def _grader_name(run: Run, rules: str) -> str:
    """Return a description of the grader."""
    judge = load_models_config(run.models).assigned().get("judge") if run.models else None
    return f"{rules} and judge {judge.model}" if judge and rules == "rules" else rules


def _measure(
    run: Run,
    examples: Sequence[Example],
    evaluation: Evaluate,
    folder: str,
    parts: Mapping[str, Callable[[Example], str]],
) -> PhaseResult:
    """Evaluate every model on the problems; completions are graded into files in `folder` of the run."""
    found: dict[str, list[GradedProblem]] = {}
    for stage, model in list_models(run).items():
        sampler, endpoint = open_sampler(run.served, stage, model, run.recipe, evaluation)
        name = f"{stage}-{endpoint}" if endpoint else stage
        log_line(f"{folder}: {name} on {len(examples)} problems, {evaluation.samples} samples each")
        found[stage] = grade_problems(run, sampler, examples, evaluation.samples, run.path(folder, f"{name}.jsonl"))
    return {
        "problems": len(examples),
        "samples": evaluation.samples,
        "max_tokens": evaluation.max_tokens,
        "scores": [
            score
            for stage, graded in found.items()
            for score in _score_parts(evaluation, stage, examples, graded, parts)
        ],
        "gains": list(_paired_gains(found)),
        "spent": {stage: _summarise_spend(graded) for stage, graded in found.items()},
    }


def select_problems(run: Run) -> list[Example]:
    """Return the held-out problems of the evaluation. Raises Refusal when there are none."""
    examples = [example for example in run.examples if example.split in HELD_OUT]
    if not examples:
        raise Refusal("no row is held out", "Grow the dataset, or raise held_out in the recipe")
    return examples[: run.recipe.evaluate.problems]


def list_models(run: Run) -> dict[str, str]:
    """Return the model of each stage: those trained so far, and those that are served."""
    trained = {stage: found["model"] for stage in STAGES[1:] if (found := run.result(stage)) and found.get("model")}
    served = {stage: part.model for stage, part in load_served_models(run.served).models.items()} if run.served else {}
    models = {"base": run.recipe.base, **served, **trained}
    return {stage: models[stage] for stage in STAGES if stage in models}


def _score_parts(
    evaluation: Evaluate,
    stage: str,
    examples: Sequence[Example],
    found: Sequence[GradedProblem],
    kinds: Mapping[str, Callable[[Example], str]],
) -> Iterator[dict[str, Any]]:
    for k in evaluation.ks:
        values = [pass_at_k(one.samples, one.right, k) for one in found]
        whole = estimate(values)
        yield _score_record(stage, ALL, ALL, k, whole, whole.value)
        for kind, of in kinds.items():
            parts: dict[str, list[float]] = {}
            for example, value in zip(examples, values, strict=True):
                parts.setdefault(of(example), []).append(value)
            between = estimate_spread(list(parts.values()), whole.value)
            for name, part_values in sorted(parts.items()):
                yield _score_record(
                    stage, kind, name, k, estimate(part_values), shrink(part_values, whole.value, between)
                )


def _score_record(stage: str, kind: str, part: str, k: int, found: Estimate, shrunk: float) -> dict[str, Any]:
    return {"model": stage, "kind": kind, "part": part, "k": k, **asdict(found), "shrunk": shrunk}


def _paired_gains(by_stage: Mapping[str, Sequence[GradedProblem]]) -> Iterator[dict[str, Any]]:
    """Yield pass@1 of each stage minus that of every earlier one, paired by problem."""
    stages = list(by_stage)
    for at, stage in enumerate(stages):
        for earlier in stages[:at]:
            ones, others = ([one.right / one.samples for one in by_stage[name]] for name in (stage, earlier))
            yield {"model": stage, "over": earlier, **asdict(estimate_paired(ones, others))}


def _summarise_spend(found: Sequence[GradedProblem]) -> dict[str, Any]:
    samples = sum(one.samples for one in found)
    tokens = [one.tokens for one in found]
    costs = [one.cost for one in found]
    return {
        "truncated": sum(one.truncated for one in found) / samples,
        "unsure": sum(one.unsure for one in found) / samples,
        "mean_tokens": None if None in tokens else sum(filter(None, tokens)) / samples,
        "cost": None if None in costs else sum(filter(None, costs)),
    }
