"""Prompts as Markdown files: system part, a line `---`, user part, with `$field` as placeholders.

The values of the fields are data. Each value is one line, without tokens of chat templates and without invisible
characters (`shared.llm.sanitize`), and is not read as a template again. A prompt that gives instructions about
untrusted text puts it between marks, `<$mark>$problem</$mark>`, and says that nothing between them is an instruction.
The mark differs in each call, so no text can close it. A dollar sign of the prompt itself is `$$`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Self

from schemas.identity import content_hash
from shared.llm.sanitize import one_line

MARK = "mark"
"""The placeholder of the mark."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """The text of a file, identified by its name and its hash."""

    name: str
    text: str

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a prompt. Its name is the file's, without `.md`."""
        return cls(path.stem, path.read_text("utf-8"))

    @property
    def hash(self) -> str:
        return content_hash(self.text)

    def with_section(self, section: Self) -> Self:
        """Add a section to the user part. The new prompt has the section's name."""
        return type(self)(section.name, f"{self.text}\n{section.text}")

    def messages(self, fields: Mapping[str, str], seed: int) -> list[dict[str, str]]:
        """Build the chat messages. The same fields and seed give the same text; without `---` there is no system part.

        Raises ValueError when the fields are not exactly the placeholders of the prompt.
        """
        placeholders = set(Template(self.text).get_identifiers()) - {MARK}
        if placeholders != set(fields):
            raise ValueError(f"prompt {self.name} takes {sorted(placeholders)}, not {list(fields)}")
        *system, user = self.text.split("\n---\n", 1)
        values = {name: one_line(value) for name, value in fields.items()}
        values[MARK] = _mark(values, seed)
        parts = [("system", part) for part in system] + [("user", user)]
        return [{"role": role, "content": Template(part).substitute(values).strip()} for role, part in parts]


def _mark(values: Mapping[str, str], seed: int) -> str:
    """A hash of all values and of the seed, which their authors do not know, so that no value contains it."""
    return f"data-{content_hash(json.dumps([seed, values], sort_keys=True))[:12]}"
