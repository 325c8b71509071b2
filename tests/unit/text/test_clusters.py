"""How many different problems there are: variants of one template count once."""

from itertools import permutations

from shared.text.clusters import Clusters

LAKE = (
    "A lake of {} hectares freezes within {} days; each day {} cubic metres of ice form. How thick is the ice at last?"
)
VERSE = (
    "In the {} poems of the codex every line has {} feet, and none begins with a dactyl. How many begin with a spondee?"
)


def sizes(*statements: str) -> list[int]:
    found = Clusters()
    for statement in statements:
        found.add(statement)
    return found.sizes


def test_numbers_units_names_and_spacing_do_not_change_the_cluster() -> None:
    lakes = [LAKE.format(n, n + 2, 7.5 * n) for n in range(5, 9)]
    verses = [VERSE.format(9, 6), VERSE.format(12, 5).replace(" ", "\n ").upper()]
    assert sizes(*lakes, *verses) == [4, 2]
    assert sizes("Let $x$ be prime and $y = x^2$. Find $y$.", "Let $p$ be prime and $q = p^2$. Find $q$.") == [2]


def test_the_order_of_the_problems_is_no_matter_and_likeness_is_handed_on() -> None:
    words = [f"word{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
    chain = [" ".join(words[start : start + 16]) for start in range(0, 8, 2)]  # each like the next, not the one after
    assert {tuple(sizes(*order)) for order in permutations(chain)} == {(4,)}
    assert sizes(chain[0], chain[3]) == [1, 1]


def test_every_problem_is_in_one_cluster_however_many_there_are() -> None:
    words = ["lattice", "enzyme", "sonnet", "treaty", "vowel", "orbit", "cipher", "solvent", "genome", "torus"]
    different = [
        f"How does the {one} of a {other} bear on the {one} when no {other} is left?"
        for one in words
        for other in words
        if one != other
    ]
    assert sizes(*different, *different) == [2] * len(different)
