"""What is wrong with a model that was tried out, and what to change."""

from pydantic import BaseModel

from schemas.config.models_config import Endpoint, RoleModel
from services.cli.check.probe_questions import Question
from shared.answers.extract import last_box
from shared.llm.preflight import Fault, advice
from shared.llm.recording_endpoint import Call, RecordingEndpoint
from shared.llm.structured_output import parse
from shared.ports import Reply

NO_CALL_LEFT = Fault("cut off and asked for again: no call is left for its judgement", "raise max_tokens")
NO_SCHEMAS = "takes no response_format: write `structured: prompt` for the endpoint, so that it is not tried every time"
_THINK = "vLLM: start it with --reasoning-parser; others: switch it on in `extra` (reasoning_effort, …)"


def wanting(reply: Reply, ask: Question) -> Fault | None:
    """What a whole answer lacks."""
    if ask.thinks and not reply.reasoning:
        return Fault("no thinking came with the answer", _THINK)
    if ask.boxed and not last_box(reply.text):
        return Fault("no final answer in a \\boxed{}", "take a model that follows instructions")
    return None


def broken(said: str, place: Endpoint) -> Fault:
    """The call broke, or was refused for good."""
    if " answers 400" in said or " answers 422" in said:
        return Fault(said, "change what it names: max_tokens, extra, …")
    return Fault(said, advice(said, place))


def late(watched: RecordingEndpoint, before: int, timeout_s: float) -> Fault:
    """Nothing whole came in time. `before`: how many calls had been answered when it was asked."""
    if len(watched.calls) > before:
        size = watched.calls[-1].answer.size
        return Fault(
            f"not finished after {timeout_s:g} s, {size} characters so far", "raise --timeout, or lower max_tokens"
        )
    if watched.busy:
        return Fault(f"took no call for {timeout_s:g} s: {watched.busy}", advice(watched.busy, watched.place))
    return Fault(f"said nothing for {timeout_s:g} s", "is its model loaded? Or raise --timeout")


def unusable(call: Call, part: RoleModel, ask: Question) -> Fault:
    """An answer came that a service cannot use."""
    text, _ = call.answer.parts()
    why = call.answer.fault(text)
    if why == "too_long":
        told = "" if call.tokens is None else f" after {call.tokens} tokens"
        by_us = f"raise max_tokens ({part.max_tokens} now), or set `ceiling`"
        by_it = "the limit is the server's: set max_tokens, or give it a longer context (vLLM: --max-model-len)"
        return Fault(f"cut off{told}", by_us if part.max_tokens else by_it)
    if why or ask.form is None:
        return Fault(f"no answer: {why}", "take another model, or look at what `extra` asks of it")
    step = "write `structured: prompt` for the endpoint" if call.by_schema else "take a model that can answer in JSON"
    return Fault(f"no {ask.form.__name__.lower()} as JSON: {_misfit(ask.form, text)}", step)


def _misfit(form: type[BaseModel], text: str) -> str:
    try:
        return f"{parse(form, text)} came too late"
    except ValueError as error:
        return str(error)
