"""Tries every role: its trials, with real calls through the services' own handlers and client."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from schemas.config.models_config import ModelsConfig, RoleModel
from schemas.spend import sum_or_none
from services.cli.check.diagnosis import NO_SCHEMAS, call_error, timed_out, unusable
from services.cli.check.recording_endpoint import Call, RecordingEndpoint
from services.cli.check.trial_models import TrialModels, UnusableAnswer
from services.cli.check.trials import Bench, trials
from shared.answers.grade import standard
from shared.answers.symbolic import SymbolicWorker
from shared.errors import Invalid, Transient
from shared.llm.embeddings import Embedder
from shared.llm.limiter.limiter import ConcurrencyLimiter
from shared.llm.preflight import Fault, faults
from shared.ports import Grader

Structured = Literal["schema", "prompt", "fails"]


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The result of a role. Unknown is `None`."""

    role: str
    endpoint: str
    model: str
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What works, and could be better."""
    calls: int = 0
    first_token_s: float | None = None
    latency_s: float | None = None
    """Of the first call, as `first_token_s` and `tokens_per_s`."""
    tokens_per_s: float | None = None
    thinking: str | None = None
    structured: Structured | None = None
    """How structured answers came; `None` for a role without them."""
    finish_reason: str | None = None
    served: str | None = None
    """Name of the model in the answer, if it is another one."""
    weights: str | None = None
    """What the endpoint says is behind the model's name."""
    price_known: bool = False
    tokens: int | None = 0
    """Generated, including thinking."""
    cost: float | None = 0.0
    """US dollars."""

    @property
    def works(self) -> bool:
        return not self.faults


async def probe_models(
    config: ModelsConfig, timeout_s: float, report: Callable[[ProbeResult], None]
) -> list[ProbeResult]:
    """Try all roles concurrently; call `report` with each result. `timeout_s` is the longest wait for one answer."""
    unavailable = await faults(config)
    limiters: dict[str, ConcurrencyLimiter] = {}
    worker = SymbolicWorker()

    async def probe(role: str, model: RoleModel) -> ProbeResult:
        if role in unavailable:
            result = ProbeResult(
                role, model.endpoint, model.model, [unavailable[role]], price_known=model.price is not None
            )
        else:
            models = TrialModels(config, limiters, timeout_s)
            result = await _probe(role, model, models, standard(worker), timeout_s)
        report(result)
        return result

    try:
        return list(await asyncio.gather(*(probe(role, model) for role, model in config.assigned().items())))
    finally:
        await worker.aclose()


async def _probe(role: str, model: RoleModel, models: TrialModels, grader: Grader, timeout_s: float) -> ProbeResult:
    try:
        if embedder := models.embedder() if role == "embedder" else None:
            return await _probe_embedder(embedder, models.recording(model.endpoint), timeout_s)
        recording = models.recording(model.endpoint)
        fault = await _run_trials(Bench(role, models, grader), model, recording, timeout_s)
        return replace(_result(role, model, recording, fault), weights=models.weights(model))
    finally:
        await models.aclose()


async def _run_trials(bench: Bench, model: RoleModel, recording: RecordingEndpoint, timeout_s: float) -> Fault | None:
    """Run the trials of a role until one fails; return why."""
    try:
        for trial in trials(bench.role):
            if fault := await trial(bench):
                return fault
    except UnusableAnswer as error:
        return unusable(recording.calls[-1], model, error.response_model)
    except TimeoutError:
        return timed_out(recording, timeout_s)
    except (Invalid, Transient) as error:
        return call_error(str(error), recording.config)
    return None


async def _probe_embedder(embedder: Embedder, recording: RecordingEndpoint, timeout_s: float) -> ProbeResult:
    """Request the vectors of two texts."""
    model = embedder.role_model
    result = ProbeResult("embedder", model.endpoint, model.model, price_known=model.price is not None)
    try:
        async with recording.answer_deadline():
            call = (await embedder.similarities("one", ["another"])).call
    except TimeoutError:
        return replace(result, faults=[Fault(f"no vectors within {timeout_s:g} s", "look at the server's load")])
    except (Invalid, Transient) as error:
        return replace(result, faults=[call_error(str(error), recording.config)])
    return replace(result, calls=1, latency_s=_rounded(call.latency_s, 3), tokens=call.prompt_tokens, cost=call.cost)


def _result(role: str, model: RoleModel, recording: RecordingEndpoint, fault: Fault | None) -> ProbeResult:
    result = ProbeResult(
        role, model.endpoint, model.model, [fault] if fault else [], price_known=model.price is not None
    )
    if not recording.calls:
        return result
    calls, first = recording.calls, recording.calls[0]
    costs = [model.cost(call.answer.usage.prompt_tokens, call.tokens) for call in calls]
    structured = _structured(recording, fault)
    return replace(
        result,
        notes=_notes(model, recording, structured),
        calls=len(calls),
        first_token_s=_rounded(first.first_token_s, 3),
        latency_s=_rounded(first.latency_s, 3),
        tokens_per_s=_rounded(first.tokens_per_s, 1),
        thinking=next((call.thinking for call in calls if call.thinking), None),
        structured=structured,
        finish_reason=calls[-1].answer.finish_reason,
        served=_served(model, calls),
        tokens=sum_or_none(call.tokens for call in calls),
        cost=sum_or_none(costs),
    )


def _structured(recording: RecordingEndpoint, fault: Fault | None) -> Structured | None:
    call = recording.structured_call
    if call is None:
        return None
    if fault and call is recording.calls[-1]:
        return "fails"
    return "schema" if call.by_schema else "prompt"


def _notes(model: RoleModel, recording: RecordingEndpoint, structured: Structured | None) -> list[str]:
    served = _served(model, recording.calls)
    notes = [f"requested {model.model}, answered by {served}"] if served else []
    return [*notes, NO_SCHEMAS] if structured == "prompt" and recording.config.structured == "auto" else notes


def _served(model: RoleModel, calls: list[Call]) -> str | None:
    return next((call.answer.model for call in calls if call.answer.model not in (None, model.model)), None)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
