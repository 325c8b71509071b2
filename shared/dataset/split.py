"""Assigns rows to the held-out split, which is in no training view: it measures a model on unseen problems.

Variants of one problem with other numbers would leak it. So the draw is a hash of what variants share, and whole topics
are held out as well. It has no state: in every dataset, the same statement and shares give the same split. Only a
variant that was written for another topic than a held-out one may be in the other split.
"""

import re

from schemas.config.policies import HeldOut
from schemas.identity import content_hash, normal_form

TRAIN, HELD_OUT = "train", "held_out"

_NUMBER = re.compile(r"[-+−]?\d+(?:[.,]\d+)*")


def cluster_key(statement: str) -> str:
    """Return a key that is equal for statements that differ only in numbers, white space, case or Unicode form."""
    return content_hash("".join(_NUMBER.sub("", normal_form(statement)).split()))


def assign_split(shares: HeldOut, subject: str, topic: str, statement: str) -> str:
    """Return the split of a row: TRAIN or HELD_OUT."""
    whole_topic = _uniform(f"topic/{normal_form(subject)}/{normal_form(topic)}") < shares.topics
    return HELD_OUT if whole_topic or _uniform(f"cluster/{cluster_key(statement)}") < shares.share else TRAIN


def _uniform(what: str) -> float:
    """Return a number in [0, 1) derived from the text."""
    return int(content_hash(what)[:13], 16) / 16**13
