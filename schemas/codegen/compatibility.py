"""May this version of an event be released under the same major? Compares its JSON Schema with the one released last.

Records of both versions are on the log at once, and every service reads both. So a field stays what it was: its name,
its type, and whether it must be there. New fields are optional. Anything else needs a new major, which readers of the
old one put aside as dead letters.

What was released lies in schemas/released/. An event that nobody has ever used may be changed at will: delete its file.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_ANNOTATIONS = {"$defs", "default", "description", "examples", "title"}
"""What tells a person something and a validator nothing. Writers write every field, so a default is no part of it."""


def breaking(released: Mapping[str, Schema], current: Mapping[str, Schema]) -> list[str]:
    """What readers of the released events would stumble over, one line each. Keys are `type.vMAJOR`."""
    majors = {(name := key.rpartition(".v"))[0]: int(name[2]) for key in current}
    found = []
    for key, schema in released.items():
        event, _, major = key.rpartition(".v")
        if key in current:
            found += [f"{key}: {change}" for change in _changes(_inline(schema), _inline(current[key]), "")]
        elif majors.get(event, 0) <= int(major):
            found.append(f"{key}: removed")
    return found


def _changes(before: Schema, now: Schema, at: str) -> Iterator[str]:
    old, new = before.get("properties", {}), now.get("properties", {})
    had_to, has_to = before.get("required", ()), now.get("required", ())
    for name in old:
        if name not in new:
            yield f"{at}{name} is gone"
        else:
            if (name in had_to) != (name in has_to):
                yield f"{at}{name} is {'required' if name in has_to else 'optional'} now"
            yield from _changes(old[name], new[name], f"{at}{name}.")
    yield from (f"{at}{name} is new and required" for name in new if name not in old and name in has_to)
    for word in sorted((before.keys() | now.keys()) - _ANNOTATIONS - {"properties", "required"}):
        yield from _differs(word, before.get(word), now.get(word), at)


def _differs(word: str, before: Any, now: Any, at: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        yield from _changes(before, now, at)
    elif _alternatives(before) and _alternatives(now) and len(before) == len(now):
        for one, other in zip(before, now, strict=True):
            yield from _changes(one, other, at)
    elif before != now:
        yield f"{at.rstrip('.') or 'the event'}: {word} was {before}, is {now}"


def _alternatives(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _inline(schema: Schema) -> Schema:
    """The schema with every reference replaced by what it refers to."""

    def resolved(value: Any) -> Any:
        if isinstance(value, list):
            return [resolved(one) for one in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            return resolved(schema["$defs"][value["$ref"].rpartition("/")[2]])
        return {word: resolved(part) for word, part in value.items() if word != "$defs"}

    inlined: Schema = resolved(dict(schema))
    return inlined
