"""Do two names mean the same topic? By their words: spelling, endings and the order of parts do not count.

What cannot be seen in the words is not seen: "Galois cohomology" and "cohomology of Galois groups" are two topics.
"""

import re
import unicodedata
from difflib import SequenceMatcher

from schemas.identity import normal_form

_JOINT = re.compile(r"\s*(?:,|&|\band\b)\s*")
_LITTLE = frozenset({"the", "an", "of", "in", "for", "on", "to", "with", "by", "via", "from", "at", "its", "their"})
"""Words that no topic differs by. "a" is none of them: it may be a name, as in "vitamin A"."""
_SPELLINGS = (
    (r"([yie])ses$", r"\1sis"),  # analyses, bases of hypotheses
    (r"(ss|sh|ch|x)es$", r"\1"),  # classes
    (r"(?<=\w{2})ies$", "y"),  # theories
    (r"(?<=\w{2})(?<![sui])s$", ""),  # groups, but neither loss, genus nor basis
    (r"(?<=[a-z]{2})our", "or"),  # behaviour
    (r"z", "s"),  # renormalization, analyze
    (r"ae|oe", "e"),  # haemoglobin, oestrogen
    (r"ph", "f"),  # sulphur
    (r"(?<=\w{2})re$", "er"),  # fibre
    (r"(?<=\w{2})ce$", "se"),  # defence
    (r"ogue$", "og"),  # analogue
    (r"ll", "l"),  # modelling
)
"""What a word is brought to before it is compared; British and American, one and many. It need not be a word."""

STEM = 5
"""Letters at which a mistyped word must agree: what differs earlier is another prefix, as in micro- and macro-."""
NEAR = 0.92
"""Likeness from which a word is taken for mistyped: one letter in thirteen. Alcohols and acids differ by one in ten."""


def same_topic(name: str) -> str:
    """Equal for names of the same topic, a slip of the pen aside."""
    plain = "".join(
        sign for sign in unicodedata.normalize("NFKD", normal_form(name)) if not unicodedata.combining(sign)
    )
    parts = (re.findall(r"\w+", re.sub(r"['’]s?\b", "", part)) for part in _JOINT.split(plain))
    return " and ".join(sorted(" ".join(map(_word, part)) for part in map(_significant, parts) if part))


def near(form: str, other: str) -> bool:
    """Whether two forms of `same_topic` differ by a slip of the pen at most: in hyphens, or a letter of a long word."""
    if form.replace(" ", "") == other.replace(" ", ""):
        return True
    words, others = form.split(), other.split()
    return len(words) == len(others) and all(map(_slip, words, others))


def _significant(words: list[str]) -> list[str]:
    return [word for word in words if word not in _LITTLE] or words


def _word(word: str) -> str:
    for pattern, instead in _SPELLINGS if len(word) > 3 and word.isalpha() else ():
        word = re.sub(pattern, instead, word)
    return word


def _slip(word: str, other: str) -> bool:
    return word == other or (word[:STEM] == other[:STEM] and SequenceMatcher(None, word, other).ratio() >= NEAR)
