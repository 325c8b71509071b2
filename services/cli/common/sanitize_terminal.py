"""What models wrote is data: it is shown, never obeyed - not by the terminal either."""

import re
import unicodedata

from rich.text import Text

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)", re.DOTALL)
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_KEPT = "\n\t"


def strip_controls(text: str) -> str:
    """Without terminal sequences, control characters and marks that turn the direction of writing around."""
    text = _ESCAPES.sub("", text)
    return "".join(c for c in text if c in _KEPT or (unicodedata.category(c) != "Cc" and c not in _BIDI))


def as_text(text: object, style: str = "") -> Text:
    """The text as it is, without markup."""
    return Text(strip_controls(str(text)), style=style)


def fold(text: str, first: int = 6, last: int = 4) -> str:
    """First and last lines, and how many lie between."""
    lines = strip_controls(text).strip().splitlines()
    if len(lines) <= first + last + 1:
        return "\n".join(lines)
    hidden = len(lines) - first - last
    return "\n".join([*lines[:first], f"      … {hidden} more lines, shown with --full …", *lines[-last:]])
