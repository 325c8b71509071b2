"""Labelled pairs of answers, for the tests of the rules and for the benchmark."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from schemas.item import Agreement


@dataclass(frozen=True, slots=True)
class Pair:
    """`expected`: by the rules alone; `truth`: the correct verdict; `confusion`: the error that this pair finds."""

    key: str
    answer: str
    type: str
    expected: Agreement
    truth: Agreement
    confusion: str


def _pair(line: str) -> Pair:
    key, answer, kind, expected, confusion = (_seen(part.strip()) for part in line.split(" ¦ "))
    output, _, truth = expected.partition(", ")
    return Pair(key, answer, kind, cast("Agreement", output), cast("Agreement", truth or output), confusion)


def _seen(text: str) -> str:
    return re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text)


_LINES = Path(__file__).with_suffix(".txt").read_text("utf-8").splitlines()
PAIRS = [_pair(line) for line in _LINES if not line.startswith("#")]
