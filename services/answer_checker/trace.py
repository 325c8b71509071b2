"""Is a chain of thought sound? What can be seen without a model and without knowing the subject."""

import re
import unicodedata
from collections import Counter

from schemas.item import FAULTS, Attempt

GRAM = 16
"""Words of an n-gram; by chance none of this length comes back often."""
LOOP = 0.3
"""Share of n-grams that were there before, above which a trace goes round in circles."""
LEAST_WORDS = 200
"""Shorter texts are not checked for loops."""
FOREIGN = 0.1
"""Share of the letters in scripts that the problem does not use, above which a trace has changed its language."""
LEAST_SHARED = 0.1
"""Share of the problem's words, numbers and commands that a trace about it takes up, at the very least."""
LEAST_TERMS = 5
"""A problem with fewer has too little in it to be recognised by."""

_EAST = "CJK HIRAGANA KATAKANA HANGUL BOPOMOFO THAI LAO KHMER MYANMAR TIBETAN"
_WEST = "CYRILLIC ARABIC HEBREW ARMENIAN GEORGIAN ETHIOPIC DEVANAGARI BENGALI GURMUKHI GUJARATI TAMIL TELUGU KANNADA"
_SCRIPTS = frozenset(f"{_EAST} {_WEST} MALAYALAM SINHALA".split())
"""By the first word of a letter's Unicode name. Latin and Greek are in every formula, so they are never foreign."""
_TERM = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]|\\[A-Za-z]+|[^\W\d_]{4,}|\d\d+")
_STEM = 6
"""Letters by which a word is known, whatever its ending."""
_COMMON = (
    "about above after again also another answer because been before begin below between both case certain choose"
    " compute consider consist could define denote determine different each either equal every exactly express find"
    " first follow form from give given have here however integer into itself know large last least like long made"
    " make many more most must name namely need nonzero number obtain occur only order other over pair part place"
    " point positive possible problem question represent result right same second several shall should show simple"
    " single small some such suppose take than that their them then there these they thing this those three through"
    " time total under unique until upon used value very well were what when where whether which while whole whose"
    " will with within without word would write written your"
)
"""Words of any problem and any trace."""
_STEMS = {word[:_STEM] for word in _COMMON.split()}
_MARKUP = re.compile(
    r"</?(?:think|thinking|thought|reasoning)>|◁/?think▷|<\|(?:begin|end)_of_thought\|>|<\|channel\|>", re.IGNORECASE
)
_TOLD = re.compile(
    r"(?:reference|official|gold|ground[- ]truth) (?:answer|solution|key)|answer key|(?:given|provided|supplied) answer"
    r"|(?:given|provided|supplied) solution (?:says|said|states|gives|claims|concludes|uses|arrives|has the answer)"
    r"|(?:answer|solution) (?:that )?(?:i|we) (?:was|were|am|are) (?:given|told|shown)",
    re.IGNORECASE,
)
"""Words of somebody who was shown an answer. Chemists are given solutions, so these must say something."""


def flaws(attempt: Attempt, problem: str) -> tuple[str, ...]:
    """What is unsound: those already noted, then no_thinking, no_answer, repetition and those named below."""
    thinking, whole = attempt.reasoning, f"{attempt.reasoning}\n{attempt.solution}"
    found = {
        "no_thinking": not thinking,
        "no_answer": attempt.answer is None and not set(FAULTS) & set(attempt.flaws),
        "repetition": repeats(thinking) > LOOP or repeats(attempt.solution) > LOOP,
        "unclosed": _MARKUP.search(attempt.solution) is not None,
        "foreign_script": foreign(thinking, problem) > FOREIGN,
        "off_topic": shared(whole, problem) < LEAST_SHARED,
        "told": assertion_flaw(whole, problem),
    }
    return tuple(dict.fromkeys((*attempt.flaws, *(flaw for flaw, there in found.items() if there))))


def repeats(text: str) -> float:
    """Share of 16-word n-grams that occurred earlier in the text; 0 for a short text."""
    words = text.split()
    if len(words) < LEAST_WORDS:
        return 0.0
    total = len(words) - GRAM + 1
    return 1 - len(set(zip(*(words[start : start + total] for start in range(GRAM)), strict=True))) / total


def foreign(thinking: str, problem: str) -> float:
    """Share of the letters of a trace in scripts that the problem does not use."""
    scripts, letters = _scripts(thinking), sum(map(str.isalpha, thinking))
    return sum((scripts - Counter(dict.fromkeys(_scripts(problem), letters))).values()) / max(letters, 1)


def _scripts(text: str) -> Counter[str]:
    """Letters by script, of the scripts that are no one's formula."""
    found: Counter[str] = Counter()
    for char, times in Counter(text).items():
        if char.isalpha() and (script := unicodedata.name(char, "").partition(" ")[0]) in _SCRIPTS:
            found[script] += times
    return found


def shared(text: str, problem: str) -> float:
    """Share of the problem's terms that come up in the text; 1 for a problem of hardly any."""
    terms = _terms(problem)
    return len(terms & _terms(text)) / len(terms) if len(terms) >= LEAST_TERMS else 1.0


def _terms(text: str) -> set[str]:
    return {term[:_STEM] for term in _TERM.findall(text.casefold())} - _STEMS


def assertion_flaw(text: str, problem: str) -> bool:
    """Whether the text speaks of an answer that it was shown, where the problem does not."""
    return bool(
        {said.casefold() for said in _TOLD.findall(text)} - {said.casefold() for said in _TOLD.findall(problem)}
    )
