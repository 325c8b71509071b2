"""The base of all values on the log: frozen, and tolerant of unknown fields."""

from collections.abc import Iterable
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from schemas.identity import content_hash


class Model(BaseModel):
    """A frozen value. Unknown fields are kept and passed on, so that readers can be older than writers."""

    model_config = ConfigDict(frozen=True, extra="allow")

    @property
    def hash(self) -> str:
        """SHA-256 of the JSON form, hexadecimal."""
        return content_hash(self.model_dump_json())

    def with_(self, **changes: object) -> Self:
        """Copy with some fields replaced. Does not validate the values.

        Raises TypeError for a name that is not a field.
        """
        check_fields(type(self), changes)
        return self.model_copy(update=changes)


def check_fields(model: type[BaseModel], names: Iterable[str]) -> None:
    """Raise TypeError for an unknown field: only readers are tolerant, in a writer it is a bug."""
    if unknown := set(names) - set(model.model_fields):
        raise TypeError(f"{model.__name__} has no field {', '.join(sorted(unknown))}")


def added(**limits: Any) -> Any:
    """A field that came later: `None` by default, and then absent from the JSON, as events of before were written."""
    return Field(default=None, exclude_if=lambda value: value is None, **limits)
