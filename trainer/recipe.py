"""The recipe: one YAML file with everything that decides what is trained and measured. Example: configs/paper.yaml."""

import string
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from shared.config import safe_yaml
from shared.errors import Refusal

Share = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Sample(_Section):
    """How `rl_set`, `evaluate` and `compare` sample models. Endpoints of `--served` come first, whatever the engine."""

    engine: Literal["in_process", "vllm", "served"] = "in_process"
    """`vllm`: the phase starts `vllm serve` on the visible GPUs, and ends it. `in_process`: transformers on one device.
    `served`: only the endpoints of `--served`; a model without one is refused."""
    tensor_parallel: Count = 1
    """GPUs that share one replica; all visible GPUs are used, by as many replicas as they hold."""
    memory: float = Field(default=0.9, gt=0, lt=1)
    """Fraction of each GPU's memory for vLLM."""
    max_concurrency: Count = 256
    """Largest number of calls in flight for each replica."""
    command: str = "vllm"
    """Executable, on the PATH or in the environment of the trainer."""
    arguments: tuple[str, ...] = ()
    """Further arguments of `vllm serve`."""
    startup_s: float = Field(default=1800.0, gt=0)
    """Longest wait until the server is ready, in seconds; it loads the weights and compiles."""


class HeldOut(_Section):
    """Rows that no training sees. Scores on them are relative: they passed the same checks as all other rows."""

    topics: Share = 0.05
    """Share of the topics, held out whole."""
    clusters: Share = 0.05
    """Share of the clusters of problems that differ only in numbers: one in training would reveal the others."""
    validation: Share = 0.02
    """Share of these clusters used to choose the checkpoint; they are not scored. Without one the last is kept."""
    at_least: Count = 1
    """Minimum number of training rows; with fewer the run is refused."""


class Sft(_Section):
    """Supervised fine-tuning on the traces of the sft view."""

    learning_rate: float = Field(default=1e-5, gt=0)
    """Largest learning rate."""
    scheduler: str = "cosine"
    """Schedule of the learning rate, by the name that transformers gives it."""
    warmup: Share = 0.03
    """Share of the steps in which the learning rate rises."""
    batch: Count = 256
    """Rows a step, over all devices."""
    per_device: Count = 1
    """Rows in one forward pass of a device; gradients are accumulated up to `batch`."""
    epochs: float = Field(default=3, gt=0)
    """At most; the checkpoint with the lowest validation loss is kept."""
    checkpoint_steps: Count = 20
    """Steps between two checkpoints, and between two measurements of the validation loss."""
    packing: bool = False
    """Pack several rows into one sequence; needs an `attention` that separates them (FlashAttention)."""
    group_by_length: bool = False
    """Put rows of similar length into one step: devices then wait less for the longest row."""
    context_parallel: Count = 1
    """GPUs that share one row, for rows that do not fit on one. Excludes `packing`; needs the attention sdpa."""
    lora_rank: int = Field(default=0, ge=0)
    """Rank of low-rank adapters on every linear layer; 0 trains all weights."""
    trl: dict[str, Any] = {}
    """Further arguments of TRL's SFTConfig, such as `optim`, `report_to` or `push_to_hub`."""

    @model_validator(mode="after")
    def _no_packing_of_shared_rows(self) -> Self:
        if self.packing and self.context_parallel > 1:
            raise ValueError("packing and context_parallel exclude each other")
        return self


class RlSet(_Section):
    """Selection of the problems for reinforcement learning."""

    samples: Count = 8
    """Tries of each problem."""
    problems: Count = 100_000
    """Maximum number of problems that are tried."""
    max_tokens: Count | None = None
    """Limit of a try; None: that of `evaluate`."""
    solved_at_least: Count = 2
    """How often the SFT model must reach a key that the teacher missed; below that the key may be wrong."""
    plain: bool = False
    """Keep problems that are always or never solved, as in the paper; they give no gradient."""


class Rl(_Section):
    """CISPO (arXiv 2506.13585) with TRL's GRPOTrainer."""

    learning_rate: float = Field(default=1e-6, gt=0)
    """Largest learning rate."""
    scheduler: str = "constant"
    """Schedule of the learning rate, by the name that transformers gives it."""
    completions: Count = 256
    """Completions a step (TRL's unit), over all devices; 256 with 8 rollouts are 32 prompts."""
    per_device: Count = 1
    """Completions in one forward pass of a device."""
    rollouts: Annotated[int, Field(ge=2)] = 8
    """Completions for each prompt."""
    max_tokens: Count | None = None
    """Limit of a rollout; None: that of `evaluate`."""
    reuse: Annotated[int, Field(ge=2)] = 4
    """Steps for each generation. With 1 the policy equals the sampler, and CISPO equals DAPO."""
    epsilon_high: float = Field(default=5.0, gt=0)
    """Absolute cap of the importance weight. TRL silently uses 0.2 when it is unset."""
    epochs: float = Field(default=1, gt=0)
    """Passes over the problems."""
    checkpoint_generations: Count = 3
    """Generations (of `reuse` steps each) between two checkpoints."""
    vllm: Literal["no", "colocate", "server"] = "no"
    """Engine of the rollouts: transformers (`no`), vLLM on the same GPUs, or a vLLM server."""
    vllm_memory: float = Field(default=0.3, gt=0, lt=1)
    """Fraction of each GPU's memory for vLLM's weights and cache, with `colocate`."""
    vllm_server: str = "http://localhost:8000"
    """Address of the server, which has other GPUs; docs/how-to/training.md has the command that starts it."""
    control: bool = False
    """Also train a control arm: more SFT on as many tokens as RL took. It is measured too."""
    trl: dict[str, Any] = {}
    """Further arguments of TRL's GRPOConfig, such as `mask_truncated_completions` or `report_to`. Unless set here, the
    importance ratio to vLLM is truncated for each token (`vllm_importance_sampling_mode`); logits are in float32."""

    @model_validator(mode="after")
    def _whole_groups(self) -> Self:
        if self.completions * self.reuse % self.rollouts:
            raise ValueError("completions × reuse must hold whole groups of rollouts")
        return self


