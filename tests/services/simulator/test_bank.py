"""The bank: is every problem sound, and is the truth true? The truth is recomputed from the words of the statement."""

import datetime
import itertools
import math
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.simulator.answers import compare, parse_number
from services.simulator.bank import SUBJECTS, Bank, index, problems
from services.simulator.bank.calendars import date_of, day_number, easter
from services.simulator.bank.craft import sig
from services.simulator.bank.genetics import complement, translate
from services.simulator.bank.matter import partitions
from services.simulator.bank.problem import Problem
from services.simulator.bank.strings import burrows_wheeler
from services.simulator.bank.structure import SKELETONS, fillings
from services.simulator.bank.verse import rhyme_schemes
from services.simulator.misprint import misprint
from services.simulator.sampling import seeded_random
from services.simulator.thinking import think

BANK = Bank(0)


def of(subject: str, family: str) -> list[Problem]:
    return [p for p in BANK.problems(subject) if p.family == family]


def integers(text: str, pattern: str) -> list[int]:
    found = re.search(pattern, text)
    assert found, text
    return [int(group) for group in found.groups()]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_bank_problem_has_one_line_three_slips_and_a_worked_end(subject: str) -> None:
    for p in BANK.problems(subject):
        assert p.text.isascii()
        assert len(p.text.splitlines()) == 1
        assert 30 <= len(p.text.split()) <= 150, p.text
        assert "⟨" not in p.text
        assert "  " not in p.text
        assert len({p.answer, *p.slips}) == 4
        assert all(compare(p.answer, slip) == "no" for slip in p.slips), (p.answer, p.slips)
        assert p.steps[-1].rstrip(".$").endswith(p.answer), p.steps[-1]
        assert p.worked(p.slips[0])[-1].rstrip(".$").endswith(p.slips[0])
        assert len(p.answer.split()) <= 2 or p.answer_type in {"set", "tuple", "expression"}
        if p.answer_type == "number":
            assert parse_number(p.answer) is not None


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_has_a_thousand_distinct_recognised_problems(subject: str) -> None:
    made = BANK.problems(subject)
    assert len({p.text for p in made}) == len(made) >= (2000 if subject == "mathematics" else 1000)
    assert len({p.id for p in made}) == len(made)
    assert len({p.family for p in made}) >= 6
    assert all(BANK.find(p.text) is p for p in made)
    assert BANK.truth(made[0].text) == made[0].answer
    assert BANK.truth("What is the airspeed velocity of an unladen swallow?") is None


@pytest.mark.parametrize("subject", ["physics", "literature"])
def test_the_large_bank_has_100000_problems_and_begins_with_the_small_one(subject: str) -> None:
    made = problems(0, subject, large=True)
    assert made[: len(BANK.problems(subject))] == BANK.problems(subject)
    assert len({p.text for p in made}) * len(SUBJECTS) == 100_000
    assert len({p.steps for p in made}) == len(made)


def test_no_statement_hides_another_in_the_index() -> None:
    assert len(index(0)) == sum(len(BANK.problems(subject)) for subject in SUBJECTS)


def test_another_seed_makes_another_bank_and_the_same_seed_the_same() -> None:
    again = problems.__wrapped__(0, "physics")
    assert again == BANK.problems("physics")
    assert len({p.text for p in problems(1, "physics")} & {p.text for p in again}) < 20


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_misprint_is_neither_the_truth_nor_a_natural_slip(subject: str) -> None:
    for p in BANK.problems(subject):
        wrong = misprint(p, seeded_random(p.id))
        assert compare(p.answer, wrong) == "no", (p.answer, wrong)
        assert wrong not in p.slips


