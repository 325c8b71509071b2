"""Finds incompatible changes of events: compares each JSON Schema with the one that was last released.

Records of both versions are on the log, and every service reads both. So a field keeps its name, its type, and whether
it is required; new fields are optional. Any other change needs a new major version, which older readers turn into dead
letters.

schemas/released/ has the released schemas. To change an event freely that is not yet in use, delete its file there.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_ANNOTATIONS = {"$defs", "default", "description", "examples", "title"}
"""Keywords without an effect on validation. A default has none, because writers write every field."""


def breaking(released: Mapping[str, Schema], current: Mapping[str, Schema]) -> list[str]:
    """List the changes that readers of the released events cannot handle. Keys are `type.vMAJOR`."""
    majors = {(name := key.rpartition(".v"))[0]: int(name[2]) for key in current}
    changes = []
    for key, schema in released.items():
        event, _, major = key.rpartition(".v")
        if key in current:
            changes += [f"{key}: {change}" for change in _changes(_inline(schema), _inline(current[key]), "")]
        elif majors.get(event, 0) <= int(major):
            changes.append(f"{key}: removed")
    return changes


def _changes(before: Schema, now: Schema, at: str) -> Iterator[str]:
    old, new = before.get("properties", {}), now.get("properties", {})
    old_required, new_required = before.get("required", ()), now.get("required", ())
    for name in old:
        if name not in new:
            yield f"{at}{name} is gone"
        else:
            if (name in old_required) != (name in new_required):
                yield f"{at}{name} is {'required' if name in new_required else 'optional'} now"
            yield from _changes(old[name], new[name], f"{at}{name}.")
    yield from (f"{at}{name} is new and required" for name in new if name not in old and name in new_required)
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
    """Replace every reference by its target."""

    def resolve(value: Any) -> Any:
        if isinstance(value, list):
            return [resolve(one) for one in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            return resolve(schema["$defs"][value["$ref"].rpartition("/")[2]])
        return {word: resolve(part) for word, part in value.items() if word != "$defs"}

    inlined: Schema = resolve(dict(schema))
    return inlined
