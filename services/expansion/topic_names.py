"""Compares names of topics by their words. Spelling, endings and the order of parts are ignored.

Paraphrases are not recognised: "Galois cohomology" and "cohomology of Galois groups" are two topics.
"""

import re
import unicodedata
from difflib import SequenceMatcher

from schemas.identity import normal_form

_SEPARATOR = re.compile(r"\s*(?:,|&|\band\b)\s*")
_STOP_WORDS = frozenset({"the", "an", "of", "in", "for", "on", "to", "with", "by", "via", "from", "at", "its", "their"})
"""Words that distinguish no topics. "a" is not one of them: it may be a name, as in "vitamin A"."""
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
"""Normalisation of a word for comparison: British and American spelling, singular and plural."""

MIN_COMMON_PREFIX = 5
"""Leading letters that a misspelt word must share: an earlier difference is another prefix, as micro- and macro-."""
MIN_SIMILARITY = 0.92
"""Similarity from which a word counts as misspelt: one letter in thirteen. Alcohols and acids differ by one in ten."""


def canonical_name(name: str) -> str:
    """Return a form that is equal for names of the same topic, except for misspellings."""
    unaccented = "".join(
        char for char in unicodedata.normalize("NFKD", normal_form(name)) if not unicodedata.combining(char)
    )
    parts = (re.findall(r"\w+", re.sub(r"['’]s?\b", "", part)) for part in _SEPARATOR.split(unaccented))
    return " and ".join(sorted(" ".join(map(_word, part)) for part in map(_significant, parts) if part))


def is_misspelling(form: str, other: str) -> bool:
    """Whether two canonical names differ by at most a misspelling: hyphens, or one letter of a long word."""
    if form.replace(" ", "") == other.replace(" ", ""):
        return True
    words, others = form.split(), other.split()
    return len(words) == len(others) and all(map(_is_same_word, words, others))


def _significant(words: list[str]) -> list[str]:
    return [word for word in words if word not in _STOP_WORDS] or words


def _word(word: str) -> str:
    for pattern, replacement in _SPELLINGS if len(word) > 3 and word.isalpha() else ():
        word = re.sub(pattern, replacement, word)
    return word


def _is_same_word(word: str, other: str) -> bool:
    return word == other or (
        word[:MIN_COMMON_PREFIX] == other[:MIN_COMMON_PREFIX]
        and SequenceMatcher(None, word, other).ratio() >= MIN_SIMILARITY
    )
