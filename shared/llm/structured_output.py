"""Structured output: the JSON Schema that is asked for, and the object made from what came back.

The schema's name is the form's class name in lower case.
"""

import json
import re
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError

from shared.llm.sanitize import neutralise
from shared.ports import T

_LOST_BACKSLASH = re.compile(r"(?<!\\)(?:\\\\)*\\[bfrt]")
"""JSON reads the start of \\frac, \\times, \\beta, \\rho as a control character; no text of ours holds one."""


@cache
def response_format(form: type[BaseModel]) -> dict[str, Any]:
    """The request's `response_format`; strict, so no further keys and none left out."""
    schema = _closed(form.model_json_schema())
    return {"type": "json_schema", "json_schema": {"name": form.__name__.lower(), "schema": schema, "strict": True}}


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(part) for key, part in schema.items()}
    if schema.get("type") == "object":
        closed |= {"additionalProperties": False, "required": list(schema.get("properties", {}))}
    return closed


def in_prompt(form: type[BaseModel], messages: list[dict[str, str]]) -> list[dict[str, str]]:
    """Ask for a form in words, for an endpoint that knows no `response_format`."""
    asked = (
        "Answer with one JSON object and nothing else. Write every backslash twice. "
        f"It must match this JSON Schema:\n{json.dumps(form.model_json_schema())}"
    )
    *before, last = messages
    return [*before, {**last, "content": f"{last['content']}\n\n{asked}"}]


def repair(text: str, problem: str) -> list[dict[str, str]]:
    """Show the model its answer and what is wrong with it."""
    asked = f"That answer cannot be used: {problem}. Give the whole answer again, as one JSON object and nothing else."
    return [{"role": "assistant", "content": neutralise(text)}, {"role": "user", "content": asked}]


def parse(form: type[T], text: str) -> T:
    """Read an answer, also one with a code fence or words around it. Raises ValueError that says what is wrong."""
    body = text[text.find("{") : text.rfind("}") + 1] or text
    if _LOST_BACKSLASH.search(body):
        raise ValueError("a single backslash in JSON: part of a LaTeX command is lost")
    try:
        return form.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc'])) or 'answer'}: {first['msg']}") from error
