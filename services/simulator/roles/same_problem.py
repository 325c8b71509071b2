"""The comparison of two statements: whether they are the same problem."""

import json
import re

from services.simulator.recognition import field, recognise
from services.simulator.roles.reply import Reply, TaskInput, UnsupportedRequest

_NUMBER = re.compile(r"\d+")
_WORD = re.compile(r"\w+")
ALIKE = 0.5
"""Minimum share of common words for two texts with the same numbers to be the same problem."""


def answer_same(task: TaskInput) -> Reply:
    """Compare the lines `One` and `Other`, as problems of the bank, otherwise by their words and numbers."""
    text = task.request.user_text
    one, other = field(text, "One"), field(text, "Other")
    if one is None or other is None:
        raise UnsupportedRequest("to compare problems takes a line `One: …` and a line `Other: …`")
    sightings = [recognise(each, task.bank) for each in (one, other)]
    same = (
        sightings[0].problem.id == sightings[1].problem.id
        if sightings[0] and sightings[1]
        else _alike(one.lower(), other.lower())
    )
    verdict = "yes" if same else "no"
    reason = "the same question with the same values" if same else "another question"
    return Reply("same", json.dumps({"working": "", "reason": reason, "same": verdict}), verdict)


def _alike(one: str, other: str) -> bool:
    words, others = (set(_WORD.findall(text)) for text in (one, other))
    numbers = sorted(_NUMBER.findall(one)) == sorted(_NUMBER.findall(other))
    return numbers and len(words & others) >= ALIKE * len(words | others)
