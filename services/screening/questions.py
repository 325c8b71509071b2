"""What a statement asks for, by its sentences: proofs, options to choose from, several questions.

Quoted text and indented lines (speech, verse, code) are not read: they may ask what they like.
"""

import re
from itertools import pairwise

from schemas.item import Problem

COMPOSITE = ("set", "tuple", "list")
"""Types of answer that hold several values, so that a question may ask for them by two verbs."""

_QUOTED = re.compile(r"“[^”]*”|\"[^\"\n]*\"|‘[^’]*’|«[^»]*»|`[^`]*`|(?m:^(?: {4}|\t|>).*$)")
_SENTENCE = re.compile(r"(?<=[.?!;:])\s+|\n\s*\n")
_LABEL = r"(?:\(?(?:[a-h]|[ivx]{1,4}|\d{1,2})[).]\s*)?"
_OPENER = rf"^{_LABEL}(?:(?:please|now|then|next|first|finally|hence|also|instead|rigorously|carefully),?\s+)*"
_PROOF = (
    r"(?:(?:dis)?prove (?:that|the|or|it|this|rigorously|your)\b|show (?:(?:that|why|rigorously|how)\b|(?=\$|\\\())"
    r"|derive\b|justify\b|discuss\b"
    r"|verify (?:that|the|your|this|by)\b|demonstrate (?:that|why|how|the)\b|establish (?:that|the)\b|deduce that\b"
    r"|confirm that\b|give an? (?:\w+ )?(?:proof|derivation)\b|explain (?:why|how)\b)"
)
_ASK = r"(?:compute|determine|find|calculate|evaluate|identify|name|derive|estimate)"
_IMPERATIVE = rf"(?:{_ASK}|let|consider|suppose|use|give|state|write|take|define|describe|express|solve)"
_CONDITION = r"(?:for|using|by|with|given|under|in|if|assuming|without|from|when|on|let|suppose|as)"
_ASKS_PROOF = re.compile(
    rf"{_OPENER}{_PROOF}|^{_LABEL}{_CONDITION}\b.*,\s*(?:then\s+)?{_PROOF}"
    rf"|{_OPENER}{_IMPERATIVE}\b.*\b(?:and|then)\s+(?:(?:then|hence|rigorously|also)\s+)?{_PROOF}|\bthen {_PROOF}",
    re.I | re.S,
)
_ASKS = re.compile(rf"{_OPENER}(?:{_ASK}|what|how (?:many|much|long|far)|who|when|where|which)\b", re.I)
_ALSO = re.compile(rf"^(?:also|in addition|additionally|furthermore|moreover|besides|as well),?\s+{_ASK}\b", re.I)
_TWO_VERBS = re.compile(
    rf"(?:{_OPENER}{_ASK}|,\s*{_ASK})\b[^?.!]*,?\s(?:and|as well as)\s+(?:(?:then|also|finally)\s+)?"
    rf"(?:{_ASK}|(?:also|then|finally) (?:give|state)|what is|what are|how many|who)\b",
    re.I,
)
_TWO_QUESTIONS = re.compile(
    r"\b(?:how (?:many|much)|what|who|when|where)\b[^?]*,\s*and (?:how (?:many|much)|what (?:is|are|was)|who|when)\b"
    r"[^?]*\?$",
    re.I | re.S,
)
_NUMBERED = re.compile(rf"^\(?1[.)]\s+{_ASK}\b.*\s\(?2[.)]\s+{_ASK}\b", re.I | re.S)
_STEP = re.compile(r"(?:^|\s)\(?(?:\d{1,2}|[a-z])[.):]$", re.I)

