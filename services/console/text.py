"""Models' text as inert HTML: Markdown without raw HTML, links or images, TeX as MathML.

Three safeguards: the parser makes no element from markup in the text; `services.console.mathematics` allows only listed
MathML; nh3 cleans the result by an allow-list. The page's content security policy, without scripts, is the fourth.
"""

from collections.abc import Sequence
from html import escape
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup

from services.console.delimiters import add_mathematics
from services.console.mathematics import ATTRIBUTES, ELEMENTS, mathml
from shared.text.controls import strip_controls

MAX_MARKDOWN = 200_000
"""Longest text in characters that is read as Markdown; a longer one is shown as it is."""

_MARKDOWN = (
    *("p", "br", "hr", "em", "strong", "code", "pre", "span", "blockquote", "ul", "ol", "li"),
    *("table", "thead", "tbody", "tr", "th", "td", "h3", "h4", "h5", "h6"),
)
_CLEANER = nh3.Cleaner(
    tags={*_MARKDOWN, *ELEMENTS},
    clean_content_tags={"script", "style"},
    attributes={**{tag: set(ATTRIBUTES) for tag in ELEMENTS}, "ol": {"start"}},
    allowed_classes={"span": {"line", "formula"}, "code": {"tex"}, "pre": {"lines"}},
    url_schemes=set(),
    link_rel=None,
)


def rendered(text: str) -> Markup:
    """A model's text as HTML: Markdown and mathematics."""
    text = strip_controls(text)
    if len(text) > MAX_MARKDOWN:
        return Markup(f"<pre>{escape(text)}</pre>")  # noqa: S704 - escaped
    try:
        made = _PARSER.render(text)
    except RecursionError:
        return Markup(f"<pre>{escape(text)}</pre>")  # noqa: S704 - escaped
    return Markup(_CLEANER.clean(made))  # noqa: S704 - cleaned by the allow-list


def formula(text: str) -> Markup:
    """An answer, which is often TeX without its dollar signs."""
    text = strip_controls(text).strip()
    if "$" in text or r"\(" in text:
        return rendered(text)
    if any(sign in text for sign in "\\^_"):
        return Markup(_CLEANER.clean(mathml(text)))  # noqa: S704 - cleaned by the allow-list
    return Markup(escape(text))  # noqa: S704 - escaped


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table")
    parser.disable(["html_block", "html_inline", "link", "image", "autolink", "reference", "entity"])
    add_mathematics(parser)
    parser.add_render_rule("formula", _formula)
    parser.add_render_rule("formula_block", _formula)
    parser.add_render_rule("fence", _code)
    parser.add_render_rule("code_block", _code)
    parser.add_render_rule("heading_open", _heading)
    parser.add_render_rule("heading_close", _heading)
    return parser


def _formula(_: RendererHTML, tokens: Sequence[Token], index: int, *__: Any) -> str:
    token = tokens[index]
    if token.type == "formula" and not token.meta["display"]:
        return mathml(token.content)
    return f'<span class="formula">{mathml(token.content, block=True)}</span>'


def _code(_: RendererHTML, tokens: Sequence[Token], index: int, *__: Any) -> str:
    lines = tokens[index].content.rstrip("\n").split("\n")
    numbered = "\n".join(f'<span class="line">{escape(line)}</span>' for line in lines)
    return f'<pre class="lines"><code>{numbered}</code></pre>'


def _heading(_: RendererHTML, tokens: Sequence[Token], index: int, *__: Any) -> str:
    """Below the page's own headings."""
    level = min(6, int(tokens[index].tag[1]) + 2)
    return f"<{'/' if tokens[index].nesting < 0 else ''}h{level}>"


_PARSER = _parser()
