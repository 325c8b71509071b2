"""What an endpoint sends, parsed where it arrives. Only this module and wire_error.py read raw JSON of an endpoint.

Text in an unknown form raises ValueError: an answer is read completely or not at all. Any other field with a value of
the wrong type is unknown, `None`.
"""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from shared.llm.replies.wire_error import MAX_MESSAGE
from shared.llm.sanitize import one_line

REASONING_FIELDS = ("reasoning", "reasoning_content", "thinking")
"""Fields of a message with its thinking: vLLM and OpenRouter, DeepSeek and others, Ollama."""
MAX_DEPTH = 8
"""Nesting of the parts of a text."""
MAX_COUNT = 2**53
MAX_NAME = 300
"""Characters of a name: of a model, a revision, a finish reason."""
MAX_COMPONENT = 1e100
"""Of a vector, so that products of components are finite."""

_HUB_CACHE = re.compile(r"models--([\w.-]+?)--([\w.-]+)/snapshots/([0-9a-f]{40})/?$")
"""A folder of the cache of the Hugging Face hub."""
_one_line = lru_cache(one_line)
"""Every chunk of an answer has the same names."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts; `None`: not reported."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None


class Chunk(NamedTuple):
    """One chunk of an answer, or a complete answer. Only the first choice is read."""

    text: str = ""
    reasoning: str = ""
    reasoning_field: str | None = None
    """The field that has the reasoning."""
    is_refusal: bool = False
    finish_reason: str | None = None
    model: str | None = None
    revision: str | None = None
    usage: Usage | None = None
    unread: str = ""
    """JSON of an unknown form, for the message if the answer turns out to be broken."""


def decode(data: bytes) -> Any:
    """Parse JSON. Raises ValueError, also for JSON that is nested too deep."""
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("JSON that is nested too deep") from None


def parse_chunk(value: Any) -> Chunk:
    """Parse a chunk, or a complete answer. Raises ValueError when it is neither."""
    if not isinstance(value, dict):
        raise ValueError("not a chat completion")
    usage, unread = parse_usage(value), "" if value.keys() & {"choices", "usage", "object"} else json.dumps(value)
    model, revision = _name(value.get("model")), _name(value.get("system_fingerprint"))
    choice = _first_choice(value.get("choices"))
    if choice is None:
        return Chunk(model=model, revision=revision, usage=usage, unread=unread[:MAX_MESSAGE])
    message = choice.get("message") if choice.get("delta") is None else choice["delta"]
    message = message or {}
    if not isinstance(message, dict):
        raise ValueError("not a chat completion: a message of an unknown form")
    content = message.get("content")
    is_refusal = isinstance(content, list) and any(isinstance(part, dict) and part.get("refusal") for part in content)
    text, inline = ("", "") if is_refusal else _text(content, MAX_DEPTH)
    field = next((name for name in REASONING_FIELDS if message.get(name)), None)
    reasoning = "".join(_text(message.get(field), MAX_DEPTH)) if field else ""
    finish_reason = choice.get("finish_reason")
    if not isinstance(finish_reason, str | None):
        raise ValueError("not a chat completion: a finish reason that is not text")
    return Chunk(
        text=text,
        reasoning=inline + reasoning,
        reasoning_field=field or ("content" if inline else None),
        is_refusal=is_refusal or bool(message.get("refusal")),
        finish_reason=_name(finish_reason),
        model=model,
        revision=revision,
        usage=usage or parse_usage(choice),
    )


def parse_models(value: Any) -> dict[str, str | None]:
    """The models in a list, with their weights: `{"data": [{"id": …, "root": …}]}`, or a bare array.

    The weights are vLLM's `root`: a hub id or a path, for a folder of the hub's cache with the revision. `None` when it
    is not reported, or is the name itself. Raises ValueError for other forms.
    """
    models = value.get("data", value.get("models")) if isinstance(value, dict) else value
    if models is None and isinstance(value, dict) and ("data" in value or "models" in value):
        models = []
    if not isinstance(models, list):
        raise ValueError("not a list of models")
    entries = [model if isinstance(model, dict) else {"id": model} for model in models]
    weights = {_name(entry.get("id") or entry.get("name")): _weights(_name(entry.get("root"))) for entry in entries}
    return {name: root if root != name else None for name, root in weights.items() if name}


def _weights(root: str | None) -> str | None:
    cached = _HUB_CACHE.search(root or "")
    return f"{cached[1]}/{cached[2]}@{cached[3]}" if cached else root


def parse_embeddings(value: Any, number: int) -> list[list[float]]:
    """One vector for each of `number` texts, in their order. Raises ValueError for other forms."""
    entries = value.get("data") if isinstance(value, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("not a list of embeddings")
    by_index = {_count(entry.get("index")): entry.get("embedding") for entry in entries}
    if len(entries) != number or by_index.keys() != set(range(number)):
        raise ValueError(f"{len(entries)} embeddings for {number} texts, or not numbered in order")
    vectors = [by_index[index] for index in range(number)]
    if not all(isinstance(vector, list) and vector and all(map(_is_component, vector)) for vector in vectors):
        raise ValueError("an embedding that is not a list of numbers")
    if len({len(vector) for vector in vectors}) != 1:
        raise ValueError("embeddings of several lengths")
    return vectors


def _is_component(value: Any) -> bool:
    return type(value) in (int, float) and -MAX_COMPONENT < value < MAX_COMPONENT


def _first_choice(choices: Any) -> dict[str, Any] | None:
    if not choices:
        return None
    if not isinstance(choices, list) or not all(isinstance(choice, dict) for choice in choices):
        raise ValueError("not a chat completion: choices of an unknown form")
    return next((choice for choice in choices if choice.get("index") in (0, None)), None)


def _text(value: Any, depth: int) -> tuple[str, str]:
    """Read content: a string, a part, or a list of parts. Returns text and thinking."""
    if not depth:
        raise ValueError("not a chat completion: text that is nested too deep")
    match value:
        case None:
            return "", ""
        case str():
            return value, ""
        case list():
            parts = [_text(part, depth - 1) for part in value]
            return "".join(text for text, _ in parts), "".join(thinking for _, thinking in parts)
        case {"type": "thinking" | "reasoning", **rest}:
            inner = rest.get("thinking") or rest.get("reasoning") or rest.get("text")
            return "", "".join(_text(inner, depth - 1))
        case {"type": "redacted_thinking"} | {"type": "text", "text": None}:
            return "", ""
        case {"text": str(text)}:
            return text, ""
    raise ValueError("not a chat completion: text of an unknown form")


def parse_usage(reply: dict[str, Any]) -> Usage | None:
    """The token counts of a reply or a choice; `None` when it has none."""
    value = reply.get("usage") or reply.get("x_groq")
    value = value.get("usage", value) if isinstance(value, dict) else None
    if not isinstance(value, dict):
        return None
    details = value.get("completion_tokens_details") or value.get("output_tokens_details")
    details = details if isinstance(details, dict) else {}
    return Usage(
        _count(value.get("prompt_tokens", value.get("input_tokens"))),
        _count(value.get("completion_tokens", value.get("output_tokens"))),
        _count(value.get("reasoning_tokens", details.get("reasoning_tokens"))),
    )


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < MAX_COUNT else None


def _name(value: Any) -> str | None:
    """A name as one printable line."""
    return _one_line(value[:MAX_NAME]) or None if isinstance(value, str) else None
