"""Biology: populations, pedigrees, trees, sequences, enzymes."""

import math
from fractions import Fraction
from random import Random

from services.simulator.bank.craft import frac, near, sig
from services.simulator.bank.genetics import (
    inbred_genotypes,
    reading_frame,
    segregating_sites,
    three_points,
)
from services.simulator.bank.problem import Sketch


def double_factorial(n: int) -> int:
    """Return n!! for odd n, 1 for n < 1."""
    return math.prod(range(n, 0, -2)) if n > 0 else 1


def constrained_trees(rng: Random) -> Sketch:
    """Count rooted binary trees in which given groups are clades."""
    n = rng.randint(7, 16)
    clades = []
    left = n
    for _ in range(rng.randint(1, 3)):
        if left >= 4:
            clades.append(rng.randint(2, min(6, left - 2)))
            left -= clades[-1]
    rooted = rng.random() < 0.6
    tips = n - sum(clades) + len(clades)

    def trees(k: int, root: bool) -> int:
        return double_factorial(2 * k - 3 if root else 2 * k - 5)

    inside = math.prod(trees(k, True) for k in clades)
    answer = trees(tips, rooted) * inside
    groups = ", ".join(map(str, clades))
    kind = "rooted" if rooted else "unrooted"
    meaning = "form a clade" if rooted else "are separated from all other species by a single branch"
    return Sketch(
        f"Consider fully resolved (strictly bifurcating) {kind} phylogenetic trees, without branch lengths, whose "
        f"leaves "
        f"are ${n}$ labelled species. ⟨Morphological evidence|Earlier work⟩ has singled out pairwise disjoint groups "
        f"of "
        f"species; the sizes of these groups are {groups}, and every tree considered must be such that the species of "
        f"each group {meaning}. ⟨No other restriction is imposed|The trees are otherwise arbitrary⟩. "
        f"⟨Determine|Compute|"
        f"Find⟩ the number of such {kind} trees.",
        str(answer),
        [str(trees(n, rooted)), str(trees(tips, rooted)), str(trees(tips, not rooted) * inside),
         str(trees(n - sum(clades) + 1, rooted) * inside), *near(answer)],
        [
            f"Collapse each group (sizes {groups}) of the {n} species to one leaf: {tips} leaves remain.",
            f"There are {trees(tips, rooted)} {kind} binary trees on {tips} labelled leaves.",
            f"Inside the groups any rooted tree may stand, which gives the factor {inside}.",
            f"The product of the two counts is the number of trees, ${answer}$.",
        ],
        -0.3 + 0.06 * n + 0.3 * len(clades) + 0.3 * (not rooted),
    )  # fmt: skip


def inhibited_enzyme(rng: Random) -> Sketch:
    """Rate with mixed inhibition."""
    km, ki, kis = rng.randint(2, 30), rng.randint(1, 15), rng.randint(2, 40)
    s, i, vmax = rng.randint(5, 90), rng.randint(1, 30), rng.randint(2, 24) * 10
    a, b = 1 + Fraction(i, ki), 1 + Fraction(i, kis)
    value = vmax * s / (km * a + s * b)
    answer = frac(value)
    return Sketch(
        f"An enzyme follows Michaelis-Menten kinetics with $V_{{max}}={vmax}$ micromolar per minute and $K_M={km}$ "
        f"micromolar. ⟨A reversible mixed inhibitor|An inhibitor of mixed type⟩ binds to the free enzyme with "
        f"dissociation constant $K_{{ic}}={ki}$ micromolar and to the enzyme-substrate complex with dissociation "
        f"constant "
        f"$K_{{iu}}={kis}$ micromolar; ⟨the ternary complex is inactive|the complex with both ligands forms no "
        f"product⟩. "
        f"The free concentrations are ${s}$ micromolar substrate and ${i}$ micromolar inhibitor. ⟨Compute|Determine⟩ "
        f"the "
        f"steady-state rate in micromolar per minute, as an exact fraction.",
        answer,
        [
            frac(vmax * s / (km * a + s)),
            frac(vmax * s / (km + s * b)),
            frac(vmax * s / (km * b + s * a)),
            frac(Fraction(vmax * s, km + s)),
        ],
        [
            f"The competitive factor is $1+{i}/{ki}={frac(a)}$ and multiplies $K_M={km}$.",
            f"The uncompetitive factor is $1+{i}/{kis}={frac(b)}$ and multiplies the substrate term {s}.",
            f"The denominator is ${km}\\cdot({frac(a)})+{s}\\cdot({frac(b)})={frac(km * a + s * b)}$.",
            f"With $V_{{max}}[S]={vmax * s}$ on top, the rate is ${answer}$.",
        ],
        -0.6 + 0.3 * (kis != ki) + 0.02 * i,
    )


def substitution_distance(rng: Random) -> Sketch:
    """Jukes-Cantor or Kimura distance."""
    sites = rng.randint(3, 20) * 50
    transitions = rng.randint(sites // 20, sites // 6)
    transversions = rng.randint(sites // 40, sites // 10)
    p, q = transitions / sites, transversions / sites
    kimura = -0.5 * math.log(1 - 2 * p - q) - 0.25 * math.log(1 - 2 * q)
    jukes = -0.75 * math.log(1 - 4 * (p + q) / 3)
    two = rng.random() < 0.6
    answer = sig(kimura if two else jukes)
    model = "two-parameter model of Kimura" if two else "model of Jukes and Cantor"
    return Sketch(
        f"Two homologous DNA sequences are aligned without gaps over ${sites}$ sites. ⟨Comparing them, one finds|They "
        f"differ by⟩ ${transitions}$ transitions and ${transversions}$ transversions, all other sites being identical. "
        f"⟨Assume that substitutions follow|Substitutions are assumed to follow⟩ the {model} with equal rates at all "
        f"sites. ⟨Compute|Estimate⟩ from these counts the evolutionary distance, in expected substitutions per site, "
        f"by "
        f"the ⟨standard|usual⟩ formula of this model, to four significant figures.",
        answer,
        [sig(jukes if two else kimura), sig(p + q), sig(-0.5 * math.log(1 - 2 * q - p) - 0.25 * math.log(1 - 2 * p)),
         sig(-math.log(1 - p - q))],
        [
            f"The proportions are $P={transitions}/{sites}={sig(p, 6)}$ and $Q={transversions}/{sites}={sig(q, 6)}$.",
            f"The uncorrected distance would be {sig(p + q, 6)}, which ignores multiple hits.",
            "The formula is "
            + ("$d=-\\frac{1}{2}\\ln(1-2P-Q)-\\frac{1}{4}\\ln(1-2Q)$." if two
               else "$d=-\\frac{3}{4}\\ln(1-\\frac{4}{3}(P+Q))$."),
            f"To four significant figures the distance in the {model} is ${answer}$.",
        ],
        -0.6 + 0.6 * two,
    )  # fmt: skip


FAMILIES = (
    reading_frame,
    inbred_genotypes,
    segregating_sites,
    constrained_trees,
    three_points,
    inhibited_enzyme,
    substitution_distance,
)
