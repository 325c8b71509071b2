"""Models asked over HTTP, behind any OpenAI-compatible endpoint: `--served FILE` says which stage is served where.

    endpoints: {vllm: {base_url: "http://127.0.0.1:8000/v1", at_once: 128}}
    models:
      base: {endpoint: vllm, model: base}
      rl: {endpoint: vllm, model: trained, price: {input: 0.1, output: 0.4}}

Endpoints and models are written as in a models file. How they are sampled is the recipe's to say. A call that breaks is
made again, a refused one waits its turn, and an endpoint that takes nothing for ten minutes ends the phase.
"""

import asyncio
import math
from collections.abc import Iterator, Mapping, Sequence
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
from shared.llm.models_config import resolved
from shared.llm.preflight import faults
from shared.ports import Reply
from trainer.data import Example
from trainer.models.sampling import Answers, Sample, dice
from trainer.recipe import Evaluate, Recipe

TRIES = 5
"""Calls for one sample, while they break."""
PATIENCE_S = 600.0
"""How long an endpoint may take no call at all."""
STAGES = ("base", "sft", "control", "rl")
Asked = asyncio.Task[list[Sample]]
GO_ON = "See to the endpoint, then run this again: what was answered is kept"


class ServedModels(BaseModel):
    """The file."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    endpoints: dict[str, Endpoint] = Field(min_length=1)
    models: dict[str, RoleModel]
    """By stage."""


def load(path: Path) -> ServedModels:
    """Read the file; paths in it start from its folder. Raises Refusal with one line per mistake."""
    found = _FILE.read(path)
    places = {name: resolved(place, path.parent.resolve()) for name, place in found.endpoints.items()}
    return found.model_copy(update={"endpoints": places})


def _findings(found: ServedModels) -> Iterator[Finding]:
    for stage, part in found.models.items():
        if stage not in STAGES:
            yield ("models", stage), f"no such stage; there are {', '.join(STAGES)}"
        if part.endpoint not in found.endpoints:
            yield (
                ("models", stage, "endpoint"),
                f"no endpoint {part.endpoint!r}; there are {', '.join(found.endpoints)}",
            )
        for name in {"temperature", "top_p", "max_tokens", "ceiling"} & part.model_fields_set:
            yield ("models", stage, name), "`evaluate` in the recipe says this, for all models alike"


_FILE = FileKind(
    ServedModels, "file of served models", "a mapping with endpoints and models", "--served", lambda _: (), _findings
)


@dataclass(frozen=True, slots=True)
class Verbatim(Prompt):
    """The very words that the model gets in process."""

    recipe: Recipe

    def messages(self, fields: Mapping[str, str], seed: int) -> list[dict[str, str]]:
        return [{"role": "user", "content": self.recipe.ask(fields["problem"])}]


@dataclass(frozen=True, slots=True)
class Served:
    """A `trainer.models.sampling.Sampler` over an endpoint. Problems come in the order in which they are answered."""

    place: Endpoint
    part: RoleModel
    recipe: Recipe
    how: Evaluate

    async def answers(self, examples: Sequence[Example], samples: int) -> Answers:
        cast = self._cast()
        if fault := next(iter((await faults(cast)).values()), None):
            raise Refusal(fault.what, f"{fault.next_step.capitalize()}; then run this again")
        models = Models(cast, "trainer")
        model = models.model("base", Verbatim("evaluate", self.recipe.prompt, self.recipe))
        at_once = math.ceil(self.place.at_once / samples) + 1
        waiting, running = iter(examples), dict[Asked, Example]()
        try:
            while True:
                for example in islice(waiting, at_once - len(running)):
                    running[asyncio.create_task(self._asked(model, example, samples))] = example
                if not running:
                    return
                for task in await _some(running, model):
                    yield running.pop(task), task.result()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await models.aclose()

    async def _asked(self, model: ChatModel, example: Example, samples: int) -> list[Sample]:
        first = dice(self.recipe.seed, example.id)
        calls = (_sample(model, example.problem, first + number) for number in range(samples))
        return list(await asyncio.gather(*calls))

    def _cast(self) -> ModelsConfig:
        """The models file of a factory in which this model plays every role."""
        sampling = {"temperature": self.how.temperature, "top_p": self.how.top_p, "max_tokens": self.how.max_tokens}
        extra = {"top_k": self.how.top_k or None, **self.part.extra}
        part = self.part.model_copy(update={**sampling, "extra": extra})
        endpoints = {part.endpoint: self.place}
        return ModelsConfig(endpoints=endpoints, roles=Roles(**dict.fromkeys(ROLES, part)), allow_shared=True)


async def _some(running: Mapping[Asked, Example], model: ChatModel) -> set[Asked]:
    """Those that are done, one at least. Raises Refusal when the endpoint has taken nothing for too long."""
    while True:
        done, _ = await asyncio.wait(running, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
        if done:
            return done
        if model.channel.limiter.breaker.open:
            raise Refusal(f"the endpoint of {model.name} has taken no call for {PATIENCE_S:.0f} s", GO_ON)


async def _sample(model: ChatModel, problem: str, seed: int) -> Sample:
    for tried in range(TRIES):
        try:
            return _said(await model.complete({"problem": problem}, seed=seed))
        except Invalid as error:
            raise Refusal(str(error), "Correct the recipe's `evaluate`, or how the model is served") from error
        except Transient as error:
            broken = error
            await asyncio.sleep(backoff(1.0, tried))
    raise Refusal(f"{TRIES} calls broke: {broken}", GO_ON)


def _said(reply: Reply) -> Sample:
    """An answer that was cut off has no closed thought, as in process."""
    cut = reply.fault in ("too_long", "runaway")
    text = reply.reasoning if cut else f"{reply.reasoning}</think>{reply.text}"
    return Sample(text, reply.provenance.completion_tokens, cut, reply.provenance.cost)


def hash_of(part: RoleModel, place: Endpoint) -> str:
    """Which model at which address, so that answers of another are never taken for its own."""
    return content_hash(f"{part.model}@{place.base_url}")[:8]