def test_thinking_is_long_lands_on_its_answer_and_repeats_no_paragraph() -> None:
    for subject in SUBJECTS:
        for p in BANK.problems(subject)[::7]:
            for answer in (p.answer, p.slips[0]):
                trace = think(p, answer, seeded_random(p.id))
                paragraphs = trace.split("\n\n")
                assert 300 <= len(trace.split()) <= 2000
                assert len(set(paragraphs)) == len(paragraphs)
                assert answer in paragraphs[-1]


def necklaces(text: str) -> int | None:
    (n,), (k,) = integers(text, r"(?:a regular|polygon with) \$(\d+)\$"), integers(text, r"palette of \$(\d+)\$")
    if k**n > 5000:
        return None
    turns = [[(*c[i:], *c[:i]) for i in range(n)] for c in itertools.product(range(k), repeat=n)]
    return len({min(t + [x[::-1] for x in t]) for t in turns})


def two_squares(text: str) -> int | None:
    (n,) = integers(text, r"x\^2\+y\^2=(\d+)")
    r = math.isqrt(n)
    return sum((math.isqrt(n - x * x) ** 2 == n - x * x and (2 if x * x < n else 1)) or 0 for x in range(-r, r + 1))


def roots_of_unity_mod_n(text: str) -> int | None:
    (n,), (k,) = integers(text, r"n=(\d+)"), integers(text, r"u\^\{(\d+)\}=1")
    return sum(pow(u, k, n) == 1 for u in range(n))


def elements_of_order(text: str) -> int | None:
    (n,), (order,) = integers(text, r"on \$(\d+)\$ letters"), integers(text, r"exactly \$(\d+)\$")
    if n > 7:
        return None
    count = 0
    for images in itertools.permutations(range(n)):
        lengths, left = [], set(range(n))
        while left:
            at, length = left.pop(), 1
            while (to := images[at]) in left:
                left.remove(at := to)
                length += 1
            lengths.append(length)
        even = (n - len(lengths)) % 2 == 0
        count += math.lcm(*lengths) == order and (even or "alternating" not in text)
    return count


def forbidden_factor(text: str) -> int | None:
    letters, word = re.search(r"\{([abc, ]+)\\\}", text)[1].split(", "), re.search(r"w=([abc]+)", text)[1]  # type: ignore[index]
    (n,) = integers(text, r"length exactly \$(\d+)\$")
    if len(letters) ** n > 20000:
        return None
    return sum(word not in "".join(w) for w in itertools.product(letters, repeat=n))


def heap_orders(text: str) -> int | None:
    before = [(int(a), int(b)) for a, b in re.findall(r"(\d+)<(\d+)", text)]
    (n,) = integers(text, r"has to run \$(\d+)\$")
    if n > 7:
        return None
    orders = itertools.permutations(range(1, n + 1))
    return sum(all(order.index(a) < order.index(b) for a, b in before) for order in orders)


def jumped_generator(text: str) -> int | None:
    a, c, m = integers(text, r"\((\d+)\\,x_k\+(\d+)\) \\bmod (\d+)")
    (x,), (n,) = integers(text, r"x_0=(\d+)"), integers(text, r"x_\{(\d+)\}")
    if n > 20000:
        return None
    for _ in range(n):
        x = (a * x + c) % m
    return x


def segmentations(text: str) -> int | None:
    lexicon = re.findall(r"[a-z]+", re.search(r"words (.*?);", text)[1].replace(" and ", " "))  # type: ignore[index]
    line = re.search(r"reads ([a-z]+),", text)[1]  # type: ignore[index]

    def cut(rest: str) -> int:
        return sum(cut(rest[len(w) :]) for w in lexicon if rest.startswith(w)) if rest else 1

    return cut(line)


