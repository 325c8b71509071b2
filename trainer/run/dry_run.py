"""What a run would take, before it is paid: `python -m trainer.all --dry-run --device h100 --devices 8 [--json]`.

Lengths are those of the data, by the model's own tokenizer. What the trained model will write is unknown: it is taken
to be as long as the traces that it learns from, and `at most` is the limit of tokens in every completion. How many
problems reinforcement learning keeps is unknown too: all are counted.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from trainer.benchmarks import described
from trainer.data import HELD_OUT, TRAIN, completion, prompt
from trainer.models import weights
from trainer.run.costs import DEVICES, MFU, USABLE, Device, Shape, assumptions, shape_of
from trainer.run.run_folder import Run, log_line

HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Lengths:
    """Tokens. Of rows that fit, prompt and completion; the means that completions are guessed by."""

    taught: list[int]
    too_long: int
    prompt: int
    completion: int


@dataclass(frozen=True, slots=True)
class Cost:
    """A phase. Hours are of all devices together at work; None: it does not fit."""

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
        """Every phase that costs anything."""
        recipe = self.run.recipe
        yield self._sft()
        if recipe.rl:
            tried = min(sum(row.split == TRAIN for row in self.run.examples), recipe.rl_set.problems)
            yield self._sampled("rl_set", tried * recipe.rl_set.samples, recipe.evaluate.max_tokens)
            yield from self._rl(int(tried * recipe.rl.epochs) * recipe.rl.rollouts)
        stages = 3 if recipe.rl else 2
        held_out = min(sum(row.split in HELD_OUT for row in self.run.examples), recipe.evaluate.problems)
        yield self._sampled("evaluate", stages * held_out * recipe.evaluate.samples, recipe.evaluate.max_tokens)
        for name in recipe.evaluate.benchmarks:
            how, benchmark = described(name).how(recipe.evaluate), described(name)
            yield self._sampled(f"evaluate {benchmark.title}", stages * benchmark.n * how.samples, how.max_tokens)

    def _sft(self) -> Cost:
        sft, lengths = self.run.recipe.sft, self.lengths.taught
        flops, tokens = sft.epochs * self.shape.training_flops(lengths), int(sft.epochs * sum(lengths))
        memory = self.shape.training_memory(max(lengths, default=0), sft.per_device, self.devices)
        return self._trained("sft", len(lengths), (tokens, tokens), (flops, flops), memory)

    def _rl(self, completions: int) -> Iterator[Cost]:
        rl, most = self.run.recipe.rl, self.run.recipe.evaluate.max_tokens
        assert rl is not None  # noqa: S101 - `costs` has looked
        yield self._sampled("rl, rollouts", completions, most)
        each = (self._long(most), self.lengths.prompt + most)
        flops = [completions * self.shape.training_flops([length], old_policy=True) for length in each]
        whole = self.shape if not self.shape.adapters else _whole(self.shape)
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
        fits = memory <= USABLE * self.device.memory
        return Cost(phase, sequences, tokens[0], tokens[1], hours[0], hours[1], memory, fits)

    def _long(self, limit: int) -> int:
        return self.lengths.prompt + min(self.lengths.completion, limit)


def forecast(run: Run, device: str, devices: int) -> Forecast:
    """Measure the data and the model. Raises Refusal as the phases would."""
    recipe = run.recipe
    run.benchmarks  # noqa: B018 - a file that is not as told is refused
    tokens = weights.tokenizer(recipe.base, recipe.revision)
    lengths = _measured(run, tokens)
    return Forecast(
        run, shape_of(recipe.base, recipe.revision, recipe.sft.lora_rank), lengths, DEVICES[device], devices
    )


def _measured(run: Run, tokens: Any) -> Lengths:
    taught, asked, said = list[int](), list[int](), list[int]()
    for row in (row for row in run.examples if row.split == TRAIN):
        asked.append(
            len(tokens.apply_chat_template(prompt(run.recipe, row), add_generation_prompt=True, return_dict=False))
        )
        if row.taught:
            whole = tokens.apply_chat_template(prompt(run.recipe, row) + completion(row), return_dict=False)
            taught.append(len(whole))
            said.append(len(whole) - asked[-1])
    fit = [length for length in taught if length <= run.recipe.max_length]
    return Lengths(fit, len(taught) - len(fit), round(fmean(asked)), round(fmean(said)))


def _whole(shape: Shape) -> Shape:
    """All weights are trained in reinforcement learning, adapters or not."""
    return Shape(**{**asdict(shape), "adapters": 0})


def show(run: Run, device: str, devices: int, as_json: bool) -> None:
    """Print the forecast."""
    found = forecast(run, device, devices)
    costs, at_once = list(found.costs()), run.recipe.sft.per_device
    longest = found.shape.longest(found.device, at_once, devices)
    if as_json:
        told = {"device": device, "devices": devices, "model": asdict(found.shape), "lengths": _describe(found.lengths)}
        more = {"longest_that_fits": longest, "phases": [asdict(cost) for cost in costs], "assumptions": assumptions()}
        json.dump({**told, **more}, sys.stdout, indent=2)
        return
    log_line(_table(found, costs, f"{devices} × {device}", longest))


def _describe(lengths: Lengths) -> dict[str, Any]:
    """Lengths without every single one."""
    longest = max(lengths.taught, default=0)
    told = {name: value for name, value in asdict(lengths).items() if name != "taught"}
    return {"rows": len(lengths.taught), "tokens": sum(lengths.taught), "longest": longest, **told}


def _table(found: Forecast, costs: list[Cost], where: str, longest: int) -> str:
    told, heads = (
        _describe(found.lengths),
        ("phase", "sequences", "tokens", "at most", "hours", "at most", "GB a device"),
    )
    lines = [
        f"{told['rows']:,} rows to learn from, {told['tokens']:,} tokens, longest {told['longest']:,}; "
        f"{told['too_long']} too long"
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
            lines.append(f"{'':<24}does not fit: {USABLE * found.device.memory / 1e9:.0f} GB can be planned with")
    lines += ["", "Hours are guesses: trainer/run/costs.py says what they rest on."]
    return "\n".join(lines)
