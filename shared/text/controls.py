"""Removes from models' text what would control a terminal or a page."""

import re

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)", re.DOTALL)
_REMOVED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def strip_controls(text: str) -> str:
    """Remove terminal sequences, control characters, lone surrogates and marks that change the direction of writing."""
    return _REMOVED.sub("", _ESCAPES.sub("", text))


def quote(text: str) -> str:
    """Return the beginning of a text in quotation marks, on one line and without controls."""
    line = " ".join(strip_controls(text).split())
    return f"“{line[:80]}…”" if len(line) > 80 else f"“{line}”"
