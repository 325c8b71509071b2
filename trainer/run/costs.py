"""What training and sampling take: formulas, with their sources, and the assumptions, each with its name.

N parameters, L layers, H hidden size, A heads × head size, K key-value heads × head size, s tokens of a sequence.

training FLOPs     6 N a token (Kaplan et al., arXiv 2001.08361) and 6 L A s² a sequence: causal attention, half of
                   PaLM's 12 L A s² (arXiv 2204.02311, appendix B). CISPO asks the old policy once more: 8 for 6
training memory    16 N: weights, gradients and two moments of Adam in float32 (ZeRO, arXiv 1910.02054), over all
                   devices with FSDP; on one device 2 bytes more for each weight of a linear layer, whose bfloat16 copy
                   autocast keeps while a row is under way. With adapters 4 N, and 16 bytes for each of their own.
                   Activations, checkpointed: 4 L s H for the residual stream in float32, 34 s H for the layer at hand
                   (Korthikanti et al., arXiv 2205.05198), 96 s H with adapters; the head is computed in tiles of 4,096
                   tokens by 32,768 words of 6 bytes (TRL)
key-value cache    4 L K bytes a token, in bfloat16
decoding           a step reads all weights (2 N bytes) and the cache of all sequences; its time is that, or 2 N FLOPs a
                   sequence, whichever is longer (roofline), over the efficiency

Held against a model of the shape of Qwen3-4B on one H100 (torch 2.11, one row at a time), memory as torch counts it:
all weights, rows of 4,093 / 8,189 / 14,997 tokens took 74.2 / 75.8 / 78.7 GB (here 74.3 / 76.2 / 79.3) at an MFU of
0.23 / 0.27 / 0.29; adapters of rank 16, rows of 32,765 tokens, 37.6 GB (what adapters add is fitted to that) at 0.30.
"""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM

MFU = 0.28
"""Share of the peak that training reaches, what is computed twice for checkpointing not counted; measured, above."""
EFFICIENCY = 0.65
"""Share of the roofline that a server such as vLLM reaches; transformers' own is far slower. Measured with vLLM 0.26 on
an H100, the shape of Qwen3-4B: 256 completions of 2,048 tokens at once, 11,109 tokens a second from first to last. A
server's first burst is slower: 256 of 512 tokens, warming up included, 9,059, a third of what this says."""
AT_ONCE = 256
"""Most sequences that a device decodes at once. An assumption; the memory for their cache may allow fewer."""
USABLE = 0.9
"""Share of the memory that may be planned with."""


@dataclass(frozen=True, slots=True)
class Device:
    """What it can do at most.

    Peak in bfloat16 without sparsity (FLOP/s) and bandwidth (bytes/s) by the data sheet; memory (bytes) as the driver
    tells it, which counts "80 GB" in GiB.
    """

    flops: float
    bandwidth: float
    memory: float


DEVICES = {
    "a100": Device(312e12, 2.039e12, 81_920 * 2**20),
    "h100": Device(989e12, 3.35e12, 81_559 * 2**20),
    "h200": Device(989e12, 4.8e12, 143_771 * 2**20),
    "l40s": Device(362e12, 0.864e12, 46_068 * 2**20),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """A model, as far as it costs."""

    parameters: int
    linear: int
    """Of them in linear layers, the head apart."""
    adapters: int
    """Parameters of low-rank adapters; 0 when all weights are trained."""
    layers: int
    hidden: int
    attention: int
    """Heads × head size."""
    cache: int
    """Key-value heads × head size."""
    words: int

    def training_flops(self, lengths: list[int], old_policy: bool = False) -> float:
        """For one pass over sequences of these lengths."""
        tokens, squares = sum(lengths), sum(length**2 for length in lengths)
        return (8 if old_policy else 6) * (self.parameters * tokens + self.layers * self.attention * squares)

    def training_memory(self, length: int, at_once: int, devices: int) -> float:
        """Bytes on each device."""
        head = 6 * min(length * at_once, 4096) * min(self.words, 32_768)
        states = 4 * self.parameters + 16 * self.adapters if self.adapters else 16 * self.parameters
        copies = 2 * self.linear if devices == 1 and not self.adapters else 0
        return states / devices + copies + head + self._a_token * length * at_once

    def longest(self, device: Device, at_once: int, devices: int) -> int:
        """Tokens of the longest sequence that can be trained on; 0 when the weights alone are too many."""
        room = USABLE * device.memory - self.training_memory(4096, at_once, devices) + self._a_token * 4096 * at_once
        return max(int(room // (self._a_token * at_once)), 0)

    @property
    def _a_token(self) -> int:
        return (4 * self.layers + (96 if self.adapters else 34)) * self.hidden

    def decoding_memory(self, context: float, at_once: int) -> float:
        return 2 * self.parameters + 4 * self.layers * self.cache * context * at_once

    def decoding_rate(self, device: Device, prompt: int, written: int) -> float | None:
        """Tokens a second of one device that is kept full; None when not one sequence fits.

        A completion takes its room when it is whole; while it is written, it is half as long on average.
        """
        room = USABLE * device.memory - 2 * self.parameters
        at_once = min(AT_ONCE, int(room // (4 * self.layers * self.cache * (prompt + written))))
        if at_once < 1:
            return None
        read_s = self.decoding_memory(prompt + written / 2, at_once) / device.bandwidth
        return EFFICIENCY * at_once / max(read_s, 2 * self.parameters * at_once / device.flops)


def shape_of(name: str, revision: str | None, rank: int) -> Shape:
    """A model's shape, from its configuration alone: no weights are read."""
    config = AutoConfig.from_pretrained(name, revision=revision)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    linear = [layer for layer in model.model.modules() if isinstance(layer, torch.nn.Linear)]
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return Shape(
        parameters=sum(part.numel() for part in model.parameters()),
        linear=sum(layer.weight.numel() for layer in linear),
        adapters=rank * sum(layer.in_features + layer.out_features for layer in linear),
        layers=config.num_hidden_layers,
        hidden=config.hidden_size,
        attention=config.num_attention_heads * size,
        cache=config.num_key_value_heads * size,
        words=config.vocab_size,
    )


def assumptions() -> dict[str, Any]:
    """What the hours rest on."""
    return {"mfu": MFU, "decoding_efficiency": EFFICIENCY, "at_once": AT_ONCE, "usable_memory": USABLE} | {
        "devices": {name: asdict(device) for name, device in DEVICES.items()}
    }
