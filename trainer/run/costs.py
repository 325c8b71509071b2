"""Formulas for the time and memory of training and sampling, with their sources and named assumptions.

N parameters, L layers, H hidden size, A heads × head size, K key-value heads × head size, s tokens of a sequence.

training FLOPs     6 N a token (Kaplan et al., arXiv 2001.08361) and 6 L A s² a sequence: causal attention, half of
                   PaLM's 12 L A s² (arXiv 2204.02311, appendix B). CISPO adds a pass for the old policy: 8 for 6
training memory    16 N: weights, gradients and two moments of Adam in float32 (ZeRO, arXiv 1910.02054), over all
                   devices with FSDP; on one device 2 bytes more for each weight of a linear layer, for the bfloat16
                   copy that autocast keeps during a pass. With adapters 4 N, and 16 bytes for each of their own.
                   Activations, checkpointed: 4 L s H for the residual stream in float32, 34 s H for the current layer
                   (Korthikanti et al., arXiv 2205.05198), 96 s H with adapters; the head is computed in tiles of 4,096
                   tokens by 32,768 words of 6 bytes (TRL)
key-value cache    4 L K bytes a token, in bfloat16
decoding           a step reads all weights (2 N bytes) and the cache of all sequences; its time is the longer of that
                   and 2 N FLOPs a sequence (roofline), divided by the efficiency of a server. Transformers launches
                   each layer from Python: no step is shorter than LAYER_S for each layer, and a batch ends with its
                   longest completion
rollouts in TRL    without vLLM, one call of `generate` writes all completions of a generation on a device, in float32:
                   twice the cache, and the gathered weights (4 N bytes)
disk               a checkpoint has weights and moments in float32 (12 N bytes; with adapters 12 for each of their own),
                   and the weights twice where they are sharded; there are three while one is written; a model has 4 N

Compared with a model of the shape of Qwen3-4B on one H100 (torch 2.11, one row at a time), memory as torch counts it:
all weights, rows of 4,093 / 8,189 / 14,997 tokens took 74.2 / 75.8 / 78.7 GB (here 74.3 / 76.2 / 79.3) at an MFU of
0.23 / 0.27 / 0.29; adapters of rank 16, rows of 32,765 tokens, 37.6 GB (what adapters add is fitted to that) at 0.30.
"""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from trainer.run.devices import DEVICES, Device

MFU = 0.28
"""Fraction of peak FLOPs in training, without the recomputation of checkpointing; measured, see above."""
DECODING_EFFICIENCY = 0.65
"""Fraction of the roofline that a server such as vLLM reaches; generation by transformers is far slower. Measured with
vLLM 0.26 on an H100, the shape of Qwen3-4B: 256 concurrent completions of 2,048 tokens, 11,109 tokens a second
overall. The first batch of a server is slower: 256 of 512 tokens, with warm-up, 9,059, a third of this estimate."""
MAX_DECODED_SEQUENCES = 256
"""Maximum number of sequences decoded together on a device. Assumed; memory for their cache may allow fewer."""
LAYER_S = 0.0008
"""Shortest time of a layer in a step of transformers' generation, in seconds. Assumed."""
KEPT_CHECKPOINTS = 3
"""Checkpoints on the disk while one is written."""
USABLE_MEMORY = 0.9
"""Fraction of device memory that the forecast uses."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of a model, as far as it determines costs."""

    parameters: int
    linear: int
    """Of these in linear layers, without the head."""
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
        """Return the FLOPs of one pass over sequences of these lengths."""
        tokens, squares = sum(lengths), sum(length**2 for length in lengths)
        return (8 if old_policy else 6) * (self.parameters * tokens + self.layers * self.attention * squares)

    def training_memory(self, length: int, sequences: int, devices: int) -> float:
        """Return the bytes on each device."""
        head = 6 * min(length * sequences, 4096) * min(self.words, 32_768)
        states = 4 * self.parameters + 16 * self.adapters if self.adapters else 16 * self.parameters
        copies = 2 * self.linear if devices == 1 and not self.adapters else 0
        return states / devices + copies + head + self._bytes_per_token * length * sequences

    def longest(self, device: Device, sequences: int, devices: int) -> int:
        """Return the tokens of the longest sequence that fits; 0 when the weights alone do not."""
        room = (
            USABLE_MEMORY * device.memory
            - self.training_memory(4096, sequences, devices)
            + self._bytes_per_token * 4096 * sequences
        )
        return max(int(room // (self._bytes_per_token * sequences)), 0)

    @property
    def _bytes_per_token(self) -> int:
        return (4 * self.layers + (96 if self.adapters else 34)) * self.hidden

    def decoding_memory(self, context: float, sequences: int) -> float:
        return 2 * self.parameters + 4 * self.layers * self.cache * context * sequences

    def generation_memory(self, context: float, sequences: int, devices: int) -> float:
        """Return the bytes on each device while TRL generates rollouts without vLLM, the training's states included."""
        gathered = 4 * self.parameters if devices > 1 else 0
        return 16 * self.parameters / devices + gathered + 8 * self.layers * self.cache * context * sequences

    def generation_rate(self, device: Device, context: float, sequences: int) -> float:
        """Return tokens per second of transformers' generation, for a batch that is as long as its longest sequence."""
        read_s = self.decoding_memory(context, sequences) / device.bandwidth
        return sequences / max(read_s, LAYER_S * self.layers)

    def checkpoint_bytes(self, devices: int) -> int:
        return (16 if devices > 1 else 12) * (self.adapters or self.parameters)

    @property
    def model_bytes(self) -> int:
        return 4 * self.parameters

    def decoding_rate(
        self, device: Device, prompt: int, written: int, share: float = USABLE_MEMORY, parallel: int = 1
    ) -> float | None:
        """Return tokens per second of one device under full load; None when not even one sequence fits.

        The server has a `share` of the memory of each of the `parallel` devices that hold one replica. Memory is
        planned for full length; during decoding a completion is half as long on average.
        """
        device = Device(parallel * device.flops, parallel * device.bandwidth, parallel * device.memory)
        room = share * device.memory - 2 * self.parameters
        sequences = min(MAX_DECODED_SEQUENCES, int(room // (4 * self.layers * self.cache * (prompt + written))))
        if sequences < 1:
            return None
        read_s = self.decoding_memory(prompt + written / 2, sequences) / device.bandwidth
        step_s = max(read_s, 2 * self.parameters * sequences / device.flops)
        return DECODING_EFFICIENCY * sequences / (step_s * parallel)


def load_shape(name: str, revision: str | None, rank: int) -> Shape:
    """Read a model's shape from its configuration, without its weights."""
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


def list_assumptions() -> dict[str, Any]:
    """Return the assumptions behind the hours, as JSON values."""
    return {
        "mfu": MFU,
        "decoding_efficiency": DECODING_EFFICIENCY,
        "at_once": MAX_DECODED_SEQUENCES,
        "layer_s": LAYER_S,
        "usable_memory": USABLE_MEMORY,
    } | {"devices": {name: asdict(device) for name, device in DEVICES.items()}}
