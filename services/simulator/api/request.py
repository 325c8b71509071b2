"""The request of OpenAI's chat completions API: the fields that the simulator reads; it ignores others."""

import hashlib
import json
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, Field, PositiveInt


class Message(BaseModel):
    """One message; its content may have parts."""

    role: str
    content: str | list[dict[str, Any]] | None = None

    @property
    def text(self) -> str:
        """The content as text."""
        if isinstance(self.content, list):
            return "\n".join(str(part.get("text", "")) for part in self.content)
        return self.content or ""


class JsonSchema(BaseModel):
    """A schema; its name is the simulator's task."""

    name: str


class ResponseFormat(BaseModel):
    """Free text, or JSON by a schema."""

    type: Literal["text", "json_schema", "json_object"] = "text"
    json_schema: JsonSchema | None = None


class StreamOptions(BaseModel):
    """Whether the last chunk carries the token counts."""

    include_usage: bool = False


class ChatRequest(BaseModel):
    """The body of POST /v1/chat/completions."""

    model: str
    messages: list[Message] = Field(min_length=1)
    seed: int | None = None
    n: Literal[1] | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: PositiveInt | None = None
    max_completion_tokens: PositiveInt | None = None
    response_format: ResponseFormat = ResponseFormat()
    stream: bool = False
    stream_options: StreamOptions | None = None

    @property
    def limit(self) -> int | None:
        """Maximum tokens of the answer, including thinking."""
        return self.max_completion_tokens or self.max_tokens

    @property
    def wants_usage(self) -> bool:
        """Whether a stream ends with the token counts."""
        return self.stream_options is not None and self.stream_options.include_usage

    @cached_property
    def user_text(self) -> str:
        """The text of all user messages."""
        return "\n".join(message.text for message in self.messages if message.role == "user")

    def sampling_key(self) -> str:
        """Return the seed, or the digest without a seed, so that equal requests get equal answers."""
        return str(self.seed) if self.seed is not None else self.digest

    @cached_property
    def digest(self) -> str:
        """A hash of everything that an answer depends on."""
        messages = [[m.role, m.text] for m in self.messages]
        content = json.dumps([self.model, messages, self.seed, self.temperature, self.top_p])
        return hashlib.blake2b(content.encode(), digest_size=8).hexdigest()
