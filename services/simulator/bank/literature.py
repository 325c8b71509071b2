"""Literature: prosody, verse forms, transmission of texts and the structure of books, with countable answers."""

from fractions import Fraction
from math import comb, factorial
from random import Random

from services.simulator.bank.craft import frac, near
from services.simulator.bank.problem import Sketch
from services.simulator.bank.verse import (
    acrostic,
    prosody_rank,
    rhymes,
    sestina,
)


def stemma(rng: Random) -> Sketch:
    """Probability that a reading survives in a majority or in all witnesses of a family."""
    copies = rng.randint(2, 6)
    depth = rng.randint(1, 4)
    p, q = Fraction(rng.randint(1, 5), rng.choice([6, 8, 10, 12])), Fraction(rng.randint(1, 4), rng.choice([5, 7, 10]))
    keep_line, keep = (1 - p) ** depth, 1 - q
    need = rng.randint(1, copies)
    tail = sum((comb(copies, k) * keep**k * q ** (copies - k) for k in range(need, copies + 1)), Fraction(0))
    value = keep_line * tail
    answer = frac(value)
    wrongly = frac(sum(comb(copies, k) * (keep_line * keep) ** k * (1 - keep_line * keep) ** (copies - k)
                       for k in range(need, copies + 1)))  # fmt: skip
    return Sketch(
        f"The text of a lost ⟨chronicle|romance|treatise|epic⟩ descends from its archetype through a line of ${depth}$ "
        f"successive lost ⟨copies|manuscripts⟩, each made from the one before; the last of these, the hyparchetype, "
        f"was then "
        f"copied ${copies}$ times independently, and these ${copies}$ witnesses survive. ⟨At a given place|At one "
        f"locus⟩ each "
        f"copying in the lost line corrupts the reading with probability ${frac(p)}$, and each copying of the "
        f"hyparchetype "
        f"corrupts it with probability ${frac(q)}$; all copyings are independent and a corrupted reading is never "
        f"restored. "
        f"⟨Determine|Compute⟩ the exact probability that at least ${need}$ of the witnesses show the original reading.",
        answer,
        [wrongly, frac(tail), frac(keep_line * keep**need), frac(1 - value),
         frac(keep_line * comb(copies, need) * keep**need * q ** (copies - need))],
        [
            f"The reading reaches the hyparchetype with probability $({frac(1 - p)})^{{{depth}}}={frac(keep_line)}$.",
            f"Given that, each of the {copies} witnesses keeps it independently with probability ${frac(keep)}$.",
            f"At least {need} of them keep it with probability ${frac(tail)}$.",
            "The witnesses share the errors of the lost line, so the two stages must be multiplied, not mixed.",
            f"The probability is ${frac(keep_line)}\\cdot {frac(tail)}={answer}$.",
        ],
        -0.4 + 0.1 * copies + 0.1 * depth + 0.2 * (1 < need < copies),
    )  # fmt: skip


def quires(rng: Random) -> Sketch:
    """Conjugate leaves and pages in a codex made of quires."""
    sheets = rng.choice([3, 4, 4, 5, 6])
    count = rng.randint(6, 30)
    leaves = 2 * sheets
    lost = rng.randint(2, 5)
    quire = rng.randint(lost + 1, count)
    place = rng.randint(1, leaves)
    folio = (quire - 1) * leaves + place
    mate = (quire - 1) * leaves + leaves + 1 - place
    side = rng.choice(["recto", "verso"])
    recto = int(side == "recto")
    answer = 2 * (mate - lost * leaves) - recto
    return Sketch(
        f"A codex ⟨originally consisted|was made up⟩ of ${count}$ regular quires, each of ${sheets}$ sheets folded "
        f"once and "
        f"nested, hence of ${leaves}$ leaves. The medieval foliation, entered when the book was complete, runs from 1 "
        f"upwards through all leaves. ⟨Later the first ${lost}$ quires were lost|The first ${lost}$ quires have since "
        f"been "
        f"lost⟩, and a modern librarian numbered the remaining pages from 1, each leaf having a recto followed by a "
        f"verso. "
        f"⟨Determine|Find⟩ the modern page number of the {side} of the leaf that is conjugate with (belongs to the "
        f"same sheet "
        f"as) the leaf with medieval folio number {folio}.",
        str(answer),
        [str(2 * mate - recto), str(2 * (folio - lost * leaves) - recto), str(mate - lost * leaves),
         str(answer + 1 if recto else answer - 1)],
        [
            f"With {leaves} leaves a quire, folio {folio} is leaf {place} of quire {quire}.",
            f"The conjugate leaf in a nested quire is leaf {leaves}+1-{place}={leaves + 1 - place}, that is folio "
            f"{mate}.",
            f"Without the {lost} lost quires ({lost * leaves} leaves) it is leaf {mate - lost * leaves} of what "
            f"remains.",
            f"Each leaf has two pages and the {side} is wanted, so the modern page number is ${answer}$.",
        ],
        -0.7 + 0.1 * sheets,
    )  # fmt: skip


def exercises(rng: Random) -> Sketch:
    """Combinatorial literature after Queneau: sonnets from interchangeable lines under constraints."""
    sonnets, lines = rng.randint(3, 12), rng.choice([8, 10, 12, 14])
    least = rng.choice([2, 3])
    neighbour = rng.random() < 0.5
    every = sonnets**lines
    if neighbour:
        answer = sonnets * (sonnets - 1) ** (lines - 1)
        rule = "no two consecutive lines come from the same source poem"
        wrong = [every - sonnets, sonnets * (sonnets - 1) * (lines - 1), (sonnets - 1) ** lines, every]
    else:
        answer = sum((-1) ** j * comb(sonnets, j) * (sonnets - j) ** lines for j in range(sonnets + 1))
        if least == 2:
            answer = every - sonnets
            rule = "not all lines come from one and the same source poem"
            wrong = [every - 1, every, sonnets * (sonnets - 1) ** (lines - 1), every - lines]
        else:
            if answer == 0:
                return exercises(rng)
            rule = "every source poem contributes at least one line"
            wrong = [every - sonnets * (sonnets - 1) ** lines, every, factorial(sonnets), comb(lines - 1, sonnets - 1)]
    poem = rng.choice(["a ballade", "a sonnet", "an ode", "an elegy", "a rondeau", "a canzone", "a hymn", "a ghazal"])
    return Sketch(
        f"In the manner of Queneau's combinatorial poems, a booklet prints ${sonnets}$ source poems, each {poem} of "
        f"${lines}$ lines, cut so that ⟨for each position the reader chooses freely|line by line one may choose⟩ the "
        f"line of "
        f"any of the source poems standing at that same position. ⟨All lines are different and all combinations are "
        f"grammatical|All printed lines are distinct, and every combination makes sense⟩. A reading is called "
        f"licensed if "
        f"{rule}. ⟨Determine|Compute|Find⟩ the number of licensed readings, each a poem of ${lines}$ lines.",
        str(answer),
        [str(w) for w in wrong] + near(answer),
        [
            f"Without a rule there are ${sonnets}^{{{lines}}}={every}$ readings.",
            f"The rule says: {rule}.",
            "Consecutive choices each leave one source fewer." if neighbour
            else "Inclusion and exclusion over the unused source poems removes the readings not licensed.",
            f"The number of licensed readings is ${answer}$.",
        ],
        -1.2 + 0.8 * (not neighbour and least == 3) + 0.05 * lines,
    )  # fmt: skip


FAMILIES = (sestina, rhymes, prosody_rank, stemma, acrostic, quires, exercises)
