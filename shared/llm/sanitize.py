"""Text that a model wrote, made harmless for the prompt of another: nothing unseen in it, no token of a chat template.

Nothing is taken away: an invisible character is spelt out, `[U+200B]`, and a token is broken by a space, which LaTeX
does not see. What a person reads and what a model reads is then the same.
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
"""The first character of a token; only that is consumed, so that tokens which overlap are all found."""

_INVISIBLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs"})
_BLANK = re.compile(
    r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Letters and marks without a shape."""


def neutralise(text: str) -> str:
    """The text with every unseen character spelt out and every token broken; line breaks stay."""
    return _TOKEN.sub(r"\g<0> ", "".join(map(_visible, text)))


def one_line(text: str) -> str:
    """`neutralise` on one line, so that the text cannot pose as a line of the prompt."""
    return neutralise(" ".join(text.split()))


def _visible(char: str) -> str:
    unseen = char not in "\n\t" and unicodedata.category(char) in _INVISIBLE
    return f"[U+{ord(char):04X}]" if unseen or _BLANK.match(char) else char
