"""Plots of a run for a paper, each as PNG and PDF."""

import re
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from trainer.run.run_folder import PhaseResult, Run, read_history
from trainer.run.stop_callback import IMPORTANCE_RATIO, TRUNCATED
from trainer.stages import STAGE_TITLES

STAGE_COLOURS = {"base": "#7f7f7f", "sft": "#1f77b4", "rl": "#d62728", "control": "#2ca02c"}
"""Distinct also for colour-blind readers and in grey."""
WINDOWS = 10
"""Running means over a tenth of the steps."""
RL_CURVES = {
    "reward": "mean reward",
    "entropy": "entropy (nats a token)",
    "cispo_clip_ratio": "share of capped tokens",
    "completions/mean_length": "tokens a completion",
    TRUNCATED: "share of truncated completions",
    IMPORTANCE_RATIO: "mean importance ratio to vLLM",
}


def draw(run: Run, folder: Path) -> list[str]:
    """Draw every plot that the run has data for; return the names of the files, without suffix."""
    drawn = []
    if run.result("evaluate"):
        drawn += [
            _draw_pass_at_k(run.require_result("evaluate"), folder),
            _draw_subfields(run.require_result("evaluate"), folder),
        ]
    if run.result("sft"):
        drawn.append(_draw_losses(read_history(run, "sft"), folder))
    if run.result("rl"):
        drawn.append(_draw_rl(read_history(run, "rl"), folder))
    return drawn


def _draw_pass_at_k(found: PhaseResult, folder: Path) -> str:
    figure = Figure(figsize=(4.2, 3), layout="constrained")
    axes = figure.subplots()
    for stage in found["spent"]:
        its = [score for score in found["scores"] if score["kind"] == "all" and score["model"] == stage]
        ks, values = [score["k"] for score in its], [100 * score["value"] for score in its]
        low, high = [100 * score["low"] for score in its], [100 * score["high"] for score in its]
        axes.plot(ks, values, "o-", color=STAGE_COLOURS[stage], label=STAGE_TITLES[stage])
        axes.fill_between(ks, low, high, color=STAGE_COLOURS[stage], alpha=0.15)
    axes.set(xscale="log", xlabel="k", ylabel="pass@k (%)", ylim=(-2, 102))
    axes.set_xticks(ks, [str(k) for k in ks])
    axes.minorticks_off()
    axes.legend(frameon=False)
    return _save(figure, folder, "pass_at_k")


def _draw_subfields(found: PhaseResult, folder: Path) -> str:
    singles = [score for score in found["scores"] if score["k"] == 1]
    its = [score for score in singles if score["kind"] == "subfield"]
    its = its or [score for score in singles if score["kind"] == "subject"]
    parts, stages = sorted({score["part"] for score in its}, key=_by_number), list(found["spent"])
    figure = Figure(figsize=(5, 1.2 + 0.22 * len(parts) * len(stages)), layout="constrained")
    axes = figure.subplots()
    for nth, stage in enumerate(stages):
        for score in (one for one in its if one["model"] == stage):
            place = parts.index(score["part"]) + 0.8 * (nth + 0.5) / len(stages) - 0.4
            bounds = [[100 * (score["value"] - score["low"])], [100 * (score["high"] - score["value"])]]
            axes.errorbar(100 * score["value"], place, xerr=bounds, fmt="o", color=STAGE_COLOURS[stage], ms=4)
    for score in singles:
        if score["kind"] == "all":
            axes.axvline(100 * score["value"], color=STAGE_COLOURS[score["model"]], ls=":", lw=1)
    axes.set(xlabel="pass@1 (%), 95 % interval; dotted: all problems", xlim=(-2, 102))
    axes.set_yticks(range(len(parts)), parts)
    for stage in stages:
        axes.plot([], [], "o", color=STAGE_COLOURS[stage], label=STAGE_TITLES[stage], ms=4)
    axes.legend(frameon=False, ncols=len(stages), loc="lower center", bbox_to_anchor=(0.5, 1))
    axes.invert_yaxis()
    return _save(figure, folder, "by_subfield")


def _draw_losses(history: Sequence[dict[str, Any]], folder: Path) -> str:
    figure = Figure(figsize=(4.2, 3), layout="constrained")
    axes = figure.subplots()
    _draw_curve(axes, history, "loss", "train")
    _draw_curve(axes, history, "eval_loss", "validation", style="o-")
    axes.set(xlabel="step", ylabel="loss (nats a token)", yscale="log")
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.legend(frameon=False)
    return _save(figure, folder, "sft_loss")


def _draw_rl(history: Sequence[dict[str, Any]], folder: Path) -> str:
    logged = {name: label for name, label in RL_CURVES.items() if any(name in line for line in history)}
    rows = -(-len(logged) // 2)
    figure = Figure(figsize=(7, 2.2 * rows), layout="constrained")
    grid = figure.subplots(rows, 2, squeeze=False).flat
    for axes, (name, label) in zip(grid, logged.items(), strict=False):
        _draw_band(axes, history, name)
        axes.set(xlabel="step", ylabel=label)
    for axes in grid[len(logged) :]:
        axes.set_visible(False)
    return _save(figure, folder, "rl")


def _draw_curve(axes: Axes, history: Sequence[dict[str, Any]], name: str, label: str, style: str = "-") -> None:
    points = [(line["step"], line[name]) for line in history if name in line]
    axes.plot([step for step, _ in points], [float(value) for _, value in points], style, label=label, lw=1)


def _draw_band(axes: Axes, history: Sequence[dict[str, Any]], name: str) -> None:
    """Draw single steps as dots, with their running mean and a band of one standard deviation."""
    points = [(line["step"], float(line[name])) for line in history if name in line]
    steps, values = [step for step, _ in points], [value for _, value in points]
    window = max(3, len(values) // WINDOWS)
    near = [values[max(0, at - window // 2) : at + window // 2 + 1] for at in range(len(values))]
    means, spreads = [fmean(its) for its in near], [pstdev(its) for its in near]
    axes.plot(steps, values, ".", color="#7f7f7f", ms=2, alpha=0.6)
    axes.plot(steps, means, color=STAGE_COLOURS["rl"], lw=1.5)
    low, high = ([mean + sign * spread for mean, spread in zip(means, spreads, strict=True)] for sign in (-1, 1))
    axes.fill_between(steps, low, high, color=STAGE_COLOURS["rl"], alpha=0.15)


def _by_number(text: str) -> list[tuple[int, str]]:
    """Return a sort key that orders the numbers in a text as numbers."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", text)]


def _save(figure: Figure, folder: Path, name: str) -> str:
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    for end in ("png", "pdf"):
        figure.savefig(folder / f"{name}.{end}", dpi=200)
    return name
