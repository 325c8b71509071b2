"""Faults in the text of an answer: well-formed completions without use, and JSON inside other text."""

from collections.abc import Callable
from dataclasses import replace

from services.simulator.api.completion import CHARS, Completion
from services.simulator.api.request import ChatRequest
from services.simulator.faults import Fault, Faults
from services.simulator.roles.reply import Reply

APOLOGY = "I'm sorry, but I can't help with that."
IMPOSTOR = "another-model"

_CORRUPTIONS: dict[Fault, Callable[[Completion], Completion]] = {
    "refusal": lambda whole: replace(whole, reasoning="", content="", refusal=APOLOGY, finish_reason="stop"),
    "refusal_text": lambda whole: replace(whole, reasoning="", content=APOLOGY, finish_reason="stop"),
    "content_filter": lambda whole: replace(_half(whole), finish_reason="content_filter"),
    "empty": lambda whole: replace(whole, reasoning="", content="", finish_reason="stop"),
    "truncated": lambda whole: replace(_half(whole), finish_reason="length"),
    "other_model": lambda whole: replace(whole, model=IMPOSTOR),
}


def corrupt(completion: Completion, fault: Fault | None, faults: Faults) -> Completion:
    """Apply a fault to a completion; most faults affect the transport, not the text."""
    if fault == "runaway":
        size = round(faults.runaway_mb * 1e6)
        text = completion.content or APOLOGY
        return replace(completion, content=(f"{text} " * (size // len(text) + 1))[:size])
    return _CORRUPTIONS[fault](completion) if fault in _CORRUPTIONS else completion


def _half(whole: Completion) -> Completion:
    """Return half of the tokens, the thinking first."""
    room = (len(whole.reasoning) + len(whole.content)) // 2 // CHARS * CHARS
    kept = whole.reasoning[:room]
    return replace(whole, reasoning=kept, content=whole.content[: room - len(kept)])


def wrap_json(reply: Reply, request: ChatRequest, faults: Faults) -> Reply:
    """Put JSON into a code fence or into prose, as models without a grammar write it."""
    if reply.task == "solve":
        return reply
    fenced = f"```json\n{reply.content}\n```"
    if faults.structured == "ignore":
        return replace(reply, content=f"Sure, here is what you asked for:\n\n{fenced}\n\nLet me know if it needs work.")
    return replace(reply, content=fenced) if request.response_format.type == "text" else reply
