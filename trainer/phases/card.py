"""The model card of a run: `python -m trainer.card`. What was trained on what, did it get better, how sure is that?

README.md with a table, plots as PNG and PDF beside it.
"""

import json
from collections.abc import Iterable
from typing import Any

from trainer.benchmarks import table
from trainer.metrics import plots
from trainer.run.run_folder import Found, Run

NAMES = {"base": "base", "sft": "SFT", "control": "SFT + more SFT", "rl": "SFT + RL"}


def write(run: Run) -> Found:
    """Write `card/README.md` and its plots."""
    folder = run.path("card")
    folder.mkdir(parents=True, exist_ok=True)
    drawn = plots.draw(run, folder)
    (folder / "README.md").write_text(text(run, drawn))
    return {"card": str(folder / "README.md"), "plots": drawn}


def text(run: Run, drawn: Iterable[str]) -> str:
    """The card."""
    manifest, found = json.loads(run.path("manifest.json").read_text()), run.needed("evaluate")
    sections = (
        f"# {run.recipe.base.rpartition('/')[2]}, trained by Chimera",
        "\n".join(verdict(found)),
        "## Scores\n\n" + "\n".join(_table(found)),
        _how_measured(run, found),
        "## Benchmarks\n\n" + table(found),
        "## By subject\n\n" + "\n".join(_subjects(found)),
        "## Data\n\n" + "\n".join(_data(run)),
        "\n\n".join(f"![{name}]({name}.png)" for name in drawn),
        "## Lineage\n\n```json\n" + json.dumps(manifest, indent=2, ensure_ascii=False) + "\n```",
    )
    return "\n\n".join(sections) + "\n"


def verdict(found: Found) -> Iterable[str]:
    """Each gain in a sentence; one whose interval holds zero is called what it is."""
    for gain in found["gains"]:
        told = f"{100 * gain['value']:+.1f} points [{100 * gain['low']:+.1f}, {100 * gain['high']:+.1f}]"
        sure = "" if gain["low"] > 0 or gain["high"] < 0 else ": no difference that this many problems can show"
        yield f"- {NAMES[gain['model']]} over {NAMES[gain['over']]}: pass@1 {told}{sure}"


def _table(found: Found) -> Iterable[str]:
    scores = [score for score in found["scores"] if score["kind"] == "all"]
    ks = sorted({score["k"] for score in scores})
    yield "| model | " + " | ".join(f"pass@{k}" for k in ks) + " | cut off | cannot grade | tokens |"
    yield "|---" * (len(ks) + 4) + "|"
    for stage, spent in found["spent"].items():
        cells = [_score(score) for score in scores if score["model"] == stage]
        tokens = "unknown" if spent["mean_tokens"] is None else f"{spent['mean_tokens']:.0f}"
        rest = [f"{100 * spent['truncated']:.1f} %", f"{100 * spent['unsure']:.1f} %", tokens]
        yield "| " + " | ".join([NAMES[stage], *cells, *rest]) + " |"


def _score(score: dict[str, Any]) -> str:
    return f"{100 * score['value']:.1f} [{100 * score['low']:.1f}, {100 * score['high']:.1f}]"


def _how_measured(run: Run, found: Found) -> str:
    how = run.recipe.evaluate
    return (
        f"Percent, with 95 % intervals (bootstrap over problems; none can be given where all are right or all wrong). "
        f"Gains are paired by problem. {found['problems']} held-out problems, {found['samples']} samples each at "
        f"temperature {how.temperature:g}, top-p {how.top_p:g}, top-k {how.top_k}, at most {how.max_tokens} tokens; "
        f"what was cut off or cannot be graded counts as wrong. Graded by {found['grader']} (`shared/answers`). "
        f"Held-out rows passed the same checks as the rows trained on, so these scores are relative."
    )


def _subjects(found: Found) -> Iterable[str]:
    yield "pass@1; *shrunk* is drawn towards the whole as far as chance may have moved it: single parts are noise.\n"
    yield "| model | subject | problems | pass@1 | shrunk |"
    yield "|---|---|---|---|---|"
    for score in found["scores"]:
        if score["k"] == 1 and score["kind"] in ("subject", "subfield"):
            drawn = f"{100 * score['shrunk']:.1f}"
            yield f"| {NAMES[score['model']]} | {score['part']} | {score['problems']} | {_score(score)} | {drawn} |"


def _data(run: Run) -> Iterable[str]:
    if sft := run.found("sft"):
        rows = sft["train"]
        best = f"; lowest validation loss in epoch {sft['best_epoch']}" if sft["best_epoch"] else ""
        yield f"- SFT: {rows['rows']} rows, {rows['tokens']} tokens, {sft['steps']} steps{best}"
        yield f"- left out as too long ({run.recipe.max_length} tokens): {rows['too_long']}, of difficulty " + (
            "unknown" if rows["difficulty_too_long"] is None else f"{rows['difficulty_too_long']:.2f}"
        )
    if pool := run.found("rl_set"):
        tried = f"{pool['taught']} taught, {pool['teacher_failed']} that the teacher failed"
        yield f"- RL pool: {tried}; {pool['kept']} of them kept"
    if rl := run.found("rl"):
        yield f"- RL: {rl['problems']} problems, {rl['steps']} steps of CISPO, {rl['seconds']:.0f} s"
    if control := run.found("control"):
        yield f"- more SFT: {control['steps']} steps, {control['seconds']:.0f} s, to hold RL against"
