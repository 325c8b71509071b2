"""Every role tried out: one real call, or two, that ask for what the role needs, through the services' own client."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from schemas.config.models_config import ModelsConfig, RoleModel
from services.cli.check.diagnosis import NO_CALL_LEFT, NO_SCHEMAS, broken, late, unusable, wanting
from services.cli.check.probe_questions import CALLS, QUESTIONS, Question
from shared.errors import Invalid, Transient
from shared.llm import Models, Prompt
from shared.llm.client import ChatModel
from shared.llm.embeddings import Embedder
from shared.llm.preflight import Fault, faults
from shared.llm.recording_endpoint import Call, CallLimit, RecordingEndpoint
from shared.ports import Malformed

PROMPTS = Path(__file__).parent / "prompts"
SEED = 1
Structured = Literal["schema", "prompt", "fails"]


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What came of a role. What cannot be known is `None`."""

    role: str
    endpoint: str
    model: str
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What works, and could be better."""
    calls: int = 0
    first_token_s: float | None = None
    latency_s: float | None = None
    """Of the first call, as are the two beside it."""
    tokens_per_s: float | None = None
    thinking: str | None = None
    structured: Structured | None = None
    """`None`: this role is not asked for any."""
    finish_reason: str | None = None
    served: str | None = None
    """Name in the answer, where it is another one."""
    price_known: bool = False
    tokens: int | None = 0
    """Generated, thinking included."""
    cost: float | None = 0.0
    """US dollars."""

    @property
    def works(self) -> bool:
        return not self.faults


async def probe_models(cast: ModelsConfig, timeout_s: float, told: Callable[[ProbeResult], None]) -> list[ProbeResult]:
    """Try all roles at once; `told` hears of each when it is done. `timeout_s`: longest wait for one answer."""
    found = await faults(cast)

    async def one(role: str, part: RoleModel) -> ProbeResult:
        if role in found:
            tried = ProbeResult(role, part.endpoint, part.model, [found[role]], price_known=part.price is not None)
        else:
            tried = await _probe(cast, role, part, timeout_s)
        told(tried)
        return tried

    return list(await asyncio.gather(*(one(role, part) for role, part in cast.assigned().items())))


async def _probe(cast: ModelsConfig, role: str, part: RoleModel, timeout_s: float) -> ProbeResult:
    models = Models(cast, "check")  # its own, so that roles do not wait for each other
    if embedder := models.embedder() if role == "embedder" else None:
        return await _embedded(models, embedder, timeout_s)
    fault, formed = None, None
    try:
        line = models.model(role, Prompt.load(PROMPTS / "solve.md")).channel
        line.endpoint = watched = RecordingEndpoint(line.endpoint, CALLS)
        for ask in QUESTIONS[role]:
            before = len(watched.calls)
            model = models.model(role, Prompt.load(PROMPTS / f"{ask.prompt}.md"))
            fault = NO_CALL_LEFT if before == CALLS else await _answered(model, ask, watched, timeout_s)
            if ask.form and len(watched.calls) > before:
                formed = watched.calls[-1]
            if fault:
                break
    finally:
        await models.aclose()
    return _summed(role, part, watched, formed, fault)


async def _embedded(models: Models, embedder: Embedder, timeout_s: float) -> ProbeResult:
    """Ask for the vectors of two texts."""
    part = embedder.role_model
    tried = ProbeResult("embedder", part.endpoint, part.model, price_known=part.price is not None)
    try:
        async with asyncio.timeout(timeout_s):
            call = (await embedder.nearness("one", ["another"])).call
    except TimeoutError:
        return replace(tried, faults=[Fault(f"no vectors within {timeout_s:g} s", "look at the server's load")])
    except (Invalid, Transient) as error:
        return replace(tried, faults=[broken(str(error), embedder.channel.endpoint.place)])
    finally:
        await models.aclose()
    return replace(tried, calls=1, latency_s=_rounded(call.latency_s, 3), tokens=call.prompt_tokens, cost=call.cost)


async def _answered(model: ChatModel, ask: Question, watched: RecordingEndpoint, timeout_s: float) -> Fault | None:
    """Ask; what was wrong with it."""
    before = len(watched.calls)
    try:
        async with asyncio.timeout(timeout_s):
            if ask.form:
                await model.structured({}, ask.form, seed=SEED)
                return None
            reply = await model.complete({}, seed=SEED)
    except TimeoutError:
        return late(watched, before, timeout_s)
    except (CallLimit, Malformed):
        return unusable(watched.calls[-1], model.role_model, ask)
    except (Invalid, Transient) as error:
        return broken(str(error), watched.place)
    return wanting(reply, ask) if reply.finished else unusable(watched.calls[-1], model.role_model, ask)


def _summed(
    role: str, part: RoleModel, watched: RecordingEndpoint, formed: Call | None, fault: Fault | None
) -> ProbeResult:
    """`formed`: the last call for a structured answer."""
    tried = ProbeResult(role, part.endpoint, part.model, [fault] if fault else [], price_known=part.price is not None)
    if not watched.calls:
        return tried
    calls, first = watched.calls, watched.calls[0]
    counts = [call.tokens for call in calls]
    costs = [part.cost(call.answer.count("prompt_tokens"), call.tokens) for call in calls]
    structured: Structured | None = None
    if formed:
        structured = "fails" if fault else "schema" if formed.by_schema else "prompt"
    return replace(
        tried,
        notes=_notes(part, watched, structured),
        calls=len(calls),
        first_token_s=_rounded(first.first_token_s, 3),
        latency_s=_rounded(first.latency_s, 3),
        tokens_per_s=_rounded(first.tokens_per_s, 1),
        thinking=next((call.thinking for call in calls if call.thinking), None),
        structured=structured,
        finish_reason=calls[-1].answer.finish_reason,
        served=_served(part, calls),
        tokens=None if None in counts else sum(count for count in counts if count is not None),
        cost=None if None in costs else sum(cost for cost in costs if cost is not None),
    )


def _notes(part: RoleModel, watched: RecordingEndpoint, structured: Structured | None) -> list[str]:
    served = _served(part, watched.calls)
    notes = [f"asked for {part.model}, answered by {served}"] if served else []
    return [*notes, NO_SCHEMAS] if structured == "prompt" and watched.place.structured == "auto" else notes


def _served(part: RoleModel, calls: list[Call]) -> str | None:
    return next((call.answer.model for call in calls if call.answer.model not in (None, part.model)), None)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
