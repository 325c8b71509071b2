"""The form of a problem: what a rule can refuse, with the reason."""

import re
from collections.abc import Iterable

from schemas.identity import normal_form
from schemas.item import Problem

SHORTEST, LONGEST = 40, 8_000
"""Characters of a statement. The paper's mean is 211 words."""
LONGEST_ANSWER = 300
"""Characters. A longer answer cannot be compared."""
LONG_ANSWER = 24
"""Characters from which an answer inside the statement is a leak whatever stands around it."""

_CHOICE = re.compile(r"\b(?:which|choose|select|pick)\b[^.?!]{0,40}\b(?:of|from) the (?:following|options)\b", re.I)
_OPTIONS = tuple(re.compile(rf"(?:^|\s)\(?{letter}[).:]\s") for letter in "ABCD")
_QUESTION_VERB = r"\s+(?:compute|determine|find|calculate|evaluate|prove|show|describe|give|state|derive|what|how)\b"
_PARTS = tuple(
    tuple(re.compile(rf"(?:^|\s)\(?{label}\)[:.]?{_QUESTION_VERB}", re.I) for label in labels)
    for labels in ("ab", ("i", "ii"))
)
"""Questions under labels that follow one another; conditions `(a)` and `(b)` do not ask, and numbers may be steps."""
_ELSEWHERE = re.compile(
    r"\b(?:as|like|than) (?:in|for) the (?:previous|preceding|last|above) (?:problem|question|exercise|part|example)\b"
    r"|\b(?:the|your|our) (?:previous|preceding) (?:problem|question|exercise|conversation|answer)\b"
    r"|\b(?:see|shown in|consult|refer to) (?:the )?(?:figure|fig\.|diagram|picture|image)(?!\w)"
    r"|\b(?:figure|picture|image) (?:below|above|shown|on the (?:left|right))\b|\b(?:in|from) (?:figure|fig\.) ?\d"
    r"|\b(?:attached|accompanying|enclosed) (?:figure|diagram|picture|image|file|table|document)\b"
    r"|\b(?:theorem|lemma|proposition|corollary|equation|eq\.|exercise|section|chapter) \(?\d+\.\d+",
    re.I,
)
_PROOF = re.compile(
    r"(?:^|[.?!:;]\s+|\bthen |\band )(?:dis)?prove (?:that|the|or)\b|\bgive a (?:rigorous )?proof\b", re.I
)
_PROOF_ANSWER = re.compile(r"\W*(?:proof(?::.*)?|q\.?\s*e\.?\s*d\.?|see (?:the )?proof|proven)\W*", re.I | re.DOTALL)
_PARAGRAPH = re.compile(r"[a-z)]{2}[.;!?]\s+[A-Z][a-z]+ .*[a-z)]{2}[.!?]|\n\s*\n", re.DOTALL)
"""Two whole sentences, or two paragraphs."""
_ANSWER_IS = re.compile(r"\b(?:answer|result|solution) (?:is|equals|=)\s*:?\s*|\banswer:\s*", re.I)


def find_flaw(problem: Problem) -> tuple[str, str] | None:
    """Reason and detail of the first flaw found; None for a problem of good form."""
    statement, answer = problem.statement.strip(), problem.answer.strip()
    return _size(statement, answer) or _kind(statement, answer)


def _size(statement: str, answer: str) -> tuple[str, str] | None:
    if not statement or not answer:
        return "empty", f"the {'statement' if not statement else 'answer'} is empty"
    if len(statement) < SHORTEST:
        return "too_short", f"{len(statement)} characters; the least is {SHORTEST}"
    if len(statement) > LONGEST:
        return "too_long", f"{len(statement)} characters; the most is {LONGEST}"
    if len(answer) > LONGEST_ANSWER:
        return "answer_too_long", f"{len(answer)} characters; the most is {LONGEST_ANSWER}"
    if _PARAGRAPH.search(answer):
        return "answer_too_long", f"the answer is a paragraph: {_quote(answer)}"
    return None


def _kind(statement: str, answer: str) -> tuple[str, str] | None:
    if found := _CHOICE.search(statement):
        return "multiple_choice", f"it offers options: {_quote(found[0])}"
    if _follow(statement, _OPTIONS):
        return "multiple_choice", "it offers options A to D"
    if any(_follow(statement, labels) for labels in _PARTS):
        return "several_answers", "it asks several questions under labels"
    if found := _ELSEWHERE.search(statement):
        return "not_self_contained", f"it refers to what is not there: {_quote(found[0])}"
    if found := _PROOF.search(statement) or _PROOF_ANSWER.fullmatch(answer):
        return "proof", f"a proof cannot be compared: {_quote(found[0])}"
    if leak := _leak(normal_form(statement), normal_form(answer).strip("$ .")):
        return "leak", f"the statement holds its answer: {_quote(leak)}"
    return None


def _follow(statement: str, labels: Iterable[re.Pattern[str]]) -> bool:
    """Whether the labels follow one another."""
    at = 0
    for label in labels:
        found = label.search(statement, at)
        if found is None:
            return False
        at = found.end() - 1
    return True


def _leak(statement: str, answer: str) -> str:
    """Where the answer is given away; empty when it is not."""
    if r"\boxed" in statement:
        return r"\boxed"
    if len(answer) >= LONG_ANSWER and answer in statement:
        return answer
    for told in _ANSWER_IS.finditer(statement):
        rest = statement[told.end() :].lstrip("$ ")
        after = rest[len(answer) : len(answer) + 1]
        if rest.startswith(answer) and not after.isalnum():
            return told[0] + answer
    return ""


def _quote(text: str) -> str:
    """The start of a find, on one line."""
    line = " ".join(text.split())
    return f"“{line[:80]}…”" if len(line) > 80 else f"“{line}”"
