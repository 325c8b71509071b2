"""What models write becomes HTML that can do nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.console.mathematics import mathml
from services.console.text import formula, rendered
from tests.services.console.hostile import HOSTILE
from tests.services.console.reading import TEXT, Read

MARKUP = st.text(
    st.sampled_from("ab1 \n$\\{}[]()<>&\"'`*_#|-~^=:/!;\u202e\x00é∑") | st.characters(codec="utf-8"), max_size=60
)
PIECES = st.lists(
    MARKUP
    | st.sampled_from(
        [*(text for text in HOSTILE.values() if len(text) < 200), r"\frac", r"\text{", r"\begin{align}", r"\end{align}"]
    ),
    max_size=8,
).map("".join)


def harmless(html: str) -> Read:
    read = Read(html)
    assert read.elements <= TEXT
    assert not read.attributes & {"href", "src", "style", "id", "action", "onerror"}
    assert not any(name.startswith("on") for name in read.attributes)
    assert not set(read.text) & set("\x00\x07\x1b\x9b\u202e\u2066")
    return read


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_becomes_text(name: str) -> None:
    harmless(rendered(HOSTILE[name]))
    harmless(formula(HOSTILE[name]))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("script", "<script>alert(1)</script>"),
        ("script in mathematics", "<script>alert(1)</script>"),
        ("link", "[click](javascript:alert(1)) <https://evil.example> https://evil.example"),
        ("link in mathematics", r"\href{javascript:alert(1)}{x}"),
        ("huge rule", r"\rule{9999cm}{9999cm}"),
        ("braces", "{" * 3000),
        ("entity", "&lt;script&gt;"),
        ("template", "{{ 7 * 7 }}"),
    ],
)
def test_what_cannot_be_read_is_shown_as_it_was_written(name: str, shown: str) -> None:
    assert shown in harmless(rendered(HOSTILE[name])).text


@settings(max_examples=150, deadline=None)
@given(PIECES)
def test_no_text_becomes_markup_of_its_own(text: str) -> None:
    harmless(rendered(text))
    harmless(formula(text))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("$x^2$", "<msup><mi>x</mi><mn>2</mn></msup>"),
        (r"so \(y_1\)", "<msub>"),
        (r"and \[ \sum_k k \] then", 'display="block"'),
        ("$$\n\\frac12\n$$", "<mfrac>"),
        ("\\begin{align}\na &= b \\\\\n&- c\n\\end{align}", "<mtable"),
        (r"$\begin{aligned}a&=b\end{aligned}$", "<mtable"),
        (r"The answer is \boxed{\frac{1}{2}}.", "<menclose"),
        ("```python\nx = 1\ny = 2\n```", '<span class="line">y = 2</span>'),
        ("| a | b |\n|---|---|\n| $1$ | 2 |", "<td>"),
        ("# Title", "<h3>"),
    ],
)
def test_mathematics_code_and_tables_are_rendered(text: str, part: str) -> None:
    assert part in rendered(text)


@pytest.mark.parametrize("text", ["It costs $5 and $10.", "from $ 3 to $ 4", r"a \$x\$ b", "`$x$`", r"\unknown"])
def test_money_and_code_are_not_mathematics(text: str) -> None:
    assert "<math" not in rendered(text)


def test_half_a_character_is_left_out() -> None:
    assert harmless(rendered("a\ud800b $x\udc00$")).text.split() == ["ab", "x"]


@pytest.mark.parametrize("tex", ["", "}", r"\frac{a}{", r"\ce{H2O}", r"\unknown{x}", r"a & b", "x" * 5000])
def test_a_formula_that_is_not_read_whole_is_its_source(tex: str) -> None:
    assert mathml(tex).startswith('<code class="tex">')
