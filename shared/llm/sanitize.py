"""Makes a model's text harmless for the prompt of another: no invisible characters, no tokens of chat templates.

Nothing is removed. An invisible character is spelt out, `[U+200B]`, and a space breaks up a token; LaTeX ignores it. A
person and a model then read the same text. It is done where a text enters the factory, so that prompts, rows, exports
and the trainer have the same bytes; prompts repeat it for texts of earlier versions.
"""

import re
import unicodedata
from functools import lru_cache

_ANGLED = (
    r"s|bos|eos|pad|unk|mask|cls|sep|sys|system|user|assistant|human|think|thinking|tools?|tool_calls?|tool_response"
    r"|tool_results?|function_calls?|(?:start|begin|end)_of_\w+|(?:start|end)oftext|(?:start|end)_header_id|eo[tm]_id"
    r"|eo[adhmpt]|so[pt]|im_(?:start|end|sep|middle)|(?:bos|eos|eop|pad|unk|cls|sep|mask)_token|seed:\w+|minimax:\w+"
    r"|extra_id_\d+|reserved_\w+|fim_\w+|unused\d+|special_\d+|ctrl\d+|jupyter_\w+|file_sep|gh_stars"
)
_HALF_PIPED = r"turn|channel|tool|tool_call|tool_response|think|image|audio|video"
_SQUARE = (
    r"inst|sys|system_prompt|tool_calls|tool_results|available_tools|think|s?gmask|bos|eos|cls|sep|mask|pad|unk|img"
    r"|control_\d+"
)
_TOKEN = re.compile(
    r"[<＜](?=[|｜][^<>＜＞|｜]{1,64}[|｜][>＞]"  # <|im_start|>, <|eot_id|>, <｜User｜>
    rf"|(?:\|(?:{_HALF_PIPED})|(?:{_HALF_PIPED})\|)>"  # <|turn>, <channel|>
    r"|\[\w*▁[\w▁]*\]>"  # <[begin▁of▁sentence]>
    rf"|[<＜]?/?(?:{_ANGLED})[>＞])"  # </s>, <think>, <start_of_turn>, <<SYS>>
    rf"|[\[［](?=/?(?:{_SQUARE})[\]］])"  # [INST], [/INST]
    r"|◁(?=/?think▷)|\](?=~!?b[\[\]]|![dp]~\[)|\[(?=e~\[)",  # ◁think▷, ]~b], [e~[
    re.IGNORECASE,
)
"""Matches the first character of a token, and consumes only that, so that overlapping tokens all match."""

_SPECIAL = re.compile(r"[^\t\n -~]")
"""Every character that may be invisible: all but printable ASCII, tabs and line feeds."""
_INVISIBLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_BLANK = re.compile(
    r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Letters and marks that are not visible."""
_DIRECTION = ("\u200e", "\u200f")
_PICTURE = (
    r"[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf\u2934\u2935"
    r"\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001faff](?:\ufe0f|\ufe0e|[\U0001f3fb-\U0001f3ff])?"
)
_EMOJI = re.compile(rf"{_PICTURE}(?:\u200d{_PICTURE})*|[#*0-9]\ufe0f?\u20e3")
"""A whole emoji with the selectors and joiners that it is made of (Unicode Technical Standard 51)."""


def has_token(text: str) -> bool:
    """Whether the text has anything that a chat template or a tokenizer may take for a control token."""
    return _TOKEN.search(text) is not None


def break_tokens(text: str) -> str:
    """Break up every token, and change nothing else."""
    return _TOKEN.sub(r"\g<0> ", text)


def neutralise(text: str) -> str:
    """Spell out every character that is not visible and break up every token. Repeated, it changes nothing more.

    Line breaks, CRLF, tabs and spaces stay, and so do the invisible parts of an emoji and of a right-to-left or Indic
    script, which are part of its spelling.
    """
    emojis = () if text.isascii() else _EMOJI.finditer(text)
    emoji = {at for found in emojis for at in range(*found.span())}

    def spell(found: re.Match[str]) -> str:
        return found[0] if found.start() in emoji else _visible(text, found.start())

    return break_tokens(_SPECIAL.sub(spell, text))


def without_blank_lines(text: str) -> str:
    """Remove the blank lines around a text; its first line stays indented if others follow."""
    text = re.sub(r"\A(?:[ \t]*\r?\n)+", "", text.rstrip())
    return text if "\n" in text else text.strip()


def neutralise_statement(text: str) -> str:
    """`neutralise` a statement without the blank lines around it."""
    return neutralise(without_blank_lines(text))


def one_line(text: str) -> str:
    """`neutralise` the text and put it on one line, so that it cannot look like a line of the prompt."""
    return neutralise(" ".join(text.split()))


def _visible(text: str, at: int) -> str:
    char = text[at]
    invisible = char not in "\n\t" and unicodedata.category(char) in _INVISIBLE
    if not invisible and not _BLANK.match(char):
        return char
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    is_spelling = (
        (char == "\r" and after == "\n")
        or (char in "\u200c\u200d" and _joins(before) and _joins(after))
        or (char in _DIRECTION and before not in _DIRECTION and after not in _DIRECTION and _runs_left(text))
    )
    return char if is_spelling else f"[U+{ord(char):04X}]"


def _joins(char: str) -> bool:
    """Whether it is a letter or mark of a script whose spelling has joiners: Arabic and the scripts of India."""
    return "\u0620" <= char <= "\u0dff" and unicodedata.category(char)[0] in "LM"


@lru_cache(maxsize=4)
def _runs_left(text: str) -> bool:
    """Whether it has letters that are written from right to left."""
    return any(unicodedata.bidirectional(char) in ("R", "AL") for char in text if char not in _DIRECTION)
