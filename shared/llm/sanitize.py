"""Makes a model's text harmless for the prompt of another: no invisible characters, no tokens of chat templates.

Nothing is removed. An invisible character is spelt out, `[U+200B]`, and a space breaks up a token; LaTeX ignores it. A
person and a model then read the same text.
"""

import re
import unicodedata

_ANGLED = (
    r"s|bos|eos|pad|unk|mask|cls|sep|sys|system|user|assistant|human|think|thinking|tools?|tool_calls?|tool_response"
    r"|tool_results?|function_calls?|start_of_\w+|end_of_\w+|extra_id_\d+|reserved_\w+|fim_\w+|unused\d+"
)
_SQUARE = (
    r"inst|sys|system_prompt|tool_calls|tool_results|available_tools|think|s?gmask|bos|eos|cls|sep|mask|pad|unk|img"
    r"|control_\d+"
)
_TOKEN = re.compile(
    r"[<＜](?=[|｜][^<>＜＞|｜]{1,64}[|｜][>＞]"  # <|im_start|>, <|eot_id|>, <｜User｜>
    rf"|[<＜]?/?(?:{_ANGLED})[>＞])"  # </s>, <think>, <start_of_turn>, <<SYS>>
    rf"|[\[［](?=/?(?:{_SQUARE})[\]］])",  # [INST], [/INST]
    re.IGNORECASE,
)
"""Matches the first character of a token, and consumes only that, so that overlapping tokens all match."""

_INVISIBLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs"})
_BLANK = re.compile(
    r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Letters and marks that are not visible."""


def neutralise(text: str) -> str:
    """Spell out every invisible character and break up every token. Line breaks stay."""
    return _TOKEN.sub(r"\g<0> ", "".join(map(_visible, text)))


def one_line(text: str) -> str:
    """`neutralise` the text and put it on one line, so that it cannot look like a line of the prompt."""
    return neutralise(" ".join(text.split()))


def _visible(char: str) -> str:
    invisible = char not in "\n\t" and unicodedata.category(char) in _INVISIBLE
    return f"[U+{ord(char):04X}]" if invisible or _BLANK.match(char) else char
