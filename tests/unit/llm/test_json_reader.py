"""Model JSON is read kindly, and never into another text than the model wrote."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.llm.replies.json_reader import read
from shared.llm.replies.latex_escapes import COMMANDS
from shared.llm.response_models import Draft, Grade

OTHERS = (
    "alpha beta binom boxed bar begin cdot cos delta displaystyle ell epsilon equiv exists eta forall frac "
    "gamma ge hat hbar in infty int kappa lambda langle ldots le left leq lim ln log mathbb mathrm mu omega "
    "oplus otimes overline partial perp phi pi prod psi quad sigma sim sin sqrt subset sum underbrace "
    "underline uparrow upsilon varepsilon varphi vec wedge xi zeta "
)
TEXTS = {
    "code": "def f(n):\n\tif n < 2:\n\t\treturn n\n\ttan = 3\n\treturn f(n - 1)\r\n",
    "Makefile": "all:\n\ttest -f x\n\trm -rf build\n",
    "verse": "Tyger Tyger, burning bright,\n  In the forests of the night;\nnu = u\n",
    "table": "a\tb\nnu\ttau\n1\t2\n",
    "paths": "C:\\new\\table and \\\\server\\share",
}


def grade(reason: str) -> str:
    """A reply as a server writes it."""
    return json.dumps({"agrees": "yes", "reason": reason})


@pytest.mark.parametrize(
    ("reply", "agrees"),
    [
        ('{"agrees": "yes", "reason": "r",}', "yes"),
        ('Since $\\frac{1}{2}=0.5$: {"agrees": "yes", "reason": "r"}', "yes"),
        ('{"agrees": "yes", "reason": "r"} with $x_{1}$ {as above}', "yes"),
        ("As $\\frac{1}{x_{2}}$, " * 1000 + '{"agrees": "yes", "reason": "r"}', "yes"),
        ('{"agrees": "no", "reason": "first"}\nNo: {"agrees": "yes", "reason": "r"}', "yes"),
        ('{"agrees": "yes", "reason": "r"}\n{"other": 1}', "yes"),
        ('```json\n{"agrees": "Yes", // sure\n "reason": "r" /* all of it */}\n```', "yes"),
        ('{"agrees": " NO ", "reason": ["a", "b"]}', "no"),
        ('{"grade": {"agrees": "no", "reason": "r"}}', "no"),
    ],
)
def test_a_reply_that_can_be_read_costs_no_second_call(reply: str, agrees: str) -> None:
    found, repaired = read(Grade, reply)
    assert (found.agrees, repaired) == (agrees, True)


def test_numbers_and_lists_become_the_text_that_was_written() -> None:
    reply = '{"problem": "p", "answer": 1.50, "answer_type": "number", "solution": ["one", "two"]}'
    found, _ = read(Draft, reply)
    assert (found.answer, found.solution) == ("1.50", "one\ntwo")


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "yes",
        '{"agrees": "maybe", "reason": "r"}',
        '{"agrees": "yes", "reason": "r',
        "{" * 5000,
        '{"a":' * 200_000,
        '{"agrees" "yes"}',
        '{"agrees": "yes", "reason": ' + "[" * 40 + "]" * 40 + "}",
    ],
)
def test_what_does_not_fit_is_refused_with_a_reason(reply: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read(Grade, reply)


@pytest.mark.parametrize("command", sorted({*COMMANDS.split(), *OTHERS.split()}))
def test_latex_is_kept_under_one_backslash_and_under_two(command: str) -> None:
    for text in (f"Let $a \\{command} b$ hold.", f"\\{command}", f"x \\{command} y"):
        assert read(Grade, grade(text))[0].reason == text
        assert read(Grade, grade(text).replace("\\\\", "\\"))[0].reason == text


@pytest.mark.parametrize("command", COMMANDS.split())
def test_a_lone_backslash_among_double_ones_is_kept_in_a_formula(command: str) -> None:
    reply = rf'{{"agrees": "yes", "reason": "Let $\\frac{{1}}{{2}} \{command} b$ and\n$a \{command}$ hold."}}'
    expected = f"Let $\\frac{{1}}{{2}} \\{command} b$ and\n$a \\{command}$ hold."
    assert read(Grade, reply) == (Grade(agrees="yes", reason=expected), True)


@pytest.mark.parametrize("name", TEXTS)
def test_lines_tabs_and_backslashes_of_code_are_kept_to_the_byte(name: str) -> None:
    assert read(Grade, grade(TEXTS[name])) == (Grade(agrees="yes", reason=TEXTS[name]), False)


@given(st.text(st.characters(exclude_characters="\b\f\n\r\t", exclude_categories=["Cs"])), st.booleans())
def test_any_text_survives_json_as_a_library_writes_it(text: str, ascii_only: bool) -> None:
    reply = json.dumps({"agrees": "yes", "reason": text}, ensure_ascii=ascii_only)
    assert read(Grade, reply)[0].reason == text


@given(
    st.lists(
        st.sampled_from(
            [
                *TEXTS.values(),
                "$\\nu$\n",
                "$$\nu = 1\n$$",
                "$ x\nu $",
                "costs $5\nu or $6 ",
                "\\theta \\to 0\n",
                "\tab\n",
                "\nnu = 1\n",
            ]
        ),
        min_size=1,
    )
)
def test_lines_next_to_latex_under_two_backslashes_are_kept(parts: list[str]) -> None:
    text = "".join(["$\\frac{a}{b}$ ", *parts])
    assert read(Grade, grade(text))[0].reason == text


@given(st.text(alphabet="abc $\\{}[]\"',:\n", max_size=40), st.text(alphabet="xyz $\n`", max_size=20))
def test_an_object_survives_what_stands_around_it(reason: str, around: str) -> None:
    expected = Grade(agrees="unsure", reason=reason)
    reply = expected.model_dump_json()
    for text in (f"{around}{reply}{around}", f"```json\n{reply}\n```", f"{around}\n{{not it}} {reply} {{nor that"):
        assert read(Grade, text)[0] == expected
