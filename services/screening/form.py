"""The form of a problem: what a rule can refuse, with the reason."""

import re

from schemas.identity import normal_form
from schemas.item import Problem

SHORTEST, LONGEST = 40, 8_000
"""Characters of a statement. The paper's mean is 211 words."""
LONGEST_ANSWER = 300
"""Characters. A longer answer cannot be compared."""
TELLING = 24
"""Characters from which an answer inside the statement is a leak whatever stands around it."""

_CHOICE = re.compile(r"\b(?:which|choose|select|pick)\b[^.?!]{0,40}\b(?:of|from) the (?:following|options)\b", re.I)
_LABELS = tuple(re.compile(rf"(?:^|\s)\(?{letter}[).:]\s") for letter in "ABCD")
_PROOF = re.compile(
    r"(?:^|[.?!:;]\s+|\bthen |\band )(?:dis)?prove (?:that|the|or)\b|\bgive a (?:rigorous )?proof\b", re.I
)
_PROOF_ANSWER = re.compile(r"\W*(?:proof(?::.*)?|q\.?\s*e\.?\s*d\.?|see (?:the )?proof|proven)\W*", re.I | re.DOTALL)
_ANSWER_IS = re.compile(r"\b(?:answer|result|solution) (?:is|equals|=)\s*:?\s*|\banswer:\s*", re.I)


def flaw(problem: Problem) -> tuple[str, str] | None:
    """Reason and detail of the first flaw found; None for a problem of good form."""
    statement, answer = problem.statement.strip(), problem.answer.strip()
    if not statement or not answer:
        return "empty", f"the {'statement' if not statement else 'answer'} is empty"
    if len(statement) < SHORTEST:
        return "too_short", f"{len(statement)} characters; the least is {SHORTEST}"
    if len(statement) > LONGEST:
        return "too_long", f"{len(statement)} characters; the most is {LONGEST}"
    if len(answer) > LONGEST_ANSWER:
        return "answer_too_long", f"{len(answer)} characters; the most is {LONGEST_ANSWER}"
    if found := _CHOICE.search(statement):
        return "multiple_choice", f"it offers options: {_quote(found[0])}"
    if _offers_options(statement):
        return "multiple_choice", "it offers options A to D"
    if found := _PROOF.search(statement) or _PROOF_ANSWER.fullmatch(answer):
        return "proof", f"a proof cannot be compared: {_quote(found[0])}"
    if leak := _leak(normal_form(statement), normal_form(answer).strip("$ .")):
        return "leak", f"the statement holds its answer: {_quote(leak)}"
    return None


def _offers_options(statement: str) -> bool:
    """Whether labels A, B, C, D follow one another."""
    at = 0
    for label in _LABELS:
        found = label.search(statement, at)
        if found is None:
            return False
        at = found.end() - 1
    return True


def _leak(statement: str, answer: str) -> str:
    """Where the answer is given away; empty when it is not."""
    if r"\boxed" in statement:
        return r"\boxed"
    if len(answer) >= TELLING and answer in statement:
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
