"""The examiner: are two statements one problem?"""

import json
import re

from services.simulator.recognition import field, sighted
from services.simulator.roles.reply import Reply, Stage, Unplayable

_NUMBER = re.compile(r"\d+")
_WORD = re.compile(r"\w+")
ALIKE = 0.5
"""Share of common words from which two texts with the same numbers are one problem."""


def play_same(stage: Stage) -> Reply:
    """Compare the lines `One` and `Other`: as problems of the bank, or else by their words and numbers."""
    text = stage.request.user_text
    one, other = field(text, "One"), field(text, "Other")
    if one is None or other is None:
        raise Unplayable("to compare problems takes a line `One: …` and a line `Other: …`")
    seen = [sighted(each, stage.bank) for each in (one, other)]
    same = seen[0].problem.id == seen[1].problem.id if seen[0] and seen[1] else _alike(one.lower(), other.lower())
    said = "yes" if same else "no"
    reason = "the same question with the same values" if same else "another question"
    return Reply("same", json.dumps({"same": said, "reason": reason}), said)


def _alike(one: str, other: str) -> bool:
    words, others = (set(_WORD.findall(text)) for text in (one, other))
    numbers = sorted(_NUMBER.findall(one)) == sorted(_NUMBER.findall(other))
    return numbers and len(words & others) >= ALIKE * len(words | others)
