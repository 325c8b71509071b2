"""Words of a text, normalised for the comparison of reworded problems."""

import re
import unicodedata
from itertools import pairwise

TEMPLATE_SIMILARITY = 0.7
"""Share of common `word_pairs` from which two problems have one template."""

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
    """Words and numbers in lower case, LaTeX commands by name; without punctuation."""
    return _WORD.findall(_normalise(text))


def words_without_names(text: str) -> list[str]:
    """`words` with `@` for names of variables: single letters, also Greek ones."""
    return [_without_name(word) for word in words(text)]


def word_pairs(text: str) -> frozenset[str]:
    """Pairs of adjacent `words_without_names` within a clause, so the order of clauses is ignored.

    A clause of one word counts as that word. Repeated `#` or `@` count as one, so the size of a matrix is ignored.
    """
    pairs: set[str] = set()
    for clause in _CLAUSE.split(_normalise(text)):
        run: list[str] = []
        for word in map(_without_name, _WORD.findall(clause)):
            if word not in ("#", "@") or run[-1:] != [word]:
                run.append(word)
        pairs.update(map(" ".join, pairwise(run)) if len(run) > 1 else run)
    return frozenset(pairs)


def _normalise(text: str) -> str:
    return _LOOKS.sub(" ", unicodedata.normalize("NFKC", text).casefold())


def _without_name(word: str) -> str:
    return "@" if (len(word) == 1 and word.isalpha()) or word in _NAMES else word
