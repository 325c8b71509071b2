"""Finds flaws of a chain of thought without a model and without knowledge of the subject."""

import re
import unicodedata
from collections import Counter

from schemas.item import FAULTS, Attempt
from shared.llm.sanitize import has_token

NGRAM_WORDS = 16
"""Words of an n-gram. N-grams of this length rarely repeat by chance."""
MAX_REPETITION = 0.3
"""Share of repeated n-grams above which a trace is repetitive."""
MIN_WORDS = 200
"""Shorter texts are not checked for loops."""
MAX_FOREIGN = 0.1
"""Share of letters in scripts that the problem does not use, above which a trace has changed its language."""
MIN_TOPIC_OVERLAP = 0.1
"""Smallest share of the problem's words, numbers and commands that occurs in a trace about it."""
MIN_TERMS = 5
"""Problems with fewer terms are not checked for the topic."""

_EAST = "CJK HIRAGANA KATAKANA HANGUL BOPOMOFO THAI LAO KHMER MYANMAR TIBETAN"
_WEST = "CYRILLIC ARABIC HEBREW ARMENIAN GEORGIAN ETHIOPIC DEVANAGARI BENGALI GURMUKHI GUJARATI TAMIL TELUGU KANNADA"
_SCRIPTS = frozenset(f"{_EAST} {_WEST} MALAYALAM SINHALA".split())
"""First words of Unicode names of letters. Latin and Greek occur in formulas, so they are never foreign."""
_TERM = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]|\\[A-Za-z]+|[^\W\d_]{4,}|\d\d+")
_STEM = 6
"""Letters by which words are compared, to ignore endings."""
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
"""Words that occur in any problem."""
_STEMS = {word[:_STEM] for word in _COMMON.split()}
_MARKUP = re.compile(
    r"</?(?:think|thinking|thought|reasoning)>|◁/?think▷|<\|(?:begin|end)_of_thought\|>|<\|channel\|>", re.IGNORECASE
)
_SHOWN_ANSWER = re.compile(
    r"(?:reference|official|gold|ground[- ]truth) (?:answer|solution|key)|answer key|(?:given|provided|supplied) answer"
    r"|(?:given|provided|supplied) solution (?:says|said|states|gives|claims|concludes|uses|arrives|has the answer)"
    r"|(?:answer|solution) (?:that )?(?:i|we) (?:was|were|am|are) (?:given|told|shown)"
)
"""Phrases about an answer that was shown, in lower case. In chemistry solutions are given, so these need a verb."""


def find_flaws(attempt: Attempt, problem: str) -> tuple[str, ...]:
    """Return the flaws of an attempt: those that it has already, then those found here."""
    thinking, whole = attempt.reasoning, f"{attempt.reasoning}\n{attempt.solution}"
    is_found = {
        "no_thinking": not thinking,
        "no_answer": attempt.answer is None and not set(FAULTS) & set(attempt.flaws),
        "repetition": repetition_share(thinking) > MAX_REPETITION
        or repetition_share(attempt.solution) > MAX_REPETITION,
        "unclosed": _MARKUP.search(attempt.solution) is not None,
        "control_token": has_token(thinking)
        or _MARKUP.search(thinking) is not None
        or has_token(_MARKUP.sub("", attempt.solution)),
        "foreign_script": foreign_share(thinking, problem) > MAX_FOREIGN,
        "off_topic": topic_overlap(whole, problem) < MIN_TOPIC_OVERLAP,
        "told": mentions_shown_answer(whole, problem),
    }
    return tuple(dict.fromkeys((*attempt.flaws, *(flaw for flaw, found in is_found.items() if found))))


def repetition_share(text: str) -> float:
    """Share of n-grams that occurred earlier in the text; 0 for a short text."""
    words = text.split()
    if len(words) < MIN_WORDS:
        return 0.0
    total = len(words) - NGRAM_WORDS + 1
    return 1 - len(set(zip(*(words[start : start + total] for start in range(NGRAM_WORDS)), strict=True))) / total


def foreign_share(thinking: str, problem: str) -> float:
    """Share of the letters of a trace in scripts that the problem does not use."""
    if thinking.isascii():
        return 0.0
    scripts, letters = _scripts(thinking), sum(map(str.isalpha, thinking))
    return sum((scripts - Counter(dict.fromkeys(_scripts(problem), letters))).values()) / max(letters, 1)


def _scripts(text: str) -> Counter[str]:
    """Count letters by script, without scripts of formulas."""
    found: Counter[str] = Counter()
    for char, times in Counter(text).items():
        if char.isalpha() and (script := unicodedata.name(char, "").partition(" ")[0]) in _SCRIPTS:
            found[script] += times
    return found


def topic_overlap(text: str, problem: str) -> float:
    """Share of the problem's terms that occur in the text; 1 for a problem with few terms."""
    terms = _terms(problem)
    return len(terms & _terms(text)) / len(terms) if len(terms) >= MIN_TERMS else 1.0


def _terms(text: str) -> set[str]:
    return {term[:_STEM] for term in _TERM.findall(text.casefold())} - _STEMS


def mentions_shown_answer(text: str, problem: str) -> bool:
    """Whether the text mentions a shown answer in words that the problem does not use."""
    return bool(set(_SHOWN_ANSWER.findall(text.casefold())) - set(_SHOWN_ANSWER.findall(problem.casefold())))