class Evaluate(_Section):
    """How models are measured. Defaults: the sampling of the paper."""

    samples: Count = 8
    """Completions for each problem."""
    problems: Count = 1000
    """Maximum number of held-out problems."""
    ks: tuple[Count, ...] = (1, 2, 4, 8)
    """The k of each pass@k; none above `samples`."""
    batch: Count = 16
    """Completions generated together by the sampler in this process."""
    temperature: float = Field(default=0.6, gt=0)
    """Sampling temperature."""
    top_p: float = Field(default=0.95, gt=0, le=1)
    """Nucleus sampling: the smallest set of tokens with this probability."""
    top_k: int = Field(default=20, ge=0)
    """Sample among this number of tokens; 0: among all."""
    max_tokens: Count = 32768
    """Limit of a completion. A longer one is truncated and counts as wrong. The paper allows 102,400."""

    benchmarks: dict[str, Path] = {}
    """File of each benchmark (`trainer/benchmarks/`). Paths are relative to the recipe's folder."""

    @model_validator(mode="after")
    def _enough_samples(self) -> Self:
        if max(self.ks) > self.samples:
            raise ValueError(f"pass@{max(self.ks)} needs at least {max(self.ks)} samples; there are {self.samples}")
        return self


class Recipe(_Section):
    """One recipe for all phases."""

    base: str
    """The model to train: a folder, or a name on the hub."""
    revision: str | None = None
    """Revision of the model on the hub."""
    seed: int = 0
    """Decides every draw: held-out rows, order, sampling."""
    prompt: str = "$problem\n\nPlease reason step by step, and put your final answer within \\boxed{}."
    """Template of the prompt; `$problem` stands for the problem."""
    max_length: Count = 32768
    """Limit in tokens of prompt and completion. Longer rows are left out and counted, never truncated."""
    processes: Count | None = None
    """Processes of SFT and RL, one for each GPU, which share the weights (FSDP 2). None: one for each visible GPU."""
    attention: str | None = None
    """Attention kernel of training, as transformers names it: sdpa, flash_attention_2, kernels-community/…"""
    held_out: HeldOut = HeldOut()
    sample: Sample = Sample()
    sft: Sft = Sft()
    rl_set: RlSet = RlSet()
    rl: Rl | None = Rl()
    """None: no reinforcement learning."""
    evaluate: Evaluate = Evaluate()

    @field_validator("prompt")
    @classmethod
    def _asks_the_problem(cls, prompt: str) -> str:
        if string.Template(prompt).get_identifiers() != ["problem"]:
            raise ValueError("it must contain $problem and no other field")
        return prompt

    @property
    def try_tokens(self) -> int:
        """Limit in tokens of a try of `rl_set`."""
        return self.rl_set.max_tokens or self.evaluate.max_tokens

    @property
    def rollout_tokens(self) -> int:
        """Limit in tokens of a rollout."""
        return (self.rl and self.rl.max_tokens) or self.evaluate.max_tokens

    def render_prompt(self, problem: str) -> str:
        """Return the prompt for a problem."""
        return string.Template(self.prompt).substitute(problem=problem)


def load_recipe(path: Path) -> Recipe:
    """Read a recipe. Raises Refusal with the key of the first error."""
    try:
        return _resolve_paths(Recipe.model_validate(safe_yaml.load(path.read_text("utf-8"))), path.parent.resolve())
    except OSError as error:
        raise Refusal(
            f"cannot read the recipe {path}: {error.strerror}", "Start from trainer/configs/paper.yaml"
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "recipe"
        raise Refusal(f"{path}: {where}: {first['msg']}", "trainer/recipe.py documents every key") from error
    except (yaml.YAMLError, ValueError) as error:
        raise Refusal(f"cannot read {path} as YAML: {error}", "Correct it") from error


def _resolve_paths(recipe: Recipe, folder: Path) -> Recipe:
    benchmarks = {name: folder / file for name, file in recipe.evaluate.benchmarks.items()}
    evaluate = recipe.evaluate.model_copy(update={"benchmarks": benchmarks})
    return recipe.model_copy(update={"evaluate": evaluate})
