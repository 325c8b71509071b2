"""Pairs of answers with what is true of them: for the tests of the rules, and for their figures in the bench."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from schemas.item import Agreement


@dataclass(frozen=True, slots=True)
class Pair:
    """`expected` of the rules alone; `truth`: what a reader would say; `confusion`: what only this pair finds."""

    key: str
    answer: str
    type: str
    expected: Agreement
    truth: Agreement
    confusion: str


def _pair(line: str) -> Pair:
    key, answer, kind, expected, confusion = (_seen(part.strip()) for part in line.split(" ¦ "))
    said, _, truth = expected.partition(", ")
    return Pair(key, answer, kind, cast("Agreement", said), cast("Agreement", truth or said), confusion)


def _seen(text: str) -> str:
    return re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text)


_LINES = Path(__file__).with_suffix(".txt").read_text("utf-8").splitlines()
PAIRS = [_pair(line) for line in _LINES if not line.startswith("#")]
