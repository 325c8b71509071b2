"""The base of everything on the log: frozen, and tolerant of fields it does not know."""

from collections.abc import Iterable
from typing import Self

from pydantic import BaseModel, ConfigDict

from schemas.identity import content_hash


class Model(BaseModel):
    """A frozen value. Unknown fields are kept and passed on, so that readers can be older than writers."""

    model_config = ConfigDict(frozen=True, extra="allow")

    @property
    def hash(self) -> str:
        """SHA-256 of the JSON form, hexadecimal."""
        return content_hash(self.model_dump_json())

    def with_(self, **changes: object) -> Self:
        """A copy with some fields replaced; the values must already be of the right type.

        Raises TypeError for a name that is not a field.
        """
        check_fields(type(self), changes)
        return self.model_copy(update=changes)


def check_fields(model: type[BaseModel], names: Iterable[str]) -> None:
    """Raise TypeError for a name that is no field: tolerance is for readers, a writer's slip is a bug."""
    if unknown := set(names) - set(model.model_fields):
        raise TypeError(f"{model.__name__} has no field {', '.join(sorted(unknown))}")
