"""Which problems reinforcement learning gets: `python -m trainer.rl_set`.

The SFT problems, and those that the teacher failed and the SFT model solves at least twice in 8 tries: of the rest, the
key may be wrong. A group that is always or never solved has no advantage to learn from, and is left out.
"""

import json
from collections import Counter

from trainer.data import TRAIN, Example
from trainer.metrics.grading import Graded, graded
from trainer.models import weights
from trainer.models.sampling import InProcess
from trainer.run.run_folder import Found, Run, log_line

FILE = "problems.txt"


def select(run: Run) -> Found:
    """Try every candidate; the ids that stay lie in `rl_set/problems.txt`."""
    how, model = run.recipe.rl_set, run.needed("sft")["model"]
    candidates = [row for row in run.examples if row.split == TRAIN][: how.problems]
    tried = run.recipe.evaluate.model_copy(update={"temperature": 1.0, "top_p": 1.0, "top_k": 0})  # as rollouts are
    sampler = InProcess(weights.on_device(model), weights.tokenizer(model), run.recipe, tried)
    found = graded(run, sampler, candidates, how.samples, run.path("rl_set", "tries.jsonl"))
    fates = {row.id: fate(run, row, one) for row, one in zip(candidates, found, strict=True)}
    kept = [id_ for id_, fate in fates.items() if fate.startswith("kept")]
    run.path("rl_set", FILE).write_text("\n".join(kept) + "\n")
    pools = {
        "taught": sum(row.taught for row in candidates),
        "teacher_failed": sum(row.practised for row in candidates),
        "kept": len(kept),
        "fates": dict(sorted(Counter(fates.values()).items())),
    }
    log_line(f"rl_set: {json.dumps(pools)}")
    return pools


def fate(run: Run, row: Example, tries: Graded) -> str:
    how, judged = run.recipe.rl_set, tries.samples - tries.unsure
    if row.practised and tries.right < how.solved_at_least:
        return "dropped: teacher failed it, and so does the model"
    if how.plain or 0 < tries.right < judged:
        return "kept: taught" if row.taught else "kept: teacher failed it"
    return "dropped: always solved" if tries.right else "dropped: never solved"


def problems(run: Run) -> list[Example]:
    """The rows that were chosen."""
    ids = set(run.path("rl_set", FILE).read_text().split())
    return [row for row in run.examples if row.id in ids]
