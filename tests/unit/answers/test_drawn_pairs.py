"""The rules on pairs drawn by kind, on the developers' cases, and with signs appended."""

from collections import Counter
from pathlib import Path

import pytest

from schemas.item import Agreement
from shared.answers.guard import objection
from shared.answers.rules.algebra import Algebra
from shared.answers.rules.compare import Oracle
from shared.answers.rules.decide import decide
from tests.cases.run_answers import OPEN, unescaped
from tests.support.answer_draws import KINDS, LIGHT, draws
from tests.support.answer_pairs import PAIRS

CASES = [
    tuple(unescaped(part.strip()) for part in line.split(" ¦ "))
    for line in (Path(__file__).parents[2] / "cases" / "answers.txt").read_text("utf-8").splitlines()
    if line.strip() and not line.startswith("#")
]
MOST_OPEN = 0.15
ALGEBRAIC = tuple(kind for kind in KINDS if kind not in LIGHT)


def verdict(key: str, answer: str, answer_type: str, oracle: Oracle | None = None) -> Agreement:
    if objection(key, "") or objection(answer, ""):
        return "unsure"
    return decide(key, answer, answer_type, oracle).result.agrees


@pytest.mark.parametrize(
    ("count", "kinds", "oracle"),
    [(9800, LIGHT, None), (700, ALGEBRAIC, Algebra())],
    ids=["without algebra", "with algebra"],
)
def test_no_drawn_pair_is_judged_wrongly_and_few_are_open(
    count: int, kinds: tuple[str, ...], oracle: Oracle | None
) -> None:
    total: Counter[str] = Counter()
    unsure: Counter[str] = Counter()
    for pair in draws(7, count, kinds):
        found = verdict(pair.key, pair.answer, pair.type, oracle)
        total[pair.kind] += 1
        unsure[pair.kind] += found == "unsure"
        assert found in ("unsure", "yes" if pair.equal else "no"), pair
    assert {kind: n / total[kind] for kind, n in unsure.items() if n > MOST_OPEN * total[kind]} == {}


def test_no_case_is_judged_wrongly_and_few_are_open() -> None:
    unsure = 0
    for key, answer, kind, right, note in CASES:
        for one, other in ((key, answer), (answer, key)):
            found = verdict(one, other, kind, Algebra())
            unsure += found == "unsure" and right != "unsure"
            assert found in ("unsure", right), (one, other, kind, note)
    assert unsure <= OPEN


def test_no_appended_sign_turns_a_no_into_a_yes() -> None:
    pairs = [
        *((key, answer, kind) for key, answer, kind, *_ in CASES),
        *((pair.key, pair.answer, pair.type) for pair in PAIRS),
        *((pair.key, pair.answer, pair.type) for pair in draws(11, 2000, LIGHT)),
    ]
    for key, answer, kind in pairs:
        if verdict(key, answer, kind) == "no":
            for sign in ";?!-*'":
                if answer + sign == key.replace("∗", "*"):
                    continue
                assert verdict(key, answer + sign, kind) != "yes", (key, answer + sign, kind)


@pytest.mark.parametrize("answer", ["cannot be determined", "It cannot be determined from the given information.",
                                    "insufficient information", r"\text{Not enough information}"])  # fmt: skip
def test_an_answer_that_there_is_none_speaks_against_the_key(answer: str) -> None:
    assert verdict("42", answer, "number") == "no"
    assert verdict("insufficient data", answer, "text") == "yes"
    assert verdict("no solution", "there is no solution", "text") == "unsure"
