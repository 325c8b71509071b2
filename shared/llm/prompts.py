"""A prompt is a markdown file: system part, a line `---`, user part, with `$field` for what is filled in.

Whatever is filled in is data. Every value stands on one line, holds no token of a chat template and nothing unseen
(`shared.llm.sanitize`), and is never read as a template again. Where others wrote it and the prompt asks for more than
to solve it, it stands between marks, `<$mark>$problem</$mark>`, and the prompt says that nothing between them is an
instruction. The mark is another one in each call, so no text can close it. A dollar sign of the prompt itself is `$$`.
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
"""What a prompt calls its mark."""


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

    def followed_by(self, more: Self) -> Self:
        """This prompt with a section added to its user part; known by the section's name."""
        return type(self)(more.name, f"{self.text}\n{more.text}")

    def messages(self, fields: Mapping[str, str], seed: int) -> list[dict[str, str]]:
        """The chat messages, filled in; the same for the same seed. A prompt without `---` has no system part.

        Raises ValueError when the fields are not exactly those that the prompt names.
        """
        named = set(Template(self.text).get_identifiers()) - {MARK}
        if named != set(fields):
            raise ValueError(f"prompt {self.name} takes {sorted(named)}, not {list(fields)}")
        *system, user = self.text.split("\n---\n", 1)
        values = {name: one_line(value) for name, value in fields.items()}
        values[MARK] = _mark(values, seed)
        parts = [("system", part) for part in system] + [("user", user)]
        return [{"role": role, "content": Template(part).substitute(values).strip()} for role, part in parts]


def _mark(values: Mapping[str, str], seed: int) -> str:
    """No value holds it: it is a hash of all of them, and of a seed that whoever wrote them did not know."""
    return f"data-{content_hash(json.dumps([seed, values], sort_keys=True))[:12]}"
