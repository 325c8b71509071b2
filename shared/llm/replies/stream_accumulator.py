"""Collects the chunks of an answer, and says whether it is complete."""

from dataclasses import dataclass, field, fields, replace

from shared.llm.replies.thinking import split_thinking
from shared.llm.replies.wire import Chunk, Usage

TEXT_LIMIT = 4 * 1024 * 1024
"""Characters of one answer, thinking included. A longer one is a runaway: it would not fit into an event."""

FINISHED = {"stop", "eos", "eos_token", "end_turn", "stop_sequence", "complete"}
TRUNCATED = {
    *("length", "max_tokens", "model_length", "max_output_tokens", "max_length", "token_limit"),
    "model_context_window_exceeded",
}
REFUSED = {
    *("content_filter", "safety", "refusal", "prohibited_content", "blocklist", "recitation", "spii"),
    *("sensitive", "error_toxic"),
}
"""Known finish reasons, in lower case. With any other one the answer is broken."""


@dataclass(slots=True)
class StreamAccumulator:
    """The answer so far."""

    finish_reason: str | None = None
    revision: str | None = None
    model: str | None = None
    usage: Usage = field(default_factory=Usage)
    size: int = 0
    """Characters of text and thinking."""
    is_runaway: bool = False
    unread: str = ""
    """The last JSON of an unknown form."""
    _is_refusal: bool = False
    _text: list[str] = field(default_factory=list)
    _reasoning: list[str] = field(default_factory=list)

    def add(self, chunk: Chunk) -> None:
        """Add a chunk."""
        if chunk.usage:
            counts = {one.name: getattr(chunk.usage, one.name) for one in fields(Usage)}
            self.usage = replace(self.usage, **{name: count for name, count in counts.items() if count is not None})
        self.unread = chunk.unread or self.unread
        self.revision = chunk.revision or self.revision
        self.model = chunk.model or self.model
        self.finish_reason = chunk.finish_reason or self.finish_reason
        self._is_refusal = self._is_refusal or chunk.is_refusal
        self._text.append(chunk.text)
        self._reasoning.append(chunk.reasoning)
        self.size += len(chunk.text) + len(chunk.reasoning)
        if self.size > TEXT_LIMIT:
            self.finish_reason, self.is_runaway = "text_limit", True

    def parts(self) -> tuple[str, str]:
        """Text and thinking."""
        text, inline = split_thinking(_joined(self._text))
        reasoning = _joined(self._reasoning).strip()
        return text, "\n\n".join(part for part in (reasoning, inline) if part)

    @property
    def is_broken(self) -> bool:
        """Whether the endpoint gave no known finish reason."""
        return not self.is_runaway and self._reason not in FINISHED | TRUNCATED | REFUSED

    def fault(self, text: str) -> str | None:
        """Why the answer cannot be used (`Reply.fault`); `None` when it can."""
        if self.is_runaway:
            return "runaway"
        if self._is_refusal or self._reason in REFUSED:
            return "refused"
        if self._reason in TRUNCATED:
            return "too_long"
        return None if text else "empty"

    @property
    def _reason(self) -> str:
        return (self.finish_reason or "").lower()


def _joined(pieces: list[str]) -> str:
    """Join pieces. Two chunks may split a character into surrogates; a lone surrogate cannot be stored."""
    return "".join(pieces).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
