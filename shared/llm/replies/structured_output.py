"""Structured output: requests an answer by JSON Schema, and parses the answer into an object.

The schema's name is the class name in lower case.
"""

import json
import re
from functools import cache
from typing import Any, Literal, get_args

from pydantic import BaseModel

from shared.llm.replies.json_reader import read
from shared.llm.sanitize import neutralise
from shared.ports import T

_SCHEMA_WORDS = re.compile(r"json_object|schema|structured|response_format.{0,2} type", re.IGNORECASE)
StructuredMode = Literal["schema", "json_object", "prompt"]
MODES: tuple[StructuredMode, ...] = get_args(StructuredMode)
"""Ways to request a structured answer, best first. The last two put the schema into the prompt."""


def response_format(mode: StructuredMode, response_model: type[BaseModel]) -> dict[str, Any] | None:
    """The request's `response_format`."""
    if mode == "prompt":
        return None
    return _strict_schema(response_model) if mode == "schema" else {"type": "json_object"}


def refuses_only_schemas(error: str) -> bool:
    """Whether an error refuses JSON Schemas, so that the endpoint may accept `json_object`."""
    return _SCHEMA_WORDS.search(error) is not None


@cache
def _strict_schema(response_model: type[BaseModel]) -> dict[str, Any]:
    """A strict format: all keys are required, and no others are allowed."""
    schema = _closed(response_model.model_json_schema())
    return {
        "type": "json_schema",
        "json_schema": {"name": response_model.__name__.lower(), "schema": schema, "strict": True},
    }


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(part) for key, part in schema.items()}
    if schema.get("type") == "object":
        closed |= {"additionalProperties": False, "required": list(schema.get("properties", {}))}
    return closed


def in_prompt(response_model: type[BaseModel], messages: list[dict[str, str]]) -> list[dict[str, str]]:
    """Put the schema into the prompt, for an endpoint without `response_format`."""
    request = (
        "Answer with one JSON object and nothing else. Write every backslash twice. "
        f"It must match this JSON Schema:\n{json.dumps(response_model.model_json_schema())}"
    )
    *before, last = messages
    return [*before, {**last, "content": f"{last['content']}\n\n{request}"}]


def repair(text: str, problem: str) -> list[dict[str, str]]:
    """Show the model its answer and what is wrong with it."""
    request = (
        f"That answer cannot be used: {problem}. Give the whole answer again, as one JSON object and nothing else."
    )
    return [{"role": "assistant", "content": neutralise(text)}, {"role": "user", "content": request}]


def parse(response_model: type[T], text: str) -> T:
    """Read an answer as `json_reader.read` does. Raises ValueError that says what is wrong."""
    return read(response_model, text)[0]
