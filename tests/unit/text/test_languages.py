"""The language of a statement, by its script and its function words."""

from pathlib import Path

import pytest

from schemas.item import Problem
from services.screening.form import find_flaw
from services.simulator.bank import SUBJECTS, problems
from shared.text.languages import languages, other_language

SAMPLES = Path("tests/support/languages.txt")
TEXTS = [
    (language, text)
    for language, _, text in (line.partition(" | ") for line in SAMPLES.read_text("utf-8").splitlines())
    if not language.startswith("#")
]
MIXED = (
    "Scan the following hexameter and give its feet: Arma virumque cano, Troiae qui primus ab oris Italiam fato venit.",
    "The Russian clauses он не читал этого и она не читала его на дом differ in aspect. Name the feature that differs.",
    "In the line „Über allen Gipfeln ist Ruh, in allen Wipfeln spürest du kaum einen Hauch“ count the dactyls.",
    "How many strokes have the characters of 設計圖書館建築學院研究所電腦實驗室 by the count of dictionaries?",
    "Compute $\\sum_{n=1}^{\\infty} \\frac{1}{n^2+1}$.",
    "∀ε>0 ∃δ>0 ∀x,y∈ℝ: |x−y|<δ ⇒ |f(x)−f(y)|<ε, f(x)=x², x∈[0,α], δ=δ(ε,α)=?",
    "$$\\int_0^1 \\text{le nombre de la somme est une fonction}$$ = ?",
    "    la = les + des\n    que = qui(la)\n    est = une(que)\n    print(est)",
)
"""Texts of no other language: data in another one, formulas, code."""


@pytest.mark.parametrize(("language", "text"), TEXTS)
def test_a_text_is_refused_where_another_language_is_expected(language: str, text: str) -> None:
    found = {expected: other_language(text, expected) for expected in ("English", "French", "Russian", "Chinese")}
    assert found.pop(language, None) is None
    assert set(found.values()) == {language}
    assert other_language(text, language) is None


@pytest.mark.parametrize("text", MIXED)
def test_data_in_another_language_and_formulas_are_no_other_language(text: str) -> None:
    assert other_language(text, "English") is None


def test_no_problem_of_the_bank_is_taken_for_another_language() -> None:
    texts = [one.text for subject in SUBJECTS for one in problems(2, subject)[::4]]
    assert {other_language(text, "English") for text in texts} == {None}


def test_a_language_without_function_words_here_is_never_refused() -> None:
    assert "Swahili" not in languages()
    assert {other_language(text, "Swahili") for _, text in TEXTS} == {None}


def test_screening_compares_with_the_language_of_the_plan() -> None:
    french = next(text for language, text in TEXTS if language == "French")
    problem = Problem(statement=french, answer="48", answer_type="number", rationale="")
    assert find_flaw(problem) == ("other_language", "it is in French, and the plan asks for English")
    assert find_flaw(problem, "French") is None
