"""Topic expansion: topics of a subject from a hand-written hierarchy."""

import json
from functools import cache
from importlib.resources import files

from services.simulator.bank import SUBJECTS
from services.simulator.recognition import field
from services.simulator.roles.reply import Reply, TaskInput, UnsupportedRequest
from services.simulator.sampling import seeded_random


def subject_of(text: str) -> str:
    """Return the subject that the prompt names. Raises UnsupportedRequest for an unknown subject."""
    subject = " ".join((field(text, "Subject") or "").lower().replace("_", " ").replace("-", " ").split()).rstrip(".")
    if subject not in SUBJECTS:
        raise UnsupportedRequest(f"the bank has no subject {subject!r}; it has {', '.join(SUBJECTS)}")
    return subject


@cache
def hierarchy(subject: str) -> tuple[tuple[str, str, str], ...]:
    """Return (field, subfield, topic) rows; the file's lines are `field > subfield: topic; topic`."""
    text = files("services.simulator").joinpath("hierarchy", f"{subject.replace(' ', '_')}.txt").read_text("utf-8")
    rows = []
    for line in filter(str.strip, text.splitlines()):
        path, _, topics = line.partition(":")
        above, _, below = path.partition(">")
        rows += [(above.strip(), below.strip(), topic.strip()) for topic in topics.split(";")]
    return tuple(rows)


def answer_topics(task: TaskInput) -> Reply:
    """Return `Count` topics of `Subject` that are not in `Already have`, in an order that depends only on the seed."""
    text = task.request.user_text
    subject = subject_of(text)
    count = int(field(text, "Count") or 10)
    existing = {topic.strip().casefold() for topic in (field(text, "Already have") or "").split(";")}
    rows = list(hierarchy(subject))
    seeded_random(task.bank.seed, "topics", subject).shuffle(rows)
    selected = [row for row in rows if row[2].casefold() not in existing][:count]
    topics = [{"field": a, "subfield": b, "topic": c} for a, b, c in selected]
    return Reply("topics", json.dumps({"topics": topics}), f"{len(topics)} of {count}")
