"""Tiers, kinds of evidence and admissions of items. Events, tables and plans store the values."""

from enum import StrEnum


class Tier(StrEnum):
    """How well the evidence supports the key. Readers accept other values too: a later version may add one."""

    VERIFIED = "verified"
    """Each verifier found the key, both judge the item good, the key has more votes than any rival."""
    PLAUSIBLE = "plausible"
    """Both judge the item good, no rival has two votes, a verifier of another model than the writer found the key."""
    DISPUTED = "disputed"
    """A rival answer has votes of both verifiers, or at least two votes and as many as the key."""
    UNSOLVED = "unsolved"
    """None of the others: the problem is hard, or the key is wrong."""
    JUDGE_ONLY = "nodded"
    """Both judge the item good with the key in view; blind votes do not count (policy `paper`)."""

    REVIEWED = "reviewed"
    """A person says that the key is right, whatever the votes: it enters every view."""


class EvidenceKind(StrEnum):
    """What the panel requests beyond the first round. Services answer others, of later versions, as unable."""

    VOTE = "vote"
    """One more blind attempt of a verifier."""
    JUDGEMENT = "judgement"
    """Of a verifier that was unable to give one, with the key in view."""
    ADJUDICATION = "adjudication"
    """A blind choice between the key and a rival."""


IMPORTED_VIEWS = {"sft": "imported", "rl": "imported_rl"}
"""View of an imported row that does not count towards the plan's rows, by the view that it would enter if it did."""


class Admission(StrEnum):
    """The use of a row."""

    IN = "in"
    """Counts towards the target."""
    RESERVE = "reserve"
    """Beyond the target; admitted before new rows."""
    ASIDE = "aside"
    """Not for SFT."""
