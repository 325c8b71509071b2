"""What is never compared, nor shown to a judge: empty answers, stock phrases, bare letters, texts far too long.

Two empty answers are equal, and so are two replies that stopped at "Solution:"; neither says that a key is right.
"""

import re

from shared.answers.normal import plain, text_form

LONGEST = 1000
"""Characters of an answer; beyond, it is no concise answer and may be made to cost time."""

_STOCK = re.compile(
    r"(?:the |your |my )?(?:final )?(?:answer|result|solution|key|proof)(?: here)?|step 1|(?:thought|thinking) process"
    r"|thoughts?|thinking|reasoning|analysis|explanation|(?:as|see)(?: shown)?(?: above| below| solution)|not sure"
    r"|i do ?n(?:o| )t know|unknown|n a|tbd|todo|placeholder"
    r"|(?:let s |let us |we |i will |to )?(?:solve|think about|work through) (?:this|it|the)(?: problem| question)?"
    r"(?: step by step| carefully)?|step by step|here i?s (?:the|my) (?:answer|solution)|(?:the )?answer is"
    r"|as follows|解|解答|答案|かいせつ|respuesta|réponse|lösung|antwort|ответ|решение"
)
"""Mostly from "One Token to Fool LLM-as-a-Judge" (arXiv 2507.08794), whose judges approve such replies."""
_SAYS_SOMETHING = re.compile(r"\w|[∅∞□]|^\\?\{\s*\\?\}$")
LETTER = re.compile(r"\(?(?:option |choice |answer )?([A-Za-z])[).:]?", re.IGNORECASE)
_INVISIBLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffd]")


def objection(answer: str, question: str) -> str:
    """Why an answer is not compared; empty when it may be."""
    if len(answer) > LONGEST:
        return "too long for a concise answer"
    if _INVISIBLE.search(answer):
        return "holds characters that cannot be seen"
    if says_nothing(answer):
        return "says nothing"
    if (letter := LETTER.fullmatch(plain(answer))) and not _names(question, letter[1]):
        return "a bare letter, and the question names none such"
    return ""


def says_nothing(answer: str) -> bool:
    """Whether a text is no answer at all: empty, punctuation, or the words with which answers begin."""
    return not _SAYS_SOMETHING.search(plain(answer)) or _STOCK.fullmatch(text_form(answer)) is not None


def _names(question: str, letter: str) -> bool:
    """Whether a letter stands alone in the question, other than as the word `a` or `I`."""
    word = r"(?!'|\s+[a-z])" if letter in "aAI" else ""
    return re.search(rf"(?<![A-Za-z\\]){letter}(?![A-Za-z]){word}", question) is not None
