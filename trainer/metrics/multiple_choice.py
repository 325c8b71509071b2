"""Multiple choice: the answer is the letter of an option, or the exact text of an option."""

import re
from dataclasses import dataclass

from shared.answers.normal import plain, text_form
from shared.ports import Comparison, Grader

LETTER = "letter"
"""The answer type."""
_LETTER = re.compile(
    r"(?:\\(?:text|mathrm|mathbf|textbf)\s*\{)?\(?(?:option |choice |answer )?([A-Za-z])(?:[).:}]+(?:\s.*)?)?"
)
_OPTION = re.compile(r"^\(?([A-Z])[.):]\s+(.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class MultipleChoiceGrader:
    """Grades letters, and passes every other answer type to another grader."""

    other: Grader

    async def compare(self, key: str, answer: str, answer_type: str, question: str = "") -> Comparison:
        if answer_type != LETTER:
            return await self.other.compare(key, answer, answer_type, question)
        if (given := parse_letter(answer, question)) is None:
            return Comparison("unsure", LETTER, "neither a letter nor an option")
        return Comparison("yes" if given == key.upper() else "no", LETTER)


def parse_letter(answer: str, question: str) -> str | None:
    """Return the letter of the chosen option, None when unclear; options are lines of the question."""
    options: dict[str, str] = {letter: text_form(option) for letter, option in _OPTION.findall(question)}
    meant = [letter for letter, option in options.items() if option == text_form(answer)]
    if len(meant) == 1:
        return meant[0]
    found = _LETTER.fullmatch(plain(answer))
    letter = str(found[1]).upper() if found else None
    return letter if not options or letter in options else None
