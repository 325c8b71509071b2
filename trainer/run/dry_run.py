"""Forecasts the cost of a run: `python -m trainer.all --dry-run --device h100 --devices 8 [--json]`.

Lengths are measured on the data with the model's tokenizer. Lengths of generated completions are unknown: they are
estimated by the mean of the traces trained on; `at most` assumes the token limit for every completion. The number of
problems that reinforcement learning keeps is unknown too: all are counted.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from trainer.benchmarks import load_benchmark
from trainer.data import render_completion, render_prompt
from trainer.example import HELD_OUT, TRAIN
from trainer.models import weights
from trainer.run.costs import DEVICES, MFU, USABLE_MEMORY, Device, Shape, list_assumptions, load_shape
from trainer.run.log import log_line
from trainer.run.run_folder import Run

HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths in tokens: of each row that fits, and the means of prompts and completions."""

    taught: list[int]
    too_long: int
    prompt: int
    completion: int


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of a phase. Hours are wall clock on all devices; None: it does not fit."""

    phase: str
    sequences: int
    tokens: int
    tokens_at_most: int
    hours: float | None
    hours_at_most: float | None
    memory: float
    """Bytes on each device."""
    fits: bool


@dataclass(frozen=True, slots=True)
class Forecast:
    """The costs of a run on a kind of device."""

    run: Run
    shape: Shape
    lengths: Lengths
    device: Device
    devices: int

    def costs(self) -> Iterator[Cost]:
        """Yield the cost of every phase."""
        recipe = self.run.recipe
        yield self._sft()
        if recipe.rl:
            candidates = min(sum(row.split == TRAIN for row in self.run.examples), recipe.rl_set.problems)
            yield self._sampled("rl_set", candidates * recipe.rl_set.samples, recipe.try_tokens)
            yield from self._rl(int(candidates * recipe.rl.epochs) * recipe.rl.rollouts)
        stages = 3 if recipe.rl else 2
        held_out = min(sum(row.split in HELD_OUT for row in self.run.examples), recipe.evaluate.problems)
        yield self._sampled("evaluate", stages * held_out * recipe.evaluate.samples, recipe.evaluate.max_tokens)
        for name in recipe.evaluate.benchmarks:
            evaluation, benchmark = load_benchmark(name).adapt_sampling(recipe.evaluate), load_benchmark(name)
            yield self._sampled(
                f"evaluate {benchmark.title}", stages * benchmark.n * evaluation.samples, evaluation.max_tokens
            )

    def _sft(self) -> Cost:
        sft, lengths = self.run.recipe.sft, self.lengths.taught
        flops, tokens = sft.epochs * self.shape.training_flops(lengths), int(sft.epochs * sum(lengths))
        memory = self.shape.training_memory(max(lengths, default=0), sft.per_device, self.devices)
        return self._trained("sft", len(lengths), (tokens, tokens), (flops, flops), memory)

    def _rl(self, completions: int) -> Iterator[Cost]:
        rl, most = self.run.recipe.rl, self.run.recipe.rollout_tokens
        assert rl is not None  # noqa: S101 - `costs` checks it
        yield self._sampled("rl, rollouts", completions, most)
        each = (self._typical(most), self.lengths.prompt + most)
        flops = [completions * self.shape.training_flops([length], old_policy=True) for length in each]
        whole = self.shape if not self.shape.adapters else _without_adapters(self.shape)
        memory = whole.training_memory(each[1], rl.per_device, self.devices)
        yield self._trained("rl, steps", completions, [completions * length for length in each], flops, memory)

    def _trained(self, phase: str, rows: int, tokens: Sequence[int], flops: Sequence[float], memory: float) -> Cost:
        hours = tuple(one / (MFU * self.device.flops * self.devices * HOUR_S) for one in flops)
        return self._cost(phase, rows, tokens, hours, memory)

    def _sampled(self, phase: str, completions: int, limit: int) -> Cost:
        written, hours = (min(self.lengths.completion, limit), limit), list[float | None]()
        for tokens in written:
            rate = self.shape.decoding_rate(self.device, self.lengths.prompt, tokens)
            hours.append(completions * tokens / (rate * self.devices * HOUR_S) if rate else None)
        memory = self.shape.decoding_memory(self.lengths.prompt + limit, 1)
        return self._cost(phase, completions, [completions * tokens for tokens in written], hours, memory)

    def _cost(
        self, phase: str, sequences: int, tokens: Sequence[int], hours: Sequence[float | None], memory: float
    ) -> Cost:
        fits = memory <= USABLE_MEMORY * self.device.memory
        return Cost(phase, sequences, tokens[0], tokens[1], hours[0], hours[1], memory, fits)

    def _typical(self, limit: int) -> int:
        return self.lengths.prompt + min(self.lengths.completion, limit)


def forecast(run: Run, device: str, devices: int) -> Forecast:
    """Measure the data and the model. Raises Refusal where the phases would."""
    recipe = run.recipe
    run.benchmarks  # noqa: B018 - validates the files
    tokens = weights.load_tokenizer(recipe.base, recipe.revision)
    lengths = _measure_lengths(run, tokens)
    return Forecast(
        run, load_shape(recipe.base, recipe.revision, recipe.sft.lora_rank), lengths, DEVICES[device], devices
    )


def _measure_lengths(run: Run, tokens: Any) -> Lengths:
    taught, prompts, completions = list[int](), list[int](), list[int]()
    for row in (row for row in run.examples if row.split == TRAIN):
        prompts.append(
            len(
                tokens.apply_chat_template(
                    render_prompt(run.recipe, row, tokens), add_generation_prompt=True, return_dict=False
                )
            )
        )
        if row.is_for_sft:
            whole = tokens.apply_chat_template(
                render_prompt(run.recipe, row, tokens) + render_completion(row, tokens), return_dict=False
            )
            taught.append(len(whole))
            completions.append(len(whole) - prompts[-1])
    fit = [length for length in taught if length <= run.recipe.max_length]
    return Lengths(fit, len(taught) - len(fit), round(fmean(prompts)), round(fmean(completions)))


def _without_adapters(shape: Shape) -> Shape:
    """Return the shape without adapters: reinforcement learning trains all weights."""
    return Shape(**{**asdict(shape), "adapters": 0})


def show(run: Run, device: str, devices: int, as_json: bool) -> None:
    """Print the forecast."""
    found = forecast(run, device, devices)
    costs, batch_size = list(found.costs()), run.recipe.sft.per_device
    longest = found.shape.longest(found.device, batch_size, devices)
    if as_json:
        document = {
            "device": device,
            "devices": devices,
            "model": asdict(found.shape),
            "lengths": _describe(found.lengths),
        }
        more = {
            "longest_that_fits": longest,
            "phases": [asdict(cost) for cost in costs],
            "assumptions": list_assumptions(),
        }
        json.dump({**document, **more}, sys.stdout, indent=2)
        return
    log_line(_render_table(found, costs, f"{devices} × {device}", longest))


def _describe(lengths: Lengths) -> dict[str, Any]:
    """Summarise lengths for the JSON document."""
    longest = max(lengths.taught, default=0)
    means = {name: value for name, value in asdict(lengths).items() if name != "taught"}
    return {"rows": len(lengths.taught), "tokens": sum(lengths.taught), "longest": longest, **means}


def _render_table(found: Forecast, costs: list[Cost], where: str, longest: int) -> str:
    lengths, heads = (
        _describe(found.lengths),
        ("phase", "sequences", "tokens", "at most", "hours", "at most", "GB a device"),
    )
    lines = [
        f"{lengths['rows']:,} training rows, {lengths['tokens']:,} tokens, longest {lengths['longest']:,}; "
        f"{lengths['too_long']} too long"
    ]
    lines += [
        f"{found.shape.parameters:,} parameters on {where}; rows of up to {longest:,} tokens can be trained on",
        "",
    ]
    lines.append("{:<24}{:>12}{:>16}{:>16}{:>10}{:>10}{:>13}".format(*heads))
    for one in costs:
        hours = ("?" if part is None else f"{part:,.2f}" for part in (one.hours, one.hours_at_most))
        counts = f"{one.sequences:>12,}{one.tokens:>16,}{one.tokens_at_most:>16,}"
        lines.append(f"{one.phase:<24}{counts}{''.join(f'{part:>10}' for part in hours)}{one.memory / 1e9:>13.2f}")
        if not one.fits:
            lines.append(f"{'':<24}does not fit: {USABLE_MEMORY * found.device.memory / 1e9:.0f} GB are usable")
    lines += ["", "Hours are estimates: trainer/run/costs.py documents the assumptions."]
    return "\n".join(lines)
