"""The grader: compares an answer with the key."""

import json
import re

from services.simulator.answers import compare
from services.simulator.recognition import field
from services.simulator.roles.reply import Reply, TaskInput, UnsupportedRequest

_IN_WORDS = re.compile(r"^(?:it is|the (?:result|answer) is|exactly) |, no more and no less$| \(as the only answer\)$")
"""The words around an answer in the pairs by which a factory measures its judge."""


def answer_grade(task: TaskInput) -> Reply:
    """Compare the lines `Key` and `Answer`."""
    text = task.request.user_text
    key, answer = field(text, "Key"), field(text, "Answer")
    if key is None or answer is None:
        raise UnsupportedRequest("a grade needs a line `Key: …` and a line `Answer: …`")
    verdict = compare(_IN_WORDS.sub("", key), _IN_WORDS.sub("", answer))
    reason = {"yes": "same value", "no": "different values", "unsure": "cannot be compared"}[verdict]
    return Reply("grade", json.dumps({"working": "", "reason": reason, "agrees": verdict}), verdict)
