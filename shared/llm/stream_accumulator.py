"""Collects the chunks of an answer, and separates the thinking from the text.

Endpoints send the thinking as `reasoning` (vLLM), as `reasoning_content` (others), or inline as `<think>…</think>`. The
opening tag may be part of the prompt and so be missing.
"""

from dataclasses import dataclass, field
from typing import Any

TEXT_LIMIT = 4 * 1024 * 1024
"""Characters of one answer, thinking included. A longer one is a runaway: it would not fit into an event."""

BROKEN = (None, "abort", "error")
"""Finish reasons of a call that the endpoint aborted."""


@dataclass(slots=True)
class StreamAccumulator:
    """The answer so far."""

    finish_reason: str | None = None
    revision: str | None = None
    model: str | None = None
    usage: dict[str, Any] = field(default_factory=dict)
    size: int = 0
    _refused: bool = False
    _text: list[str] = field(default_factory=list)
    _reasoning: list[str] = field(default_factory=list)

    def add(self, chunk: dict[str, Any]) -> None:
        """Add a chunk of a stream, or a complete answer. Raises ValueError when it is not valid."""
        try:
            self.usage = chunk.get("usage") or self.usage
            self.revision = chunk.get("system_fingerprint") or self.revision
            self.model = chunk.get("model") or self.model
            for choice in chunk.get("choices") or ():
                self._choose(choice)
        except (AttributeError, TypeError) as error:
            raise ValueError("not a chat completion") from error
        if self.size > TEXT_LIMIT:
            self.finish_reason = "text_limit"

    def _choose(self, choice: dict[str, Any]) -> None:
        delta = choice.get("delta") or choice.get("message") or {}
        text = delta.get("content") or ""
        reasoning = delta.get("reasoning") or delta.get("reasoning_content") or ""
        self._refused = self._refused or bool(delta.get("refusal"))
        self._text.append(text)
        self._reasoning.append(reasoning)
        self.size += len(text) + len(reasoning)
        self.finish_reason = choice.get("finish_reason") or self.finish_reason

    def parts(self) -> tuple[str, str]:
        """Text and reasoning."""
        text, reasoning = _joined(self._text), _joined(self._reasoning)
        opened = text.lstrip().startswith("<think>")
        inline, closed, rest = text.partition("</think>")
        if closed and not reasoning:
            text, reasoning = rest, inline.lstrip().removeprefix("<think>")
        elif opened and not closed:
            text, reasoning = "", text.lstrip().removeprefix("<think>")
        return text.strip(), reasoning.strip()

    def fault(self, text: str) -> str | None:
        """Why the answer cannot be used (`Reply.fault`); `None` when it can."""
        if self.finish_reason == "text_limit":
            return "runaway"
        if self._refused or self.finish_reason == "content_filter":
            return "refused"
        if self.finish_reason == "length":
            return "too_long"
        return None if text else "empty"

    def count(self, name: str) -> int | None:
        """A token count; `None` when the endpoint did not report it."""
        details = self.usage.get("completion_tokens_details") or {}
        value = self.usage.get(name, details.get(name))
        return value if isinstance(value, int) else None


def _joined(pieces: list[str]) -> str:
    """Join pieces. Two chunks may split a character into surrogates; a lone surrogate cannot be stored."""
    return "".join(pieces).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
