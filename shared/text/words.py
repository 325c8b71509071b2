"""The words of a text, and what of them is left when it is told in another way."""

import re
import unicodedata
from itertools import pairwise

TEMPLATE_SIMILARITY = 0.7
"""Share of common `word_pairs` from which two problems are of one template."""

_LOOKS = re.compile(
    r"\\(?:(?:left|right)(?![a-z])\.?|(?:displaystyle|mathstrut|q?quad|[dt]?frac)(?![a-z])|[,;:!> ])|[$~]"
)
_GREEK = (
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho sigma tau "
    "upsilon phi varphi chi psi omega"
)
_NAMES = frozenset(_GREEK.split())
_WORD = re.compile(r"#|[^\W\d_]+|\d+(?:\.\d+)?")
_CLAUSE = re.compile(r"[.,;:?!()]+")


def words(text: str) -> list[str]:
    """Words and numbers in lower case, LaTeX's commands by their name; no punctuation."""
    return _WORD.findall(_normalise(text))


def words_without_names(text: str) -> list[str]:
    """`words` with `@` for whatever may be renamed: single letters, Greek ones too."""
    return [_without_name(word) for word in words(text)]


def word_pairs(text: str) -> frozenset[str]:
    """Neighbours among `words_without_names` words, never across punctuation, so that clauses may change places.

    A clause of one word counts as that word; repeated marks as one, so that the size of a matrix is no matter.
    """
    found: set[str] = set()
    for clause in _CLAUSE.split(_normalise(text)):
        run: list[str] = []
        for word in map(_without_name, _WORD.findall(clause)):
            if word not in ("#", "@") or run[-1:] != [word]:
                run.append(word)
        found.update(map(" ".join, pairwise(run)) if len(run) > 1 else run)
    return frozenset(found)


def _normalise(text: str) -> str:
    return _LOOKS.sub(" ", unicodedata.normalize("NFKC", text).casefold())


def _without_name(word: str) -> str:
    return "@" if (len(word) == 1 and word.isalpha()) or word in _NAMES else word
