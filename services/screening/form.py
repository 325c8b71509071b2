"""Checks the form of a problem by rules."""

import re
from collections.abc import Iterable
from unicodedata import east_asian_width

from schemas.config.plan import ENGLISH
from schemas.identity import normal_form
from schemas.item import Problem
from services.screening import questions
from shared.stats.guessing import guess_probability
from shared.text.controls import quote
from shared.text.languages import other_language

SHORTEST, LONGEST = 40, 8_000
"""Characters of a statement; Chinese ones and the like count twice. The paper's mean is 211 words."""
LONGEST_ANSWER = 300
"""Characters. A longer answer cannot be compared."""
LONG_ANSWER = 24
"""Characters from which an answer inside the statement is always a leak."""

_CHOICE = re.compile(r"\b(?:which|choose|select|pick)\b[^.?!]{0,40}\b(?:of|from) the (?:following|options)\b", re.I)
_OPTIONS = tuple(re.compile(rf"(?:^|\s)\(?{letter}[).:]\s") for letter in "ABCD")
_QUESTION_VERB = r"\s+(?:compute|determine|find|calculate|evaluate|prove|show|describe|give|state|derive|what|how)\b"
_PARTS = tuple(
    tuple(re.compile(rf"(?:^|\s)\(?{label}\)[:.]?{_QUESTION_VERB}", re.I) for label in labels)
    for labels in ("ab", ("i", "ii"))
)
"""Questions under consecutive labels. Conditions `(a)` and `(b)` are not questions, and numbers may be steps."""
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
_ADDRESS = re.compile(
    r"\b(?:https?|ftp|file|s3)://\S+|\bwww\.\w|\bdoi\.org\b|\barxiv\s*:?\s*\d{4}\.\d|\bdoi\s*:\s*10\.\d"
    r"|[\w.+-]+@[\w-]+\.[a-z]{2,}\b|\b(?:[\w-]+\.)+(?:com|org|net|edu|io|gov)\b(?:/\S*)?",
    re.I,
)
"""What names a place on a network."""
_TAG = re.compile(
    r"</?(?:br|hr|div|span|img|sub|sup|table|tr|td|th|ul|ol|li|h[1-6]|script|style|strong|em|font|center|pre|code|iframe"
    r"|svg|video|answer|solution|problem|question|instructions?|hint|reasoning|output|context)\b[^<>]*/?>"
    r"|<a\s+href\b|<(b|i|p|u|a)>.*?</\1>|!\[[^\]\n]*\]\(|\[/?(?:img|url|math|tex|latex|quote)\]"
    r"|\{\{\s*[a-z_]\w*\s*\}\}|\[(?:insert|todo|placeholder|your)\b[^\]]*\]|\bTODO\b",
    re.I | re.S,
)
"""Markup and placeholders that were meant for another program."""
_INDENTED = re.compile(r"```.*?```|`[^`\n]*`|^(?: {4}|\t).*$", re.S | re.M)
_PROOF_ANSWER = re.compile(r"\W*(?:proof(?::.*)?|q\.?\s*e\.?\s*d\.?|see (?:the )?proof|proven)\W*", re.I | re.DOTALL)
_PARAGRAPH = re.compile(r"[a-z)]{2}[.;!?]\s+[A-Z][a-z]+ .*[a-z)]{2}[.!?]|\n\s*\n", re.DOTALL)
"""Two complete sentences, or two paragraphs."""
_ANSWER_IS = re.compile(
    r"\b(?:answer|result|solution|correct value|key)(?: here)? (?:is|equals|=|should be|must be|will be|to be)\s*:?\s*"
    r"|\b(?:answer|solution|result|key|hint)\s*[:=]\s*",
    re.I,
)
_GIVEN_AWAY = re.compile(
    r"\b(?:finds?|gets?|obtains?|arrives? at|ends? up with|comes? (?:out )?(?:to|as|at|with)|turns? out to (?:be|equal)"
    r"|works? out (?:to|as)|evaluates? to|amounts? to|equals?|(?:is|be) equal to|yields?|gives?|expect(?:ed)?|reads?"
    r"|checks? that it is|namely|i\.e\.|should be|must be|ought to be|known to be|close to|hint:?)"
    r"\s*:?\s+(?:the |a |an )?(?:value |number |result |answer |exactly |precisely |about |that it is )*",
    re.I,
)
"""Phrases before a value. Such a value is a leak only if nobody can guess it: a small number may be a datum."""
_IS_ANSWER = re.compile(
    r"\s*\$?,?\s*(?:(?:then |indeed |in fact )?(?:comes|came) out\b|\(?(?:as|to be) (?:expected|confirmed|checked)"
    r"|(?:is|as|was|being) (?:the|your|our) (?:correct |right |expected |final |desired |sought |required )*"
    r"(?:answer|result|value|solution)\b|is what (?:one|you|we) (?:should )?(?:get|find))",
    re.I,
)
_THOUSANDS = re.compile(r"(?<=\d)(?:\{,\}|,|\\,|\u202f|\u00a0| )(?=\d{3}(?!\d))")
LEAST_UNGUESSED = 3
"""Characters of a key from which a value given in other words is a leak."""


