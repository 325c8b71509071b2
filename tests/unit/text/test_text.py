"""What is read out of a statement: the same for the same problem in another wording."""

import pytest

from shared.text.quantities import read_quantities
from shared.text.words import word_pairs, words_without_names


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("12 cm", r"$0.12\,\mathrm{m}$"),
        ("120 millimetres", "12 cm"),
        ("72 km/h", "$20~\\text{m s}^{-1}$"),
        ("5 mL", "0.005 litres"),
        (r"$6.02 \times 10^{23}$", "6.02e23"),
        ("1,200 days", r"1\,200 days"),
        ("2.50", "2.5"),
        (r"$\frac34$", "3/4"),
        (r"$\frac34$", r"$\dfrac{3}{4}$"),
        ("3 kJ/mol", "3000 J mol^{-1}"),
    ],
)
def test_one_value_in_two_ways(one: str, other: str) -> None:
    assert read_quantities(one).values == read_quantities(other).values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("3 in a row", ("3",)),
        ("$5W^2 + 3m$", ("5", "2", "3")),
        ("1234567 and 1234568", ("1234567", "1234568")),
        ("$10^{999}$, $2 \\cdot 10^{400}$", ("1E+1", "999", "2E+400")),
        ("x_1 = .5", ("1", "0.5")),
        ("none", ()),
    ],
)
def test_values_of_numbers_without_a_unit(text: str, values: tuple[str, ...]) -> None:
    assert read_quantities(text).values == values


def test_pairs_know_no_names_no_order_of_clauses_and_no_looks() -> None:
    one = r"Let $G$ be a group of order # with $\alpha \in G$; find its centre, if $G$ is finite."
    other = r"If $\left. H \right.$ is FINITE, find  its centre: let $H$ be a group of order # with $\beta \in H$!"
    assert word_pairs(one) == word_pairs(other)
    assert words_without_names("Let $x_1 = y$") == ["let", "@", "1", "@"]
    assert word_pairs(r"is $\tfrac{#}{#}$ of it") == word_pairs("is #/# of it")
    assert word_pairs("let the form be odd") != word_pairs("let the form be even")
