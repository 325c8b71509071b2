"""The model card of a run: `python -m trainer.card`. It states the training data, the gains and their intervals.

README.md with tables, in the form that model hubs read; the plots as PNG and PDF beside it. A copy is in the folder of
the trained model, and with `push_to_hub` in its repository on the hub.
"""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import HfApi

from trainer.benchmarks import render_table
from trainer.data import describe
from trainer.example import TRAIN
from trainer.metrics import plots
from trainer.run.run_folder import PhaseResult, Run
from trainer.stages import STAGE_TITLES


def write(run: Run) -> PhaseResult:
    """Write `card/README.md` and its plots."""
    folder = run.path("card")
    folder.mkdir(parents=True, exist_ok=True)
    drawn = plots.draw(run, folder)
    (folder / "README.md").write_text(render(run, drawn))
    if trained := run.result("rl") or run.result("sft"):
        _copy(folder, Path(trained["model"]))
    _upload(run, folder)
    return {"card": str(folder / "README.md"), "plots": drawn}


def _copy(folder: Path, model: Path) -> None:
    """Copy the card into the model's folder, if that is on this machine."""
    if model.is_dir():
        for file in folder.iterdir():
            shutil.copyfile(file, model / file.name)


def _upload(run: Run, folder: Path) -> None:
    """Upload the card to each repository that TRL uploaded weights to."""
    for options in (run.recipe.sft.trl, run.recipe.rl.trl if run.recipe.rl else {}):
        if options.get("push_to_hub"):
            place = {"repo_id": options["hub_model_id"], "revision": options.get("hub_revision")}
            HfApi(token=options.get("hub_token")).upload_folder(**place, folder_path=folder, commit_message="Card")


def render(run: Run, drawn: Iterable[str]) -> str:
    """Return the card as Markdown."""
    manifest, found = json.loads(run.path("manifest.json").read_text()), run.require_result("evaluate")
    sections = (
        f"---\n{yaml.safe_dump(_front_matter(run, found), sort_keys=False, allow_unicode=True)}---",
        f"# {_title(run)}, trained by Chimera",
        *_warn_of_simulation(run),
        "\n".join(describe_gains(found)),
        "## Scores\n\n" + "\n".join(_render_scores(found)),
        _describe_method(run, found),
        "## Benchmarks\n\n" + render_table(found),
        "## By subject\n\n" + "\n".join(_render_subjects(found)),
        "## Data\n\n" + "\n".join(_describe_data(run)),
        "## Training\n\n" + "\n".join(_describe_training(run)),
        "\n\n".join(f"![{name}]({name}.png)" for name in drawn),
        "## Lineage\n\n```json\n" + json.dumps(manifest, indent=2, ensure_ascii=False) + "\n```",
    )
    return "\n\n".join(sections) + "\n"


def describe_gains(found: PhaseResult) -> Iterable[str]:
    """Yield one line for each gain; it says so when the interval contains zero."""
    for gain in found["gains"]:
        gained = f"{100 * gain['value']:+.1f} points [{100 * gain['low']:+.1f}, {100 * gain['high']:+.1f}]"
        note = (
            "" if gain["low"] > 0 or gain["high"] < 0 else ": not a significant difference with this number of problems"
        )
        yield f"- {STAGE_TITLES[gain['model']]} over {STAGE_TITLES[gain['over']]}: pass@1 {gained}{note}"


def _title(run: Run) -> str:
    """Return the base model's name; that of the run folder for a folder that is only called `model`."""
    return run.folder.name if (name := Path(run.recipe.base).name) == "model" else name


def _front_matter(run: Run, found: PhaseResult) -> dict[str, Any]:
    """Return the metadata of a model hub. A base model without a hub name has no entry."""
    base, last = run.recipe.base, list(found["spent"])[-1] if found["spent"] else None
    metrics = [
        {"type": f"pass@{score['k']}", "value": round(100 * score["value"], 1)}
        for score in found["scores"]
        if score["kind"] == "all" and score["model"] == last
    ]
    task, dataset = {"type": "text-generation"}, {"name": "held-out rows", "type": "chimera"}
    results = [{"task": task, "dataset": dataset, "metrics": metrics}]
    return {
        **({} if Path(base).exists() else {"base_model": base}),
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["chimera", "reasoning", "sft", *(["cispo"] if run.recipe.rl else [])],
        **({"model-index": [{"name": _title(run), "results": results}]} if metrics else {}),
    }


def _describe_training(run: Run) -> Iterable[str]:
    """Yield hardware, time and every key of the recipe that decided the weights."""
    for stage in ("sft", "control", "rl"):
        if result := run.result(stage):
            devices, tokens = result.get("hardware", "unknown hardware"), result.get("tokens")
            counted = "unknown" if tokens is None else f"{tokens:,}"
            yield f"- {STAGE_TITLES[stage]}: {devices}, {result.get('seconds', 0) / 3600:.2f} h, {counted} tokens"
    recipe = run.recipe.model_dump(
        mode="json", include={"base", "revision", "seed", "prompt", "max_length", "sft", "rl"}
    )
    yield f"\n```yaml\n{yaml.safe_dump(recipe, sort_keys=False, allow_unicode=True)}```"


