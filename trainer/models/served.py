"""Sampler over HTTP, for any OpenAI-compatible endpoint: `--served FILE` maps stages to endpoints.

    endpoints: {vllm: {base_url: "http://127.0.0.1:8000/v1", at_once: 128}}
    models:
      base: {endpoint: vllm, model: base}
      rl: {endpoint: vllm, model: trained, price: {input: 0.1, output: 0.4}}

Endpoints and models are written as in a models file; the recipe sets the sampling parameters. A broken call is retried,
a refused one waits, and an endpoint that accepts no call for ten minutes ends the phase.
"""

import asyncio
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from schemas.config.models_config import ROLES, Endpoint, ModelsConfig, RoleModel, Roles
from schemas.identity import content_hash
from shared.backoff import backoff
from shared.config.file_loader import FileKind, Finding
from shared.errors import Invalid, Refusal, Transient
from shared.llm import Models, Prompt
from shared.llm.client import ChatModel
from shared.llm.models_config import resolve_paths
from shared.llm.preflight import faults
from shared.llm.sanitize import break_tokens
from shared.ports import Reply
from trainer.example import Example
from trainer.models.sampling import Sample, SampleStream, derive_seed
from trainer.recipe import Evaluate, Recipe
from trainer.stages import ARMS, STAGES

MAX_ATTEMPTS = 5
"""Calls for one sample, when they break."""
OUTAGE_LIMIT_S = 600.0
"""Seconds that an endpoint may accept no call before the phase fails."""
CHECK_S = 5.0
"""Seconds between two checks whether the endpoint has ended."""
SampleTask = asyncio.Task[list[Sample]]
RETRY_HINT = "Check the endpoint, then run this again: answered calls are kept"


class ServedModels(BaseModel):
    """The content of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    endpoints: dict[str, Endpoint] = Field(min_length=1)
    models: dict[str, RoleModel]
    """Model of each stage."""


def load_served_models(path: Path) -> ServedModels:
    """Read the file; paths in it are relative to its folder. Raises Refusal with one line per error."""
    served = _FILE.read(path)
    endpoints = {name: resolve_paths(one, path.parent.resolve()) for name, one in served.endpoints.items()}
    return served.model_copy(update={"endpoints": endpoints})


def _findings(served: ServedModels) -> Iterator[Finding]:
    for stage, role_model in served.models.items():
        if stage not in STAGES + ARMS:
            yield ("models", stage), f"unknown stage; there are {', '.join(STAGES + ARMS)}"
        if role_model.endpoint not in served.endpoints:
            yield (
                ("models", stage, "endpoint"),
                f"no endpoint {role_model.endpoint!r}; there are {', '.join(served.endpoints)}",
            )
        for name in {"temperature", "top_p", "max_tokens", "ceiling"} & role_model.model_fields_set:
            yield ("models", stage, name), "`evaluate` in the recipe sets this, for all models alike"


_FILE = FileKind(
    ServedModels, "file of served models", "a mapping with endpoints and models", "--served", lambda _: (), _findings
)


@dataclass(frozen=True, slots=True)
class RecipePrompt(Prompt):
    """The same prompt as in process."""

    recipe: Recipe

    def messages(self, fields: Mapping[str, str], seed: int) -> list[dict[str, str]]:
        return [{"role": "user", "content": self.recipe.render_prompt(break_tokens(fields["problem"]))}]


@dataclass(frozen=True, slots=True)
class ServedSampler:
    """A `trainer.models.sampling.Sampler` over an endpoint. Yields problems in the order of their completion."""

    endpoint: Endpoint
    role_model: RoleModel
    recipe: Recipe
    evaluation: Evaluate
    check: Callable[[], None] = lambda: None
    """Raises when the endpoint is known to have ended."""

    async def sample(self, examples: Sequence[Example], samples: int) -> SampleStream:
        if not examples:
            return
        models_config = self._models_config()
        if fault := next(iter((await faults(models_config)).values()), None):
            raise Refusal(fault.what, f"{fault.next_step.capitalize()}; then run this again")
        models = Models(models_config, "trainer")
        model = models.model("base", RecipePrompt("evaluate", self.recipe.prompt, self.recipe))
        max_problems = math.ceil(self.endpoint.max_concurrency / samples) + 1
        waiting, running = iter(examples), dict[SampleTask, Example]()
        try:
            while True:
                for example in islice(waiting, max_problems - len(running)):
                    running[asyncio.create_task(self._request_samples(model, example, samples))] = example
                if not running:
                    return
                for task in await _wait_for_any(running, model, self.check):
                    yield running.pop(task), task.result()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await models.aclose()

    async def _request_samples(self, model: ChatModel, example: Example, samples: int) -> list[Sample]:
        first = derive_seed(self.recipe.seed, example.id)
        calls = (_request_sample(model, example.problem, first + number) for number in range(samples))
        return list(await asyncio.gather(*calls))

    def _models_config(self) -> ModelsConfig:
        """Build a models config with this model in every role."""
        sampling = {
            "temperature": self.evaluation.temperature,
            "top_p": self.evaluation.top_p,
            "max_tokens": self.evaluation.max_tokens,
        }
        extra = {
            "top_k": self.evaluation.top_k,
            **self.role_model.extra,
        }  # an explicit 0 means no limit; without the key the server's default holds
        role_model = self.role_model.model_copy(update={**sampling, "extra": extra})
        endpoints = {role_model.endpoint: self.endpoint}
        return ModelsConfig(endpoints=endpoints, roles=Roles(**dict.fromkeys(ROLES, role_model)), allow_shared=True)


async def _wait_for_any(
    running: Mapping[SampleTask, Example], model: ChatModel, check: Callable[[], None]
) -> set[SampleTask]:
    """Return the finished tasks, at least one. Raises Refusal when the endpoint accepts no call for too long."""
    clock = asyncio.get_running_loop().time
    began = clock()
    while True:
        done, _ = await asyncio.wait(running, timeout=min(CHECK_S, OUTAGE_LIMIT_S), return_when=asyncio.FIRST_COMPLETED)
        if done:
            return done
        check()
        if clock() - began >= OUTAGE_LIMIT_S and model.channel.limiter.is_open:
            raise Refusal(f"the endpoint of {model.name} has accepted no call for {OUTAGE_LIMIT_S:.0f} s", RETRY_HINT)


async def _request_sample(model: ChatModel, problem: str, seed: int) -> Sample:
    for attempt in range(MAX_ATTEMPTS):
        try:
            return _to_sample(await model.complete({"problem": problem}, seed=seed))
        except Invalid as error:
            raise Refusal(
                str(error), "Correct `evaluate` in the recipe, or the configuration of the model server"
            ) from error
        except Transient as error:
            broken = error
            await asyncio.sleep(backoff(1.0, attempt))
    raise Refusal(f"{MAX_ATTEMPTS} calls failed: {broken}", RETRY_HINT)


def _to_sample(reply: Reply) -> Sample:
    """Convert a reply. A truncated one has no closing `</think>`, as in process."""
    truncated = reply.fault in ("too_long", "runaway")
    text = reply.reasoning if truncated else f"{reply.reasoning}</think>{reply.text}"
    return Sample(text, reply.provenance.completion_tokens, truncated, reply.provenance.cost)


def hash_endpoint(role_model: RoleModel, endpoint: Endpoint) -> str:
    """Hash model and address, so that completions of another model are never reused."""
    return content_hash(f"{role_model.model}@{endpoint.base_url}")[:8]