@pytest.mark.parametrize(
    ("subject", "recompute"),
    [
        ("mathematics", necklaces),
        ("mathematics", two_squares),
        ("mathematics", roots_of_unity_mod_n),
        ("mathematics", elements_of_order),
        ("computer science", forbidden_factor),
        ("computer science", heap_orders),
        ("computer science", jumped_generator),
        ("linguistics", segmentations),
    ],
)
def test_brute_force_on_the_words_of_the_statement_finds_the_same_truth(
    subject: str, recompute: Callable[[str], int | None]
) -> None:
    found = [(p, truth) for p in of(subject, recompute.__name__)[:60] if (truth := recompute(p.text)) is not None]
    assert len(found) >= 3
    for p, truth in found:
        assert p.answer == str(truth), p.text


def test_a_gene_on_the_opposite_strand_reads_back_to_its_peptide() -> None:
    for p in of("biology", "reading_frame"):
        messenger = complement(re.search(r"5'-([ACGT]+)-3'", p.text)[1])  # type: ignore[index]
        assert translate(messenger[messenger.index("ATG") :]).split("*")[0] == p.answer


def test_transforming_the_inverted_text_gives_the_shown_column() -> None:
    for p in of("computer science", "transform"):
        if "unknown string" in p.text:
            assert f"is {burrows_wheeler(p.answer + '$').replace('$', 'Z')}." in p.text


def test_isomer_counts_are_those_of_the_textbooks() -> None:
    known = {("octahedral", (2, 2, 2)): 6, ("octahedral", (3, 3)): 2, ("cubane", (4, 4)): 7, ("benzene", (3, 3)): 3,
             ("trigonal bipyramidal", (3, 2)): 3}  # fmt: skip
    for (name, counts), isomers in known.items():
        rotations = next(r for skeleton, (_, r) in SKELETONS.items() if name in skeleton)
        assert sum(fillings(r, counts) for r in rotations) == isomers * len(rotations)


def test_rhyme_schemes_are_the_set_partitions_that_obey_the_rules() -> None:
    for n, k, couplet, orphan in itertools.product(range(2, 7), range(1, 4), (False, True), (False, True)):
        schemes = [s for s in itertools.product(range(k), repeat=n) if list(dict.fromkeys(s)) == list(range(k))]
        kept = [s for s in schemes if not (couplet and any(a == b for a, b in itertools.pairwise(s)))]
        assert rhyme_schemes(n, k, couplet, orphan) == sum(not orphan or all(s.count(x) > 1 for x in s) for s in kept)


def test_fermions_and_bosons_are_counted_as_by_listing_occupations() -> None:
    for n, quanta in itertools.product((2, 3, 4), range(10)):
        levels = range(quanta + 1)
        bosons = itertools.combinations_with_replacement(levels, n)
        assert partitions(quanta, n, False) == sum(sum(c) == quanta for c in bosons)
        assert partitions(quanta, n, True) == sum(sum(c) == quanta for c in itertools.combinations(levels, n))


@given(st.dates(datetime.date(1, 1, 1)))
def test_gregorian_day_numbers_agree_with_the_standard_library(day: datetime.date) -> None:
    assert day_number(day.year, day.month, day.day, "G") == day.toordinal() + 1721425
    for calendar in "JG":
        number = day_number(day.year, day.month, day.day, "G")
        assert day_number(*date_of(number, calendar), calendar) == number


def test_easter_falls_where_history_says() -> None:
    assert date_of(easter(1066, "J"), "J") == (1066, 4, 16)
    assert date_of(easter(1453, "J"), "J") == (1453, 4, 1)
    assert date_of(easter(1818, "G"), "G") == (1818, 3, 22)
    assert date_of(easter(2000, "G"), "G") == (2000, 4, 23)
    assert date_of(easter(2038, "G"), "G") == (2038, 4, 25)


@given(st.floats(1e-4, 1e7), st.integers(2, 6))
def test_a_decimal_keeps_its_significant_figures(value: float, figures: int) -> None:
    text = sig(value, figures)
    assert math.isclose(float(text), value, rel_tol=0.51 * 10 ** (1 - figures))
    if value < 10 ** (figures - 1):
        assert len(text.replace(".", "").lstrip("0")) in (figures, figures + 1)
