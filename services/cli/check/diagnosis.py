"""What is wrong with a model, and what to change."""

from pydantic import BaseModel

from schemas.config.models_config import Endpoint, RoleModel
from services.cli.check.recording_endpoint import Call, RecordingEndpoint
from shared.llm.preflight import Fault, advice
from shared.llm.replies.structured_output import parse

NO_SCHEMAS = "lacks response_format: set `structured: prompt` for the endpoint, so that no call tries it"
NO_ANSWER = Fault("no final answer in a \\boxed{}", "use a model that follows instructions")
NOT_GRADED = Fault("its answer cannot be compared with the key", "use a model that follows instructions")
NO_THINKING = Fault(
    "no thinking came with the answer",
    "vLLM: start it with --reasoning-parser; others: switch it on in `extra` (reasoning_effort, …)",
)


def call_error(error: str, endpoint: Endpoint) -> Fault:
    """Explain a call that failed."""
    if " answers 400" in error or " answers 422" in error:
        return Fault(error, "change the parameter that it names: max_tokens, extra, …")
    return Fault(error, advice(error, endpoint))


def timed_out(endpoint: RecordingEndpoint, timeout_s: float) -> Fault:
    """Explain a call without a complete answer in time."""
    if endpoint.calls and not endpoint.calls[-1].answer.finish_reason:
        size = endpoint.calls[-1].answer.size
        return Fault(
            f"not finished after {timeout_s:g} s, {size} characters so far", "raise --timeout, or lower max_tokens"
        )
    if endpoint.busy:
        return Fault(f"accepted no call for {timeout_s:g} s: {endpoint.busy}", advice(endpoint.busy, endpoint.config))
    return Fault(f"no answer for {timeout_s:g} s", "check that its model is loaded, or raise --timeout")


def unusable(call: Call, model: RoleModel, response_model: type[BaseModel] | None) -> Fault:
    """Explain an answer that a service cannot use."""
    text, _ = call.answer.parts()
    why = call.answer.fault(text)
    if why == "too_long":
        tokens = "" if call.tokens is None else f" after {call.tokens} tokens"
        ours = f"raise max_tokens ({model.max_tokens} now), or set `ceiling`"
        theirs = "the limit is the server's: set max_tokens, or give it a longer context (vLLM: --max-model-len)"
        return Fault(f"cut off{tokens}", ours if model.max_tokens else theirs)
    if why:
        return Fault(f"no answer: {why}", "use another model, or check the parameters in `extra`")
    if response_model is None:
        return NO_ANSWER
    step = "set `structured: prompt` for the endpoint" if call.by_schema else "use a model that can answer in JSON"
    return Fault(f"no {response_model.__name__.lower()} as JSON: {_parse_error(response_model, text)}", step)


def _parse_error(response_model: type[BaseModel], text: str) -> str:
    try:
        parse(response_model, text)
    except ValueError as error:
        return str(error)
    return "the last answer is valid"
