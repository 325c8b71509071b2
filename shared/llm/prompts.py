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
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from string import Template
from typing import Self

from schemas.config.plan import ENGLISH
from schemas.identity import content_hash
from shared.errors import Refusal
from shared.llm.sanitize import neutralise, one_line

_ROOT = Path(__file__).parents[2]
OPTIONAL = frozenset({"avoid", "examples", "guidance", "rejections", "structure", "technique", "wish"})
"""Fields that an own prompt may leave out: hints, without which the task is the same."""
MARK = "mark"
"""The placeholder of the mark."""
LANGUAGE, IN_LANGUAGE = "language", "in_language"
"""Placeholders of the plan's language: its name; ` in German`, and nothing for English, so that the text for a solver
stays that of the paper and of the trainer."""
_OWN = frozenset({MARK, LANGUAGE, IN_LANGUAGE})
"""Placeholders that the prompt itself fills."""
_KEEPS_LINES = re.compile(r"<\$mark>\s*\$(\w+)\s*</\$mark>|^\$(\w+)$", re.MULTILINE)
_MARKED = re.compile(r"<\$mark>\s*\$(\w+)\s*</\$mark>")
_FIELD = re.compile(r"\$\$|\$(\w+)")


@dataclass(frozen=True)
class Prompt:
    """The text of a file, identified by its name and its hash."""

    name: str
    text: str
    origin: str | None = field(default=None, kw_only=True)
    """The file of a prompt of the user's own; None for a shipped one."""
    language: str = field(default=ENGLISH, kw_only=True)
    """That of the plan."""

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a prompt. Its name is the file's, without `.md`."""
        return cls(path.stem, path.read_text("utf-8"))

    @cached_property
    def hash(self) -> str:
        return content_hash(self.text)

    @cached_property
    def fields(self) -> set[str]:
        """Names of the placeholders that a call fills."""
        return set(Template(self.text).get_identifiers()) - _OWN

    @property
    def marked_fields(self) -> set[str]:
        """Placeholders between marks."""
        return set(_MARKED.findall(self.text))

    def with_section(self, section: Self) -> Self:
        """Add a section to the user part. The new prompt has the section's name."""
        text, origin = f"{self.text}\n{section.text}", section.origin or self.origin
        return replace(self, name=section.name, text=text, origin=origin)

    def messages(self, fields: Mapping[str, str], seed: int) -> list[dict[str, str]]:
        """Build the chat messages. The same fields and seed give the same text; without `---` there is no system part.

        Raises ValueError when the fields are not exactly the placeholders of the prompt.
        """
        missing = self.fields ^ set(fields) if self.origin is None else self.fields - set(fields)
        if missing:
            raise ValueError(f"prompt {self.name} takes {sorted(self.fields)}, not {list(fields)}")
        *system, user = self.text.split("\n---\n", 1)
        values = {
            name: one_line(value) if name in self._inline else neutralise(value) for name, value in fields.items()
        }
        in_language = "" if self.language == ENGLISH else f" in {self.language}"
        values |= {MARK: _mark(values, seed), LANGUAGE: self.language, IN_LANGUAGE: in_language}
        parts = [("system", part) for part in system] + [("user", user)]
        return [{"role": role, "content": Template(part.strip()).substitute(values)} for role, part in parts]

    @cached_property
    def _inline(self) -> set[str]:
        """Fields that stand inside a line of the prompt, outside marks."""
        return set(filter(None, _FIELD.findall(_KEEPS_LINES.sub("", self.text)))) - _OWN


def load_prompt(shipped: Path, folder: Path | None) -> Prompt:
    """Load the prompt of a name: from the user's folder if it has one, else the shipped one.

    Raises Refusal for an own prompt that lacks a field which its call needs, has an unknown one, or shows untrusted
    text without the marks that the shipped one has around it.
    """
    default = Prompt.load(shipped)
    path = folder / shipped.name if folder else None
    if path is None or not path.exists():
        return default
    try:
        own = Prompt(default.name, path.read_text("utf-8"), origin=str(path))
        if not Template(own.text).is_valid():
            raise ValueError("write a dollar sign that is no field as $$")
        fields = own.fields
    except (OSError, ValueError) as error:
        raise Refusal(f"cannot read the prompt {path}: {error}", "Correct the file") from error
    problems = [f"lacks ${name}" for name in sorted(default.fields - OPTIONAL - fields)]
    problems += [f"has an unknown ${name}" for name in sorted(fields - default.fields)]
    problems += [
        f"shows ${name} without marks: <$mark>${name}</$mark>"
        for name in sorted(default.marked_fields & fields - own.marked_fields)
    ]
    if problems:
        raise Refusal(f"the prompt {path} {'; '.join(problems)}", f"Start from the shipped prompt {shipped}")
    return own


def shipped_prompts() -> list[Path]:
    """The files of all shipped prompts: `prompts` in a folder of `services` or `shared`."""
    return sorted(path for package in ("services", "shared") for path in _ROOT.glob(f"{package}/*/prompts/*.md"))


def check_folder(folder: Path) -> None:
    """Raise Refusal when the folder is missing, or has a prompt whose name no shipped prompt has."""
    if not folder.is_dir():
        raise Refusal(f"there is no folder of prompts {folder}", "Correct `prompts` in the models file")
    names = sorted(path.stem for path in shipped_prompts())
    if unknown := sorted(path.name for path in folder.glob("*.md") if path.stem not in names):
        raise Refusal(
            f"{folder} has {', '.join(unknown)}, which replaces no prompt", f"The names are {', '.join(names)}"
        )


def _mark(values: Mapping[str, str], seed: int) -> str:
    """A hash of all values and of the seed, which their authors do not know, so that no value contains it."""
    return f"data-{content_hash(json.dumps([seed, values], sort_keys=True))[:12]}"
