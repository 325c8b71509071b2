"""Removes terminal control sequences from text that models wrote."""

from rich.text import Text

from shared.text.controls import strip_controls


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