_REQUESTED = {
    "multiple_choice": "it offers options",
    "proof": "a proof cannot be compared",
    "several_answers": "it asks several questions",
}


def find_flaw(problem: Problem, language: str = ENGLISH) -> tuple[str, str] | None:
    """Return reason and detail of the first flaw; None for a problem without one. `language` is the plan's."""
    statement, answer = problem.statement.strip(), problem.answer.strip()
    return _size(statement, answer) or _language(statement, language) or _kind(problem, statement, answer)


def _size(statement: str, answer: str) -> tuple[str, str] | None:
    if not statement or not answer:
        return "empty", f"the {'statement' if not statement else 'answer'} is empty"
    wide = sum(east_asian_width(char) in "WF" for char in statement)
    if len(statement) + wide < SHORTEST:
        return "too_short", f"{len(statement)} characters; the least is {SHORTEST}"
    if len(statement) > LONGEST:
        return "too_long", f"{len(statement)} characters; the most is {LONGEST}"
    if len(answer) > LONGEST_ANSWER:
        return "answer_too_long", f"{len(answer)} characters; the most is {LONGEST_ANSWER}"
    if _PARAGRAPH.search(answer):
        return "answer_too_long", f"the answer is a paragraph: {quote(answer)}"
    return None


def _language(statement: str, expected: str) -> tuple[str, str] | None:
    other = other_language(statement, expected)
    return ("other_language", f"it is in {other}, and the plan asks for {expected}") if other else None


def _kind(problem: Problem, statement: str, answer: str) -> tuple[str, str] | None:
    if match := _CHOICE.search(statement):
        return "multiple_choice", f"it offers options: {quote(match[0])}"
    if _follow(statement, _OPTIONS):
        return "multiple_choice", "it offers options A to D"
    if any(_follow(statement, labels) for labels in _PARTS):
        return "several_answers", "it asks several questions under labels"
    if match := _ELSEWHERE.search(statement):
        return "not_self_contained", f"it refers to something outside the problem: {quote(match[0])}"
    visible = _INDENTED.sub(" ", statement)
    if match := _ADDRESS.search(visible):
        return "not_self_contained", f"it names an address: {quote(match[0])}"
    if match := _TAG.search(visible):
        return "markup", f"it has tags or placeholders: {quote(match[0])}"
    if match := _PROOF.search(statement) or _PROOF_ANSWER.fullmatch(answer):
        return "proof", f"a proof cannot be compared: {quote(match[0])}"
    if asked := questions.find_flaw(problem):
        return asked[0], f"{_REQUESTED[asked[0]]}: {quote(asked[1])}"
    if leak := _leak(normal_form(statement), normal_form(answer).strip("$ .")):
        return "leak", f"the statement contains its answer: {quote(leak)}"
    return None


def _follow(statement: str, labels: Iterable[re.Pattern[str]]) -> bool:
    """Whether the labels occur in this order."""
    at = 0
    for label in labels:
        match = label.search(statement, at)
        if match is None:
            return False
        at = match.end() - 1
    return True


def _leak(statement: str, answer: str) -> str:
    """Return the part of the statement that reveals the answer; empty when none does."""
    if r"\boxed" in statement:
        return r"\boxed"
    statement, answer = _THOUSANDS.sub("", statement), _THOUSANDS.sub("", answer)
    if len(answer) >= LONG_ANSWER and answer in statement:
        return answer
    for phrase in _ANSWER_IS.finditer(statement):
        rest = statement[phrase.end() :].lstrip("$ ")
        after = rest[len(answer) : len(answer) + 1]
        if rest.startswith(answer) and not after.isalnum():
            return phrase[0] + answer
    return _given_away(statement, answer)


def _given_away(statement: str, answer: str) -> str:
    """Return the words that give away an answer which no guess would hit; empty when none do."""
    if len(answer) < LEAST_UNGUESSED or guess_probability(answer):
        return ""
    whole = re.compile(rf"(?<![\w.^{{\\]){re.escape(answer)}(?!\w|[.,]\d|\s*[-+*/^=({{\\_])")
    for found in whole.finditer(statement):
        if _IS_ANSWER.match(statement, found.end()):
            return statement[found.start() :][:60]
        before = statement[max(0, found.start() - 60) : found.start()].rstrip("$ ") + " "
        if phrase := next((one for one in _GIVEN_AWAY.finditer(before) if one.end() == len(before)), None):
            return phrase[0] + answer
    return ""
