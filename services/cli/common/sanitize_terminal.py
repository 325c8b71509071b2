"""Removes terminal control sequences from text that models wrote."""

import re
import unicodedata

from rich.text import Text

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)", re.DOTALL)
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_KEPT = "\n\t"


def strip_controls(text: str) -> str:
    """Remove escape sequences, control characters, and marks that change the direction of writing."""
    text = _ESCAPES.sub("", text)
    return "".join(c for c in text if c in _KEPT or (unicodedata.category(c) != "Cc" and c not in _BIDI))


def as_text(text: object, style: str = "") -> Text:
    """Return the text literally, without markup."""
    return Text(strip_controls(str(text)), style=style)


def fold(text: str, first: int = 6, last: int = 4) -> str:
    """Return the first and last lines, and the number of lines between them."""
    lines = strip_controls(text).strip().splitlines()
    if len(lines) <= first + last + 1:
        return "\n".join(lines)
    hidden = len(lines) - first - last
    return "\n".join([*lines[:first], f"      … {hidden} more lines, shown with --full …", *lines[-last:]])
