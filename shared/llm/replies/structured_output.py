"""Structured output: requests an answer by JSON Schema, and parses the answer into an object.

The schema's name is the class name in lower case.
"""

import json
from functools import cache
from typing import Any

from pydantic import BaseModel

from shared.llm.replies.json_reader import read
from shared.llm.sanitize import neutralise
from shared.ports import T


@cache
def response_format(response_model: type[BaseModel]) -> dict[str, Any]:
    """Build the request's `response_format`. It is strict: all keys are required, and no others are allowed."""
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