def _warn_of_simulation(run: Run) -> Iterable[str]:
    rows = [row for row in run.examples if row.split == TRAIN]
    if simulated := sum(row.simulated is True for row in rows):
        yield (
            f"> **SIMULATED.** The simulator played a model behind {simulated:,} of the {len(rows):,} training rows. "
            "Their traces teach nothing: this model only shows that the pipeline works. Do not use it."
        )
    if unknown := sum(row.simulated is None for row in rows):
        yield f"For {unknown:,} of the {len(rows):,} training rows the dataset does not say whether they are simulated."


def _render_scores(found: PhaseResult) -> Iterable[str]:
    scores = [score for score in found["scores"] if score["kind"] == "all"]
    ks = sorted({score["k"] for score in scores})
    yield "| model | " + " | ".join(f"pass@{k}" for k in ks) + " | cut off | cannot grade | tokens |"
    yield "|---" * (len(ks) + 4) + "|"
    for stage, spent in found["spent"].items():
        cells = [_format_score(score) for score in scores if score["model"] == stage]
        tokens = "unknown" if spent["mean_tokens"] is None else f"{spent['mean_tokens']:.0f}"
        counts = [f"{100 * spent['truncated']:.1f} %", f"{100 * spent['unsure']:.1f} %", tokens]
        yield "| " + " | ".join([STAGE_TITLES[stage], *cells, *counts]) + " |"


def _format_score(score: dict[str, Any]) -> str:
    return f"{100 * score['value']:.1f} [{100 * score['low']:.1f}, {100 * score['high']:.1f}]"


def _describe_method(run: Run, found: PhaseResult) -> str:
    evaluation = run.recipe.evaluate
    return (
        f"Percent, with 95 % intervals (bootstrap over topics; not defined where all or none are right). "
        f"Gains are paired by problem. {found['problems']} held-out problems, {found['samples']} samples each at "
        f"temperature {evaluation.temperature:g}, top-p {evaluation.top_p:g}, "
        f"top-k {evaluation.top_k}, at most {evaluation.max_tokens} tokens; "
        f"truncated completions and those that cannot be graded count as wrong. Graded by {found['grader']} "
        f"(`shared/answers`). Held-out rows passed the same checks as the training rows, so these scores are relative."
    )


def _render_subjects(found: PhaseResult) -> Iterable[str]:
    yield "pass@1; *shrunk* is shrunk towards the mean of all problems: small parts alone are noise.\n"
    yield "| model | subject | problems | pass@1 | shrunk |"
    yield "|---|---|---|---|---|"
    for score in found["scores"]:
        if score["k"] == 1 and score["kind"] in ("subject", "subfield"):
            cells = (STAGE_TITLES[score["model"]], score["part"], str(score["problems"]), _format_score(score))
            yield f"| {' | '.join(cells)} | {100 * score['shrunk']:.1f} |"


def _describe_data(run: Run) -> Iterable[str]:
    yield f"- dataset: {len(run.examples):,} rows; left out: {describe(run.rows_read.left_out)}"
    if sft := run.result("sft"):
        rows = sft["train"]
        best = f"; lowest validation loss in epoch {sft['best_epoch']}" if sft["best_epoch"] else ""
        yield f"- SFT: {rows['rows']} rows, {rows['tokens']} tokens, {sft['steps']} steps{best}"
        yield f"- left out as too long ({run.recipe.max_length} tokens): {rows['too_long']}, of difficulty " + (
            "unknown" if rows["difficulty_too_long"] is None else f"{rows['difficulty_too_long']:.2f}"
        )
    if pool := run.result("rl_set"):
        candidates = f"{pool['taught']} of SFT, {pool['teacher_failed']} that the teacher failed"
        yield f"- RL pool: {candidates}; {pool['kept']} of them kept"
    if rl := run.result("rl"):
        yield f"- RL: {rl['problems']} problems, {rl['steps']} steps of CISPO, {rl['seconds']:.0f} s"
        yield f"- RL rollouts stopped by the token limit: {_percent(rl.get('truncated'))}; {_describe_ratio(rl)}"
    if control := run.result("control"):
        yield f"- control arm: {control['steps']} further steps of SFT on as many tokens as RL"


def _percent(share: float | None) -> str:
    return "unknown" if share is None else f"{100 * share:.1f} %"


def _describe_ratio(rl: PhaseResult) -> str:
    ratio = rl.get("importance_ratio")
    if ratio is None:
        return "no importance ratio: the trainer itself wrote the rollouts"
    return f"mean importance ratio of the trainer to vLLM {ratio:.3f}; far below 1, TRL has masked most of the gradient"
