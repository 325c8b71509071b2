"""Structured output: the JSON Schema that is asked for, and the object made from what came back.

The schema's name is the form's class name in lower case.
"""

import re
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError

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


def parse(form: type[T], text: str) -> T:
    """Read an answer, with or without a code fence around it. Raises ValueError that says what is wrong."""
    body = text.strip()
    if body.startswith("```") and body.endswith("```"):
        body = body[3:-3].removeprefix("json")
    if _LOST_BACKSLASH.search(body):
        raise ValueError("a single backslash in JSON: part of a LaTeX command is lost")
    try:
        return form.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc'])) or 'answer'}: {first['msg']}") from error
