"""Opens a model for every phase that samples: at an endpoint, at a server of the phase's own, or in this process."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from transformers import PreTrainedTokenizerBase

from schemas.config.models_config import RoleModel
from shared.errors import Refusal
from trainer.data import render_prompt
from trainer.example import Example
from trainer.models import weights
from trainer.models.sampling import InProcessSampler, Sampler, SampleStream
from trainer.models.served import ServedSampler, hash_endpoint, load_served_models
from trainer.models.vllm_server import VllmServer
from trainer.recipe import Evaluate, Recipe
from trainer.run.run_folder import Run

Problems = Sequence[tuple[Sequence[Example], Evaluate]]
"""Problems, and how they are sampled."""


@dataclass(frozen=True, slots=True)
class OpenModel:
    """A model that can be sampled."""

    sampler: Callable[[Evaluate], Sampler]
    name: str
    """Of files of its completions: other weights or another engine have another name."""


@dataclass(frozen=True, slots=True)
class VllmSampler:
    """A sampler over a server of the phase's own, which is started when there is something to sample."""

    server: VllmServer
    recipe: Recipe
    evaluation: Evaluate

    async def sample(self, examples: Sequence[Example], samples: int) -> SampleStream:
        if not examples:
            return
        endpoint, role_model = await self.server.endpoint(), RoleModel(endpoint="vllm", model=self.server.name)
        served = ServedSampler(endpoint, role_model, self.recipe, self.evaluation, self.server.check)
        async for found in served.sample(examples, samples):
            yield found


@contextmanager
def open_model(run: Run, stage: str, model: str, problems: Problems) -> Iterator[OpenModel]:
    """Open a model for these problems. Raises Refusal for a stage without an endpoint where the recipe wants one."""
    recipe = run.recipe
    file = load_served_models(run.served) if run.served else None
    if file and (role_model := file.models.get(stage)):
        endpoint = file.endpoints[role_model.endpoint]
        served = partial(ServedSampler, endpoint, role_model, recipe)
        yield OpenModel(served, f"{stage}-{hash_endpoint(role_model, endpoint)}")
    elif recipe.sample.engine == "served":
        raise Refusal(f"no endpoint serves the stage {stage}", "Name it in the file of --served")
    elif recipe.sample.engine == "vllm":
        with _vllm(run, stage, model, problems) as server:
            yield OpenModel(partial(VllmSampler, server, recipe), f"{stage}-vllm")
    else:
        loaded, tokenizer = weights.load_for_sampling(model), weights.load_tokenizer(model)
        yield OpenModel(partial(InProcessSampler, loaded, tokenizer, recipe), stage)


@contextmanager
def _vllm(run: Run, stage: str, model: str, problems: Problems) -> Iterator[VllmServer]:
    revision = run.recipe.revision if model == run.recipe.base else None
    tokenizer = weights.load_tokenizer(model, revision)
    longest = max(
        longest_prompt(run.recipe, examples, tokenizer) + evaluation.max_tokens for examples, evaluation in problems
    )
    server = VllmServer(run.recipe.sample, model, revision, run.path("vllm", f"{stage}.log"), longest)
    try:
        yield server
    finally:
        server.stop()


def longest_prompt(recipe: Recipe, examples: Iterable[Example], tokenizer: PreTrainedTokenizerBase) -> int:
    """Return the tokens of the longest prompt; 0 without examples."""
    prompts = (render_prompt(recipe, example, tokenizer) for example in examples)
    lengths = (
        len(tokenizer.apply_chat_template(one, add_generation_prompt=True, return_dict=False)) for one in prompts
    )
    return max(lengths, default=0)
