"""Selects the problems for reinforcement learning: `python -m trainer.rl_set`.

Candidates are the SFT problems, and those that the teacher failed and the SFT model solves at least twice in 8 tries:
of the others the key may be wrong. A problem that is always or never solved has zero advantage and is left out.
"""

import json
from collections import Counter

from trainer.example import TRAIN, Example
from trainer.metrics.grading import GradedProblem, grade_problems
from trainer.models.sampler import open_model
from trainer.run.log import log_line
from trainer.run.run_folder import PhaseResult, Run

POOL_FILE = "problems.txt"


def select(run: Run) -> PhaseResult:
    """Sample every candidate; the ids of the selected ones are in `rl_set/problems.txt`."""
    limits, model = run.recipe.rl_set, run.require_result("sft")["model"]
    candidates = [row for row in run.examples if row.split == TRAIN][: limits.problems]
    as_rollouts = {"temperature": 1.0, "top_p": 1.0, "top_k": 0, "max_tokens": run.recipe.try_tokens}
    sampling = run.recipe.evaluate.model_copy(update=as_rollouts)
    with open_model(run, "sft", model, [(candidates, sampling)]) as opened:
        file = run.path("rl_set", f"{opened.name.replace('sft', 'tries', 1)}.jsonl")
        found = grade_problems(run, opened.sampler(sampling), candidates, limits.samples, file)
    fates = {row.id: classify(run, row, tries) for row, tries in zip(candidates, found, strict=True)}
    kept = [id_ for id_, fate in fates.items() if fate.startswith("kept")]
    run.path("rl_set", POOL_FILE).write_text("\n".join(kept) + "\n")
    pools = {
        "taught": sum(row.is_for_sft for row in candidates),
        "teacher_failed": sum(row.is_rl_only for row in candidates),
        "kept": len(kept),
        "fates": dict(sorted(Counter(fates.values()).items())),
    }
    log_line(f"rl_set: {json.dumps(pools)}")
    return pools


def classify(run: Run, row: Example, tries: GradedProblem) -> str:
    """Return why a problem is kept or dropped, by the tries of the SFT model."""
    limits, judged = run.recipe.rl_set, tries.samples - tries.unsure
    if row.is_rl_only and tries.right < limits.solved_at_least:
        return "dropped: teacher failed it, and so does the model"
    if limits.plain or 0 < tries.right < judged:
        return "kept: taught" if row.is_for_sft else "kept: teacher failed it"
    return "dropped: always solved" if tries.right else "dropped: never solved"


def load_pool(run: Run) -> list[Example]:
    """Return the selected rows."""
    ids = set(run.path("rl_set", POOL_FILE).read_text().split())
    return [row for row in run.examples if row.id in ids]
