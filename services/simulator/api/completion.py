"""A reply as OpenAI's chat completion objects: whole or in chunks, truncated at the token limit, with usage."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from services.simulator.api.request import ChatRequest
from services.simulator.roles.reply import Reply

CHARS = 4
"""Characters per token, about the figure of English and LaTeX."""
CHUNK = 40 * CHARS
"""Characters per streamed chunk."""


def tokens(text: str) -> int:
    """Return the approximate number of tokens."""
    return -(-len(text) // CHARS)


@dataclass(frozen=True, slots=True)
class Completion:
    """A reply, truncated at the token limit."""

    id: str
    model: str
    fingerprint: str
    reasoning: str
    content: str
    finish_reason: str
    prompt_tokens: int
    refusal: str = ""

    @classmethod
    def of(cls, request: ChatRequest, reply: Reply, seed: int) -> "Completion":
        """Truncate the reply at the request's limit; the thinking comes first and may leave no room for the answer."""
        limit = request.limit
        thinking, answer = tokens(reply.reasoning), tokens(reply.content)
        room = thinking + answer if limit is None else limit
        return cls(
            id=f"chatcmpl-sim-{request.digest}",
            model=request.model,
            fingerprint=f"chimera-simulator seed={seed}",
            reasoning=reply.reasoning[: room * CHARS],
            content=reply.content[: max(room - thinking, 0) * CHARS],
            finish_reason="stop" if thinking + answer <= room else "length",
            prompt_tokens=sum(tokens(message.text) for message in request.messages),
        )

    @property
    def completion_tokens(self) -> int:
        """Generated tokens, including thinking."""
        return tokens(self.reasoning) + tokens(self.content) + tokens(self.refusal)

    def usage(self) -> dict[str, Any]:
        """Return the token counts, with those of the thinking also separate."""
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
            "completion_tokens_details": {"reasoning_tokens": tokens(self.reasoning)},
        }

    def _shell(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": 0,
            "model": self.model,
            "system_fingerprint": self.fingerprint,
        }

    def whole(self) -> dict[str, Any]:
        """Return the `chat.completion` object."""
        message: dict[str, Any] = {"role": "assistant", "content": self.content or None}
        if self.reasoning:
            message["reasoning"] = self.reasoning
        if self.refusal:
            message["refusal"] = self.refusal
        choice = {"index": 0, "message": message, "finish_reason": self.finish_reason}
        return {**self._shell("chat.completion"), "choices": [choice], "usage": self.usage()}

    def chunks(self, include_usage: bool, size: int = CHUNK) -> Iterator[dict[str, Any]]:
        """Yield the `chat.completion.chunk` objects in order: role, thinking, answer, finish, usage if requested."""
        shell = self._shell("chat.completion.chunk")
        deltas = [{"role": "assistant", "content": ""}]
        deltas += [{"reasoning": piece} for piece in _pieces(self.reasoning, size)]
        deltas += [{"content": piece} for piece in _pieces(self.content, size)]
        deltas += [{"refusal": piece} for piece in _pieces(self.refusal, size)]
        for delta in deltas:
            yield {**shell, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        yield {**shell, "choices": [{"index": 0, "delta": {}, "finish_reason": self.finish_reason}]}
        if include_usage:
            yield {**shell, "choices": [], "usage": self.usage()}


def _pieces(text: str, size: int) -> Iterator[str]:
    return (text[at : at + size] for at in range(0, len(text), size))
