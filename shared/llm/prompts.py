"""A prompt is a markdown file: system part, a line `---`, user part, with `$field` for what is filled in.

Every value is put on one line and never read as a template again. So a model-made text cannot pose as one of the
prompt's own lines. A dollar sign of the prompt itself is written `$$`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Self

from schemas.identity import content_hash


@dataclass(frozen=True, slots=True)
class Prompt:
    """The text of a file, known by its name and by the hash of its bytes."""

    name: str
    text: str

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a prompt; its name is the file's, without `.md`."""
        return cls(path.stem, path.read_text("utf-8"))

    @property
    def hash(self) -> str:
        return content_hash(self.text)

    def messages(self, fields: Mapping[str, str]) -> list[dict[str, str]]:
        """The chat messages, filled in. A prompt without `---` has no system part.

        Raises ValueError when the fields are not exactly those that the prompt names.
        """
        template = Template(self.text)
        if set(template.get_identifiers()) != set(fields):
            raise ValueError(f"prompt {self.name} takes {template.get_identifiers()}, not {list(fields)}")
        *system, user = self.text.split("\n---\n", 1)
        values = {name: " ".join(value.split()) for name, value in fields.items()}
        parts = [("system", part) for part in system] + [("user", user)]
        return [{"role": role, "content": Template(part).substitute(values).strip()} for role, part in parts]
