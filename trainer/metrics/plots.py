"""Plots of a run, as one would put them in a paper: PNG to look at, PDF to print."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trainer.run.run_folder import Found, Run

COLOURS = {"base": "#7f7f7f", "sft": "#1f77b4", "rl": "#d62728", "control": "#2ca02c"}
"""Apart for colour-blind eyes too, and in grey."""
RL_CURVES = {
    "reward": "mean reward",
    "entropy": "entropy (nats a token)",
    "cispo_clip_ratio": "share of capped tokens",
    "completions/mean_length": "tokens a completion",
}


def draw(run: Run, folder: Path) -> list[str]:
    """Draw what the run has; returns the names of the files, without their ends."""
    drawn = []
    if run.found("evaluate"):
        drawn += [_pass_at_k(run.needed("evaluate"), folder), _subjects(run.needed("evaluate"), folder)]
    if run.found("sft"):
        drawn.append(_losses(_history(run, "sft"), folder))
    if run.found("rl"):
        drawn.append(_rl(_history(run, "rl"), folder))
    return drawn


def _pass_at_k(found: Found, folder: Path) -> str:
    figure = Figure(figsize=(4.2, 3), layout="constrained")
    axes = figure.subplots()
    for stage in found["spent"]:
        its = [score for score in found["scores"] if score["kind"] == "all" and score["model"] == stage]
        ks, values = [score["k"] for score in its], [100 * score["value"] for score in its]
        low, high = [100 * score["low"] for score in its], [100 * score["high"] for score in its]
        axes.plot(ks, values, "o-", color=COLOURS[stage], label=stage)
        axes.fill_between(ks, low, high, color=COLOURS[stage], alpha=0.15)
    axes.set(xscale="log", xlabel="k", ylabel="pass@k (%)", ylim=(-2, 102))
    axes.set_xticks(ks, [str(k) for k in ks])
    axes.minorticks_off()
    axes.legend(frameon=False)
    return _save(figure, folder, "pass_at_k")


def _subjects(found: Found, folder: Path) -> str:
    its = [score for score in found["scores"] if score["kind"] == "subfield" and score["k"] == 1]
    parts, stages = sorted({score["part"] for score in its}), list(found["spent"])
    figure = Figure(figsize=(5, 1.2 + 0.22 * len(parts) * len(stages)), layout="constrained")
    axes = figure.subplots()
    for nth, stage in enumerate(stages):
        for score in (one for one in its if one["model"] == stage):
            place = parts.index(score["part"]) + 0.8 * (nth + 0.5) / len(stages) - 0.4
            bounds = [[100 * (score["value"] - score["low"])], [100 * (score["high"] - score["value"])]]
            axes.errorbar(100 * score["value"], place, xerr=bounds, fmt="o", color=COLOURS[stage], ms=4)
    axes.set(xlabel="pass@1 (%), 95 % interval", xlim=(-2, 102))
    axes.set_yticks(range(len(parts)), parts)
    for stage in stages:
        axes.plot([], [], "o", color=COLOURS[stage], label=stage, ms=4)
    axes.legend(frameon=False, ncols=len(stages), loc="lower center", bbox_to_anchor=(0.5, 1))
    axes.invert_yaxis()
    return _save(figure, folder, "by_subfield")


def _losses(history: Sequence[dict[str, Any]], folder: Path) -> str:
    figure = Figure(figsize=(4.2, 3), layout="constrained")
    axes = figure.subplots()
    _curve(axes, history, "loss", "train")
    _curve(axes, history, "eval_loss", "validation", style="o-")
    axes.set(xlabel="step", ylabel="loss (nats a token)", yscale="log")
    axes.legend(frameon=False)
    return _save(figure, folder, "sft_loss")


def _rl(history: Sequence[dict[str, Any]], folder: Path) -> str:
    figure = Figure(figsize=(7, 4.4), layout="constrained")
    for axes, (name, label) in zip(figure.subplots(2, 2).flat, RL_CURVES.items(), strict=True):
        _curve(axes, history, name, label)
        axes.set(xlabel="step", ylabel=label)
    return _save(figure, folder, "rl")


def _curve(axes: Axes, history: Sequence[dict[str, Any]], name: str, label: str, style: str = "-") -> None:
    points = [(line["step"], line[name]) for line in history if name in line]
    axes.plot([step for step, _ in points], [float(value) for _, value in points], style, label=label, lw=1)


def _history(run: Run, phase: str) -> list[dict[str, Any]]:
    history: list[dict[str, Any]] = json.loads(run.path(phase, "log.json").read_text())["log_history"]
    return history


def _save(figure: Figure, folder: Path, name: str) -> str:
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    for end in ("png", "pdf"):
        figure.savefig(folder / f"{name}.{end}", dpi=200)
    return name
