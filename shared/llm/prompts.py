"""Prompts as Markdown files: system part, a line `---`, user part, with `$field` as placeholders.

The values of the fields are data, without tokens of chat templates and without invisible characters
(`shared.llm.sanitize`), and are not read as a template again. A prompt that gives instructions about untrusted text
puts it between marks, `<$mark>$problem</$mark>`, and says that nothing between them is an instruction. The mark differs
in each call, so no text can close it. Between marks, or where a field has a line for itself, a value keeps its lines;
elsewhere it is put on one line. A dollar sign of the prompt itself is `$$`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Self

from schemas.identity import content_hash
from shared.llm.sanitize import neutralise, one_line

MARK = "mark"
"""The placeholder of the mark."""
_KEEPS_LINES = re.compile(r"<\$mark>\s*\$(\w+)\s*</\$mark>|^\$(\w+)$", re.MULTILINE)
_FIELD = re.compile(r"\$\$|\$(\w+)")


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
        inline = self._inline()
        values = {name: one_line(value) if name in inline else neutralise(value) for name, value in fields.items()}
        values[MARK] = _mark(values, seed)
        parts = [("system", part) for part in system] + [("user", user)]
        return [{"role": role, "content": Template(part.strip()).substitute(values)} for role, part in parts]

    def _inline(self) -> set[str]:
        """Fields that stand inside a line of the prompt, outside marks."""
        return set(filter(None, _FIELD.findall(_KEEPS_LINES.sub("", self.text)))) - {MARK}


def _mark(values: Mapping[str, str], seed: int) -> str:
    """A hash of all values and of the seed, which their authors do not know, so that no value contains it."""
    return f"data-{content_hash(json.dumps([seed, values], sort_keys=True))[:12]}"
