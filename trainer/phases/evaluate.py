"""Base, SFT and SFT + RL on held-out rows: unbiased pass@k with intervals, paired gains: `python -m trainer.evaluate`.

A completion that was cut off counts as wrong, and so does one that nobody can grade; both are counted apart. Held-out
rows passed the same checks as the rows trained on, so the scores are relative.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from shared.errors import Refusal
from shared.llm import load_models_config
from trainer.benchmarks import described
from trainer.benchmarks.contamination import contamination
from trainer.benchmarks.questions import stem
from trainer.data import HELD_OUT, TRAIN, Example
from trainer.metrics.grading import Graded, graded
from trainer.metrics.passk import Estimate, estimate, paired, pass_at_k, shrunk, spread
from trainer.models import weights
from trainer.models.sampling import InProcess, Sampler
from trainer.models.served import STAGES, Served, hash_of, load
from trainer.recipe import Evaluate
from trainer.run.run_folder import Found, Run, log_line

ALL = "all"

PARTS: Mapping[str, Callable[[Example], str]] = {
    "split": lambda example: example.split,
    "subject": lambda example: example.subject,
    "subfield": lambda example: f"{example.subject} › {example.subfield}",
}
"""By what scores are told apart."""
GROUPS = {"group": PARTS["subfield"]}


def evaluate(run: Run) -> Found:
    """Measure every model that the run has."""
    how = run.recipe.evaluate
    held_out = _measured(run, chosen(run), how, "evaluate", PARTS)
    found = [_benchmark(run, name, examples) for name, examples in run.benchmarks.items()]
    return {**held_out, "grader": _grader(run, "rules"), "benchmarks": found}


def _benchmark(run: Run, name: str, examples: Sequence[Example]) -> Found:
    """One benchmark, and how much of it is in the rows that were trained on."""
    benchmark = described(name)
    if benchmark.grader == "judge" and run.models is None:
        raise Refusal(f"{benchmark.title} cannot be graded by rules", "Give a models file with a judge: --models")
    trained = [example.problem for example in run.examples if example.split == TRAIN]
    found = _measured(run, examples, benchmark.how(run.recipe.evaluate), f"evaluate/{Path(name).stem}", GROUPS)
    known = contamination([stem(example.problem) for example in examples], trained)
    grader = _grader(run, "letter" if benchmark.grader == "letter" else "rules")
    return {"name": name, "title": benchmark.title, **found, "grader": grader, "contamination": known}


def _grader(run: Run, rules: str) -> str:
    """Who grades, by name."""
    judge = load_models_config(run.models).assigned().get("judge") if run.models else None
    return f"{rules} and judge {judge.model}" if judge and rules == "rules" else rules


def _measured(
    run: Run, examples: Sequence[Example], how: Evaluate, place: str, parts: Mapping[str, Callable[[Example], str]]
) -> Found:
    """Every model on some problems; answers lie under the place."""
    found: dict[str, list[Graded]] = {}
    for stage, model in models(run).items():
        sampler, name = sampling(run, stage, model, how)
        log_line(f"{place}: {name} on {len(examples)} problems, {how.samples} samples each")
        found[stage] = graded(run, sampler, examples, how.samples, run.path(place, f"{name}.jsonl"))
    return {
        "problems": len(examples),
        "samples": how.samples,
        "max_tokens": how.max_tokens,
        "scores": [score for stage, its in found.items() for score in _scores(how, stage, examples, its, parts)],
        "gains": list(_gains(found)),
        "spent": {stage: _spent(its) for stage, its in found.items()},
    }


def chosen(run: Run) -> list[Example]:
    """The held-out problems that are asked. Raises Refusal when there is none."""
    examples = [example for example in run.examples if example.split in HELD_OUT]
    if not examples:
        raise Refusal("no row is held out", "Grow the dataset, or raise held_out in the recipe")
    return examples[: run.recipe.evaluate.problems]


def models(run: Run) -> dict[str, str]:
    """Stage → model, as far as the run has got, and those that are served."""
    trained = {stage: found["model"] for stage in STAGES[1:] if (found := run.found(stage)) and found.get("model")}
    served = {stage: part.model for stage, part in load(run.served).models.items()} if run.served else {}
    known = {"base": run.recipe.base, **served, **trained}
    return {stage: known[stage] for stage in STAGES if stage in known}


def sampling(run: Run, stage: str, model: str, how: Evaluate) -> tuple[Sampler, str]:
    """Who answers for a stage, and a name for its answers: the endpoint where it is served, or else this process."""
    served = load(run.served) if run.served else None
    if served and (part := served.models.get(stage)):
        place = served.endpoints[part.endpoint]
        return Served(place, part, run.recipe, how), f"{stage}-{hash_of(part, place)}"
    return InProcess(weights.on_device(model), weights.tokenizer(model), run.recipe, how), stage


def _scores(
    how: Evaluate,
    stage: str,
    examples: Sequence[Example],
    found: Sequence[Graded],
    kinds: Mapping[str, Callable[[Example], str]],
) -> Iterator[dict[str, Any]]:
    for k in how.ks:
        values = [pass_at_k(one.samples, one.right, k) for one in found]
        whole = estimate(values)
        yield _line(stage, ALL, ALL, k, whole, whole.value)
        for kind, of in kinds.items():
            parts: dict[str, list[float]] = {}
            for example, value in zip(examples, values, strict=True):
                parts.setdefault(of(example), []).append(value)
            between = spread(list(parts.values()), whole.value)
            for name, its in sorted(parts.items()):
                yield _line(stage, kind, name, k, estimate(its), shrunk(its, whole.value, between))


def _line(stage: str, kind: str, part: str, k: int, found: Estimate, drawn: float) -> dict[str, Any]:
    return {"model": stage, "kind": kind, "part": part, "k": k, **asdict(found), "shrunk": drawn}


def _gains(by_stage: Mapping[str, Sequence[Graded]]) -> Iterator[dict[str, Any]]:
    """pass@1 of each stage minus that of the ones before it, paired by problem."""
    stages = list(by_stage)
    for at, stage in enumerate(stages):
        for earlier in stages[:at]:
            ones, others = ([one.right / one.samples for one in by_stage[name]] for name in (stage, earlier))
            yield {"model": stage, "over": earlier, **asdict(paired(ones, others))}


def _spent(found: Sequence[Graded]) -> dict[str, Any]:
    samples = sum(one.samples for one in found)
    tokens = [one.tokens for one in found]
    costs = [one.cost for one in found]
    return {
        "truncated": sum(one.truncated for one in found) / samples,
        "unsure": sum(one.unsure for one in found) / samples,
        "mean_tokens": None if None in tokens else sum(filter(None, tokens)) / samples,
        "cost": None if None in costs else sum(filter(None, costs)),
    }