_PICK = re.compile(
    r"\b(?:which|what|who)(?: one)? (?:of|among|from)\b[^?.!]*\b(?:following|options|alternatives|choices)\b"
    r"|\b(?:which|what|who)\b[^?.!]{0,120}:[^?!]*,[^?!]*\bor\b[^?!]*\?"
    r"|\b(?:which|who)\b[^?.!]{0,120}[,—–-]\s*(?:(?:is it|was it)\s+)?[^?.!,]+,[^?.!]*\bor\b[^?.!]*\?"
    r"|\b(?:options|choices|alternatives|candidates)(?: are)?\s*:"
    r"|\bwhich (?:one )?(?:is|are|was|were|has|have) (?:the )?(?:more|less|\w+er)\b[^?.!]{0,60},[^?.!]*\bor\b[^?.!]*"
    r"\?"
    r"|(?:^|[.?!]\s+)(?:answer:? )?true or false\s*[:?]"
    r"|\b(?:from|among) the (?:following )?(?:list|options|choices)\b[^.?!]{0,120}\b(?:select|choose|pick)\b"
    r"(?!.*\brandom)"
    r"|\banswer with (?:one of|either)\b|\b(?:correct|right) (?:option|alternative|choice|letter)\b"
    r"|\b(?:choose|select|pick|tick|mark)\b[^.?!]{0,60}(?:\b(?:correct|right|best)\b"
    r"|\b(?:from|among|between|one of|option|letter|statement)\b[^.?!]{0,30}:)",
    re.I,
)
_EITHER = re.compile(
    r"^(?:(?:then|so|now|overall|finally),?\s+)?(?:is|are|was|were|does|do|did|will|would|has|have|can)\b.*\bor\b.*\?$",
    re.I | re.S,
)
_ROMAN = ("i", "ii", "iii")
_CUE = re.compile(
    r"\b(?:which|what) (?:one )?(?:of|is|are|statement|option|among|holds|condition)\b|\bchoose\b|\bselect\b|\bpick\b"
    r"|\boptions?\b|\bone of (?:the|these)\b|\bis it\b|\bis (?:true|correct|false)\b",
    re.I,
)


def find_flaw(problem: Problem) -> tuple[str, str] | None:
    """Return reason and matched text of a question that no single answer settles, or that offers its answers."""
    text = _QUOTED.sub(" “…” ", problem.statement)
    sentences = _sentences(text)
    if match := _PICK.search(text):
        return "multiple_choice", match[0]
    if either := next((one for one in sentences if _EITHER.search(one)), None):
        return "multiple_choice", either
    if _CUE.search(text) and any(_follow(text, label) for label in (r"\({}\)", r"\b{}\)", r"\b{}\.")):
        return "multiple_choice", "options (i), (ii), (iii)"
    if match := next((match for one in sentences if (match := _ASKS_PROOF.search(one))), None):
        return "proof", match[0]
    if numbered := _NUMBERED.search(text):
        return "several_answers", numbered[0]
    if second := _second_question(sentences, composite=problem.answer_type in COMPOSITE):
        return "several_answers", second
    return None


def _sentences(text: str) -> list[str]:
    """Split into sentences; a label of a step stays with what follows."""
    parts = [part.strip() for part in _SENTENCE.split(text) if part.strip()]
    return ["" if _STEP.search(before) else part for before, part in pairwise(["", *parts])]


def _follow(text: str, label: str) -> bool:
    """Whether options (i), (ii) and (iii) occur in this order."""
    at = 0
    for number in _ROMAN:
        match = re.compile(rf"(?<!\w){label.format(number)}(?=\s)").search(text, at)
        if match is None:
            return False
        at = match.end()
    return True


def _second_question(sentences: list[str], *, composite: bool) -> str:
    """Return the sentence that asks a second question; empty when none does."""
    questions = [one for one in sentences if one.endswith("?")]
    if len(questions) > 1:
        return questions[1]
    asking = [one for one in sentences if _ASKS.search(one)]
    for one in sentences:
        if asking and _ALSO.search(one) and not composite:
            return one
        if not composite and (match := _TWO_VERBS.search(one) or _TWO_QUESTIONS.search(one)):
            return match[0]
    closing = [one for one in asking if one.endswith((".", "?", "!"))]
    return closing[1] if len(closing) > 1 and not composite else ""
