"""Which rows are held out: kept from every training view, to measure a model on what it cannot have learnt by heart.

Twins, variants of one problem that differ in their numbers, would leak it. So a row is not drawn by itself, but by a
hash of what its twins share; and whole topics are held out besides. Nothing is remembered: in every dataset, the same
statement falls on the same side under the same shares. Only a twin written for another topic than a held-out one may
lie on the other side.
"""

import re

from schemas.config.policies import HeldOut
from schemas.identity import content_hash, normal_form

TRAIN, HELD_OUT = "train", "held_out"

_NUMBER = re.compile(r"[-+−]?\d+(?:[.,]\d+)*")


def cluster(statement: str) -> str:
    """Equal for statements that differ only in numbers, white space, case or Unicode form."""
    return content_hash("".join(_NUMBER.sub("", normal_form(statement)).split()))


def split(shares: HeldOut, subject: str, topic: str, statement: str) -> str:
    """The side of a row."""
    whole_topic = _draw(f"topic/{normal_form(subject)}/{normal_form(topic)}") < shares.topics
    return HELD_OUT if whole_topic or _draw(f"cluster/{cluster(statement)}") < shares.share else TRAIN


def _draw(what: str) -> float:
    """A number in [0, 1) that follows from the text."""
    return int(content_hash(what)[:13], 16) / 16**13
