"""Answers that say that the problem has none: "cannot be determined", "insufficient information"."""

import re

from shared.answers.normal import text_form

_PHRASE = re.compile(
    r"(?:the |this |it |answer |problem |question |value |solution )*"
    r"(?:(?:can ?not|can t|could not|cannot) be (?:uniquely )?(?:determined|answered|decided)(?: uniquely)?"
    r"|(?:is |are )?(?:not (?:uniquely )?(?:determined|determinable)|undetermined|under ?determined|ill posed)"
    r"|(?:there is |there are )?(?:insufficient|not enough) (?:information|data)"
    r"|(?:has |there is )?no unique answer)"
    r"(?: (?:from|with|by|given|without) (?:the )?(?:given|available|more|further|provided)?"
    r" ?(?:information|data|statement|conditions?|assumptions?)?(?: given)?)?"
)


def is_undetermined(answer: str) -> bool:
    """Whether an answer says only that."""
    return _PHRASE.fullmatch(text_form(answer)) is not None
