"""Evaluates base, SFT and SFT + RL: unbiased pass@k with intervals, paired gains: `python -m trainer.evaluate`.

A truncated completion counts as wrong, and so does one that cannot be graded; both are also counted separately.
Held-out rows passed the same checks as the training rows, so the scores are relative.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
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
from trainer.models.sampler import open_model
from trainer.models.served import load_served_models
from trainer.recipe import Evaluate
from trainer.run.log import log_line
from trainer.run.run_folder import PhaseResult, Run
from trainer.stages import STAGES

ALL = "all"

PartOf = Callable[[Example], str | None]
"""Returns the part of a grouping that a problem is in; None: in none."""

PARTS: Mapping[str, PartOf] = {
    "split": lambda example: example.split,
    "subject": lambda example: example.subject or None,
    "subfield": lambda example: f"{example.subject} › {example.subfield}" if example.subfield else None,
}
"""Groupings for which scores are reported. Datasets of others may have no subjects or subfields."""
GROUPS = {"group": PARTS["subfield"]}


@dataclass(frozen=True, slots=True)
class Exam:
    """Problems of one evaluation: held-out rows, or a benchmark."""

    folder: str
    """Folder of its completions in the run folder."""
    examples: Sequence[Example]
    evaluation: Evaluate
    parts: Mapping[str, PartOf]


def evaluate(run: Run) -> PhaseResult:
    """Evaluate every model of the run on held-out rows and benchmarks."""
    exams = [Exam("evaluate", select_problems(run), run.recipe.evaluate, PARTS)]
    exams += [_open_benchmark(run, name, examples) for name, examples in run.benchmarks.items()]
    graded = _grade(run, exams)
    held_out, *found = (_score_exam(exam, of) for exam, of in zip(exams, graded, strict=True))
    benchmarks = [
        _describe_benchmark(run, name, exam, scored)
        for name, exam, scored in zip(run.benchmarks, exams[1:], found, strict=True)
    ]
    return {**held_out, "grader": _grader_name(run, "rules"), "benchmarks": benchmarks}


def _open_benchmark(run: Run, name: str, examples: Sequence[Example]) -> Exam:
    benchmark = load_benchmark(name)
    if benchmark.grader == "judge" and run.models is None:
        raise Refusal(f"{benchmark.title} cannot be graded by rules", "Give a models file with a judge: --models")
    return Exam(f"evaluate/{Path(name).stem}", examples, benchmark.adapt_sampling(run.recipe.evaluate), GROUPS)


def _describe_benchmark(run: Run, name: str, exam: Exam, scored: PhaseResult) -> PhaseResult:
    """Return the scores on a benchmark, and how much of it is in the training rows."""
    benchmark = load_benchmark(name)
    trained = [example.problem for example in run.examples if example.split == TRAIN]
    contamination = measure_contamination([strip_options(example.problem) for example in exam.examples], trained)
    grader = _grader_name(run, "letter" if benchmark.grader == "letter" else "rules")
    return {"name": name, "title": benchmark.title, **scored, "grader": grader, "contamination": contamination}


def _grader_name(run: Run, rules: str) -> str:
    """Return a description of the grader."""
    judge = load_models_config(run.models).assigned().get("judge") if run.models else None
    return f"{rules} and judge {judge.model}" if judge and rules == "rules" else rules


def _grade(run: Run, exams: Sequence[Exam]) -> list[dict[str, list[GradedProblem]]]:
    """Sample and grade every model on all exams; return the graded problems of each exam by stage.

    A model is opened once: a server takes minutes to start.
    """
    found: list[dict[str, list[GradedProblem]]] = [{} for _ in exams]
    for stage, model in list_models(run).items():
        with open_model(run, stage, model, [(exam.examples, exam.evaluation) for exam in exams]) as opened:
            for exam, graded in zip(exams, found, strict=True):
                sampling = exam.evaluation
                log_line(
                    f"{exam.folder}: {opened.name} on {len(exam.examples)} problems, {sampling.samples} samples each"
                )
                file = run.path(exam.folder, f"{opened.name}.jsonl")
                graded[stage] = grade_problems(run, opened.sampler(sampling), exam.examples, sampling.samples, file)
    return found


def _score_exam(exam: Exam, found: Mapping[str, Sequence[GradedProblem]]) -> PhaseResult:
    return {
        "problems": len(exam.examples),
        "samples": exam.evaluation.samples,
        "max_tokens": exam.evaluation.max_tokens,
        "scores": [
            score
            for stage, graded in found.items()
            for score in _score_parts(exam.evaluation, stage, exam.examples, graded, exam.parts)
        ],
        "gains": list(_paired_gains(found, _topics(exam.examples))),
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
    kinds: Mapping[str, PartOf],
) -> Iterator[dict[str, Any]]:
    topics = _topics(examples)
    for k in evaluation.ks:
        values = [pass_at_k(one.samples, one.right, k) for one in found]
        whole = estimate(values, clusters=topics)
        yield _score_record(stage, ALL, ALL, k, whole, whole.value)
        for kind, of in kinds.items():
            parts: dict[str, list[tuple[float, str]]] = {}
            for example, value, topic in zip(examples, values, topics, strict=True):
                if part_name := of(example):
                    parts.setdefault(part_name, []).append((value, topic))
            if not parts:
                continue
            between = estimate_spread([[value for value, _ in its] for its in parts.values()], whole.value)
            for name, its in sorted(parts.items()):
                part_values = [value for value, _ in its]
                part = estimate(part_values, clusters=[topic for _, topic in its])
                yield _score_record(stage, kind, name, k, part, shrink(part_values, whole.value, between))


def _score_record(stage: str, kind: str, part: str, k: int, found: Estimate, shrunk: float) -> dict[str, Any]:
    return {"model": stage, "kind": kind, "part": part, "k": k, **asdict(found), "shrunk": shrunk}


def _topics(examples: Sequence[Example]) -> list[str]:
    """Return the topic of each problem: problems of one topic are alike, so intervals resample them together."""
    return [f"{example.subject}/{example.topic}" if example.topic else example.id for example in examples]


def _paired_gains(by_stage: Mapping[str, Sequence[GradedProblem]], topics: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield pass@1 of each stage minus that of every earlier one, paired by problem."""
    stages = list(by_stage)
    for at, stage in enumerate(stages):
        for earlier in stages[:at]:
            ones, others = ([one.right / one.samples for one in by_stage[name]] for name in (stage, earlier))
            yield {"model": stage, "over": earlier, **asdict(estimate_paired(ones, others, clusters=topics))}


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
