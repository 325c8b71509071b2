"""The difference between two states of a machine, so that a large state need not be written whole.

States are frozen models: what `with_` did not replace is the same object in both, and is not compared. A change is a
path in the JSON form with its new value, or a path alone for what is gone.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

Path = tuple[str | int, ...]
_ABSENT = object()
Change = tuple[list[str | int], Any] | tuple[list[str | int]]


def changes(old: Any, new: Any, without: Collection[str] = (), path: Path = ()) -> Iterator[Change]:
    """Yield what turns the JSON form of `old` into that of `new`, except for the fields `without` of the state."""
    if old is new:
        return
    if isinstance(new, BaseModel) and type(old) is type(new):
        for name, field in type(new).model_fields.items():
            if name not in without:
                key = field.serialization_alias or name
                yield from changes(getattr(old, name), getattr(new, name), path=(*path, key))
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _changed_entries(old, new, path)
    elif isinstance(old, tuple) and isinstance(new, tuple) and len(old) <= len(new):
        yield from _changed_items(old, new, path)
    elif old != new:
        yield list(path), to_jsonable_python(new)


def _changed_entries(old: Mapping[Any, Any], new: Mapping[Any, Any], path: Path) -> Iterator[Change]:
    yield from (([*path, str(key)],) for key in old if key not in new)
    for key, value in new.items():
        before = old.get(key, _ABSENT)
        if before is _ABSENT:
            yield [*path, str(key)], to_jsonable_python(value)
        elif before is not value:  # a call for each entry of a large mapping is slow
            yield from changes(before, value, path=(*path, str(key)))


def _changed_items(old: tuple[Any, ...], new: tuple[Any, ...], path: Path) -> Iterator[Change]:
    for index, value in enumerate(new):
        if index >= len(old):
            yield [*path, index], to_jsonable_python(value)
        elif value is not old[index]:
            yield from changes(old[index], value, path=(*path, index))


def apply(document: Any, made: Iterable[Change]) -> None:
    """Make changes to the JSON form of a state, in place."""
    for (*path, last), *value in made:
        place = document
        for key in path:
            place = place[key]
        if not value:
            del place[last]
        elif isinstance(place, list) and last == len(place):
            place.append(value[0])
        else:
            place[last] = value[0]
