"""The forecast of a run: what each phase takes on given devices, from every key of the recipe that decides it.

Lengths are measured on the data with the model's tokenizer. Lengths of generated completions are unknown: they are
assumed to be those of the traces trained on; `at most` assumes the token limit for every completion. The number of
problems that reinforcement learning keeps is unknown too: all are counted.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from shared.errors import Refusal
from trainer.benchmarks import load_benchmark
from trainer.example import HELD_OUT, TRAIN
from trainer.models import weights
from trainer.recipe import Recipe, Rl
from trainer.run.costs import KEPT_CHECKPOINTS, MFU, USABLE_MEMORY, Shape, load_shape
from trainer.run.devices import DEVICES, Device
from trainer.run.lengths import Lengths, measure_lengths
from trainer.run.run_folder import Run

HOUR_S = 3600
TEXT_BYTES = 4
"""Bytes of text a token; sampled completions are kept in the run folder. Assumed."""
MEGABATCH = 50
"""Steps within which transformers sorts rows by length."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of a phase. Hours are wall clock; None: it does not fit."""

    phase: str
    devices: int
    """Devices that work; all that are rented cost money."""
    sequences: int
    tokens: int
    tokens_at_most: int
    hours: float | None
    hours_at_most: float | None
    memory: float
    """Bytes on each device."""
    disk: int
    """Bytes that the phase needs in the run folder."""
    fits: bool
    advice: str = ""
    """What to change when it does not fit."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """The costs of a run on a kind of device."""

    run: Run
    shape: Shape
    lengths: Lengths
    device: Device
    devices: int

    @property
    def recipe(self) -> Recipe:
        return self.run.recipe

    @property
    def processes(self) -> int:
        """Devices of SFT and RL."""
        return self.recipe.processes or self.devices

    @property
    def longest(self) -> int:
        """Tokens of the longest row that SFT can train on."""
        sft = self.recipe.sft
        return sft.context_parallel * self.shape.longest(self.device, sft.per_device, self.processes)

    def costs(self) -> Iterator[Cost]:
        """Yield the cost of every phase."""
        recipe = self.recipe
        yield self._sft("sft", self.recipe.sft.epochs * sum(self.lengths.taught))
        if recipe.rl:
            candidates = min(sum(row.split == TRAIN for row in self.run.examples), recipe.rl_set.problems)
            yield self._sampled("rl_set", candidates, recipe.rl_set.samples, recipe.try_tokens)
            completions = int(candidates * recipe.rl.epochs) * recipe.rl.rollouts
            yield self._rollouts(recipe.rl, completions)
            steps = self._rl_steps(recipe.rl, completions)
            yield steps
            if recipe.rl.control:
                yield self._sft("control", steps.tokens)
        stages = 2 + (recipe.rl is not None) + (recipe.rl is not None and recipe.rl.control)
        held_out = min(sum(row.split in HELD_OUT for row in self.run.examples), recipe.evaluate.problems)
        yield self._sampled("evaluate", stages * held_out, recipe.evaluate.samples, recipe.evaluate.max_tokens)
        for name in recipe.evaluate.benchmarks:
            benchmark = load_benchmark(name)
            evaluation = benchmark.adapt_sampling(recipe.evaluate)
            problems = stages * benchmark.n
            yield self._sampled(f"evaluate {benchmark.title}", problems, evaluation.samples, evaluation.max_tokens)

    def _sft(self, phase: str, tokens: float) -> Cost:
        """Rows of one forward pass wait for the longest of them, over all devices."""
        sft, lengths, parallel = self.recipe.sft, self.lengths.taught, self.recipe.sft.context_parallel
        padded = list(lengths) if sft.packing else list(self._padded_lengths())
        passes = tokens / max(1, sum(lengths))
        hours = self._training_hours(passes * self.shape.training_flops(padded), self.processes)
        longest = math.ceil(max(lengths, default=0) / parallel)
        memory = self.shape.training_memory(longest, sft.per_device, self.processes)
        rows, disk = (
            len(lengths),
            KEPT_CHECKPOINTS * self.shape.checkpoint_bytes(self.processes) + self.shape.model_bytes,
        )
        advice = "lower max_length or sft.per_device, use sft.lora_rank, sft.context_parallel or more devices"
        return self._cost(phase, self.processes, rows, (int(tokens),) * 2, (hours, hours), memory, disk, advice)

    def _padded_lengths(self) -> Iterator[int]:
        """Yield for each row the tokens that are computed for it."""
        sft = self.recipe.sft
        order = random.Random(0).sample(self.lengths.taught, len(self.lengths.taught))  # noqa: S311 - an order, no secret
        if sft.group_by_length:
            size = MEGABATCH * sft.batch
            order = [row for chunk in _chunks(order, size) for row in sorted(chunk, reverse=True)]
        for rows in _chunks(order, max(1, self.processes // sft.context_parallel) * sft.per_device):
            yield from [max(rows)] * len(rows)

    def _rollouts(self, rl: Rl, completions: int) -> Cost:
        phase, limit = "rl, rollouts", self.recipe.rollout_tokens
        if rl.vllm == "no":
            return self._generated_rollouts(rl, completions)
        if rl.vllm == "server":
            serving = self.devices - self.processes
            cost = self._served(phase, completions, limit, max(1, serving), USABLE_MEMORY)
            advice = f"processes: {self.processes} leave no device for the server; lower processes"
            return cost if serving else replace(cost, fits=False, hours=None, hours_at_most=None, advice=advice)
        states = 16 * self.shape.parameters / self.processes
        cost = self._served(phase, completions, limit, self.processes, rl.vllm_memory)
        memory, advice = rl.vllm_memory * self.device.memory + states, "lower rl.vllm_memory, or use more devices"
        if self.shape.decoding_memory(self.lengths.prompt + limit, 1) > rl.vllm_memory * self.device.memory:
            return replace(cost, fits=False, advice="raise rl.vllm_memory, or lower rl.max_tokens")
        return replace(cost, memory=memory, fits=memory <= self._usable, advice=advice)

    def _generated_rollouts(self, rl: Rl, completions: int) -> Cost:
        together, limit = count_rollouts_together(rl, self.processes), self.recipe.rollout_tokens
        longest, typical = self.lengths.longest_of(together, limit), min(self.lengths.completion, limit)
        written, hours = (typical, limit), list[float | None]()
        for tokens in (longest, limit):
            rate = self.shape.generation_rate(self.device, self.lengths.prompt + tokens / 2, together)
            hours.append(completions * tokens / (rate * self.processes * HOUR_S))
        memory = self.shape.generation_memory(self.lengths.prompt + limit, together, self.processes)
        counts = [completions * tokens for tokens in written]
        advice = f"transformers writes {together:,} rollouts together: use rl.vllm, or lower rl.completions"
        return self._cost("rl, rollouts", self.processes, completions, counts, hours, memory, 0, advice)

    def _rl_steps(self, rl: Rl, completions: int) -> Cost:
        """Every row of a generation is as long as the longest completion of its device."""
        limit, shape = self.recipe.rollout_tokens, replace(self.shape, adapters=0)
        longest = self.lengths.longest_of(count_rollouts_together(rl, self.processes), limit)
        written = [self.lengths.prompt + min(self.lengths.completion, limit), self.lengths.prompt + limit]
        flops = [
            completions * shape.training_flops([self.lengths.prompt + tokens], old_policy=True)
            for tokens in (longest, limit)
        ]
        memory = shape.training_memory(self.lengths.prompt + limit, rl.per_device, self.processes)
        if rl.vllm == "colocate" and not rl.trl.get("vllm_enable_sleep_mode"):
            memory += rl.vllm_memory * self.device.memory
        hours = [self._training_hours(one, self.processes) for one in flops]
        disk = KEPT_CHECKPOINTS * shape.checkpoint_bytes(self.processes) + shape.model_bytes
        counts = [completions * tokens for tokens in written]
        advice = "lower rl.max_tokens, rl.per_device or rl.vllm_memory, or use more devices"
        return self._cost("rl, steps", self.processes, completions, counts, hours, memory, disk, advice)

    def _sampled(self, phase: str, problems: int, samples: int, limit: int) -> Cost:
        sample, completions = self.recipe.sample, problems * samples
        if sample.engine == "in_process":
            together = max(1, self.recipe.evaluate.batch // samples) * samples
            return self._sampled_in_process(phase, completions, limit, together)
        share = sample.memory if sample.engine == "vllm" else USABLE_MEMORY
        return self._served(phase, completions, limit, self.devices, share, sample.tensor_parallel)

    def _sampled_in_process(self, phase: str, completions: int, limit: int, batch: int) -> Cost:
        """By transformers on one device; a batch ends with its longest completion."""
        written = (min(self.lengths.completion, limit), limit)
        hours = list[float | None]()
        for tokens in (self.lengths.longest_of(batch, limit), limit):
            rate = self.shape.generation_rate(self.device, self.lengths.prompt + tokens / 2, batch)
            hours.append(completions * tokens / (rate * HOUR_S))
        memory = self.shape.decoding_memory(self.lengths.prompt + limit, batch)
        counts = [completions * tokens for tokens in written]
        advice = "lower evaluate.batch, or use sample.engine: vllm"
        return self._cost(phase, 1, completions, counts, hours, memory, TEXT_BYTES * counts[0], advice)

    def _served(self, phase: str, completions: int, limit: int, devices: int, share: float, parallel: int = 1) -> Cost:
        written, hours = (min(self.lengths.completion, limit), limit), list[float | None]()
        for tokens in written:
            rate = self.shape.decoding_rate(self.device, self.lengths.prompt, tokens, share, parallel)
            hours.append(completions * tokens / (rate * devices * HOUR_S) if rate else None)
        memory = self.shape.decoding_memory(self.lengths.prompt + limit, 1) / parallel
        counts = [completions * tokens for tokens in written]
        advice = "lower max_tokens, or raise sample.tensor_parallel"
        return self._cost(phase, devices, completions, counts, hours, memory, TEXT_BYTES * counts[0], advice)

    def _training_hours(self, flops: float, devices: int) -> float:
        return flops / (MFU * self.device.flops * devices * HOUR_S)

    @property
    def _usable(self) -> float:
        return USABLE_MEMORY * self.device.memory

    def _cost(
        self,
        phase: str,
        devices: int,
        sequences: int,
        tokens: Sequence[int],
        hours: Sequence[float | None],
        memory: float,
        disk: int,
        advice: str,
    ) -> Cost:
        fits = memory <= self._usable
        typical, most = hours if fits else (None, None)
        return Cost(phase, devices, sequences, tokens[0], tokens[1], typical, most, memory, disk, fits, advice)


def count_rollouts_together(rl: Rl, devices: int) -> int:
    """Return the completions of one generation on each device: TRL writes and pads them together."""
    return math.ceil(rl.completions * rl.reuse / devices)


def forecast(run: Run, device: str, devices: int) -> Forecast:
    """Measure the data and the model. Raises Refusal where the phases would."""
    recipe = run.recipe
    run.benchmarks  # noqa: B018 - validates the files
    if (recipe.processes or 1) > devices:
        raise Refusal(f"processes: {recipe.processes} need more than {devices} devices", "Raise --devices")
    if devices % recipe.sample.tensor_parallel or (recipe.processes or devices) % recipe.sft.context_parallel:
        raise Refusal(
            f"{devices} devices are not divisible by sample.tensor_parallel or sft.context_parallel", "Change them"
        )
    shape = load_shape(recipe.base, recipe.revision, recipe.sft.lora_rank)
    lengths = measure_lengths(run, weights.load_tokenizer(recipe.base, recipe.revision))
    return Forecast(run, shape, lengths, DEVICES[device], devices)


def _chunks(rows: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
