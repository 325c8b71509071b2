"""The recipe: everything that decides what is trained and measured, as one YAML file. `configs/paper.yaml` is one."""

import string
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from shared.errors import Refusal

Share = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HeldOut(_Part):
    """Rows that no training sees. Such scores are relative: these rows passed the same checks as all others."""

    topics: Share = 0.05
    """Share of whole topics."""
    clusters: Share = 0.05
    """Share of clusters of problems that differ in numbers only: one of them in training would give away the rest."""
    validation: Share = 0.02
    """Share of such clusters that choose the checkpoint and score nothing."""
    at_least: Count = 1
    """Fewest rows to train on; with fewer nothing is trained."""


class Sft(_Part):
    """Supervised fine-tuning on the traces of the sft view."""

    learning_rate: float = Field(default=1e-5, gt=0)
    scheduler: str = "cosine"
    warmup: Share = 0.03
    batch: Count = 256
    """Rows a step, over all devices."""
    per_device: Count = 1
    """Rows a device holds at once; what is missing to `batch` is accumulated."""
    epochs: float = Field(default=3, gt=0)
    """At most: the checkpoint with the lowest loss on validation rows is kept."""
    checkpoint_steps: Count = 20
    """Steps between two checkpoints, and between two looks at the validation loss."""
    packing: bool = False
    """Put several rows into one sequence; needs an attention that keeps them apart (FlashAttention)."""
    lora_rank: int = Field(default=0, ge=0)
    """Rank of low-rank adapters on every linear layer; 0 trains all weights."""


class RlSet(_Part):
    """Which problems reinforcement learning gets."""

    samples: Count = 8
    problems: Count = 100_000
    """At most so many are tried."""
    solved_at_least: Count = 2
    """How often the SFT model must land on a key that the teacher missed: below, the key may be wrong."""
    plain: bool = False
    """As in the paper: always and never solved problems stay in, though they teach nothing."""


class Rl(_Part):
    """CISPO (arXiv 2506.13585) with TRL's GRPOTrainer."""

    learning_rate: float = Field(default=1e-6, gt=0)
    scheduler: str = "constant"
    completions: Count = 256
    """Completions a step (TRL's unit), over all devices; 256 with 8 rollouts are 32 prompts."""
    per_device: Count = 1
    """Completions a device holds at once."""
    rollouts: Annotated[int, Field(ge=2)] = 8
    """Completions for a prompt."""
    reuse: Annotated[int, Field(ge=2)] = 4
    """Steps from one generation. With 1 the policy never leaves the sampler and CISPO is nothing but DAPO."""
    epsilon_high: float = Field(default=5.0, gt=0)
    """Absolute cap of the importance weight. TRL falls back to 0.2 in silence when it is unset."""
    epochs: float = Field(default=1, gt=0)
    checkpoint_generations: Count = 3
    """Generations (`reuse` steps each) between two checkpoints."""
    vllm: Literal["no", "colocate", "server"] = "no"
    """Who writes the rollouts: plain generation, vLLM on the same GPUs, or a server."""
    vllm_memory: float = Field(default=0.3, gt=0, lt=1)
    """Share of each GPU's memory for vLLM's weights and cache, when it is on the same GPUs."""
    vllm_server: str = "http://localhost:8000"
    """Address of the server: `vllm serve MODEL`, of the machine that trains."""
    control: bool = False
    """Also train on by SFT for as long as RL took, and measure that beside it."""

    @model_validator(mode="after")
    def _whole_groups(self) -> Self:
        if self.completions * self.reuse % self.rollouts:
            raise ValueError("completions × reuse must hold whole groups of rollouts")
        return self


class Evaluate(_Part):
    """How models are measured (the paper's sampling)."""

    samples: Count = 8
    """A problem."""
    problems: Count = 1000
    """At most so many held-out problems."""
    ks: tuple[Count, ...] = (1, 2, 4, 8)
    batch: Count = 16
    """Completions generated at once in process."""
    temperature: float = Field(default=0.6, gt=0)
    top_p: float = Field(default=0.95, gt=0, le=1)
    top_k: int = Field(default=20, ge=0)
    max_tokens: Count = 32768
    """Of a completion; what is longer is cut off and counts as wrong. The paper allows 102,400."""

    benchmarks: dict[str, Path] = {}
    """Files by benchmark (`trainer/benchmarks/`). The recipe's folder is where their paths start."""

    @model_validator(mode="after")
    def _enough_samples(self) -> Self:
        if max(self.ks) > self.samples:
            raise ValueError(f"pass@{max(self.ks)} needs at least so many samples; there are {self.samples}")
        return self


class Recipe(_Part):
    """One recipe for all phases."""

    base: str
    """The untrained model: a folder, or a name on the hub."""
    revision: str | None = None
    """Of the model on the hub."""
    seed: int = 0
    prompt: str = "$problem\n\nPlease reason step by step, and put your final answer within \\boxed{}."
    """What the model is asked; `$problem` is the problem."""
    max_length: Count = 32768
    """Tokens of prompt and completion. Longer rows are left out whole and counted, never cut."""
    held_out: HeldOut = HeldOut()
    sft: Sft = Sft()
    rl_set: RlSet = RlSet()
    rl: Rl | None = Rl()
    """None: no reinforcement learning."""
    evaluate: Evaluate = Evaluate()

    @field_validator("prompt")
    @classmethod
    def _asks_the_problem(cls, prompt: str) -> str:
        if string.Template(prompt).get_identifiers() != ["problem"]:
            raise ValueError("name $problem in it, and no other field")
        return prompt

    def ask(self, problem: str) -> str:
        """What the model is asked about a problem."""
        return string.Template(self.prompt).substitute(problem=problem)


def load(path: Path) -> Recipe:
    """Read a recipe. Raises Refusal with the place of the first mistake."""
    try:
        return _placed(Recipe.model_validate(yaml.safe_load(path.read_text())), path.parent.resolve())
    except OSError as error:
        raise Refusal(f"no recipe in {path}: {error.strerror}", "Start from trainer/configs/paper.yaml") from error
    except yaml.YAMLError as error:
        raise Refusal(f"{path} is no YAML: {error}", "Correct it") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "recipe"
        raise Refusal(f"{path}: {where}: {first['msg']}", "trainer/recipe.py has every key") from error


def _placed(recipe: Recipe, folder: Path) -> Recipe:
    benchmarks = {name: folder / file for name, file in recipe.evaluate.benchmarks.items()}
    evaluate = recipe.evaluate.model_copy(update={"benchmarks": benchmarks})
    return recipe.model_copy(update={"evaluate": evaluate})
