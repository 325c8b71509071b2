"""Mathematics, counting: groups acting, permutations, graphs, lattice points."""

from fractions import Fraction
from math import comb, factorial, gcd, lcm, prod
from random import Random

from services.simulator.bank.algebra import factorise
from services.simulator.bank.craft import near
from services.simulator.bank.problem import Sketch


def cycle_types(n: int, largest: int | None = None) -> list[tuple[int, ...]]:
    """Return the partitions of n, parts in falling order."""
    if n == 0:
        return [()]
    top = min(n, largest or n)
    return [(part, *rest) for part in range(top, 0, -1) for rest in cycle_types(n - part, part)]


def class_size(parts: tuple[int, ...]) -> int:
    """Return how many permutations have this cycle type."""
    n = sum(parts)
    return factorial(n) // prod(int(p ** parts.count(p)) * factorial(parts.count(p)) for p in set(parts))


def elements_of_order(rng: Random) -> Sketch:
    """Count permutations of given order and sign."""
    n, order = rng.randint(6, 11), rng.choice([2, 3, 4, 5, 6, 8, 10, 12, 15])
    even_only = rng.random() < 0.5
    types = [t for t in cycle_types(n) if lcm(*t) == order]
    kept = [t for t in types if not even_only or (n - len(t)) % 2 == 0]
    answer, every = sum(map(class_size, kept)), sum(map(class_size, types))
    if not answer:
        return elements_of_order(rng)
    group = f"A_{{{n}}}" if even_only else f"S_{{{n}}}"
    name = "alternating" if even_only else "symmetric"
    dividing = sum(class_size(t) for t in cycle_types(n) if order % lcm(*t) == 0)
    return Sketch(
        f"Let ${group}$ be the {name} group on ${n}$ letters, ⟨acting on the set $\\{{1,\\dots,{n}\\}}$|realised as "
        f"permutations of $\\{{1,\\dots,{n}\\}}$⟩. ⟨Recall that the order of a group element $g$ is the least positive "
        f"integer $m$ with $g^m=1$|The order of an element $g$ means the least $m\\ge 1$ for which $g^m$ is the "
        f"identity⟩. ⟨Determine|Compute|Find⟩ the number of elements of ${group}$ whose order is exactly ${order}$"
        f"⟨, counting elements and not conjugacy classes|⟩.",
        str(answer),
        [str(max(map(class_size, kept))), str(dividing), str(every), str(every - answer), *near(answer)],
        [
            f"The order of a permutation is the lcm of its cycle lengths; in degree {n} the value {order} arises from "
            f"{len(types)} cycle types.",
            *([f"Only the {len(kept)} types of even sign lie in ${group}$."] if even_only else []),
            *[f"The type ${t}$ has {class_size(t)} permutations." for t in kept[:6]],
            f"Adding the sizes of all {len(kept)} admissible classes of ${group}$ gives the number ${answer}$.",
        ],
        -0.8 + 0.25 * len(kept) + 0.15 * (n - 6),
    )


def necklaces(rng: Random) -> Sketch:
    """Burnside for the dihedral group, all colours allowed."""
    n, k = rng.randint(5, 24), rng.randint(2, 9)
    turns = sum(k ** gcd(n, i) for i in range(n))
    flips = n * k ** ((n + 1) // 2) if n % 2 else n // 2 * (k ** (n // 2) + k ** (n // 2 + 1))
    answer = (turns + flips) // (2 * n)
    return Sketch(
        f"⟨The vertices of a regular ${n}$-gon are coloured|Each vertex of a regular polygon with ${n}$ sides is given "
        f"one⟩ with colours from a palette of ${k}$; ⟨colours may be repeated and need not all occur|not every colour "
        f"has to be used⟩. Two colourings are ⟨regarded as the same|equivalent⟩ if one is carried to the other by a "
        f"symmetry of the polygon, rotations and reflections included. ⟨Determine|Compute|Find⟩ the number of ⟨orbits "
        f"of "
        f"colourings under the dihedral group of order ${2 * n}$|inequivalent colourings⟩.",
        str(answer),
        [str(turns // n), str(-(-(k**n) // (2 * n))), str((turns + n * k ** ((n + 1) // 2)) // (2 * n)), *near(answer)],
        [
            f"By Burnside's lemma, average the fixed colourings over the {2 * n} symmetries of the {n}-gon.",
            f"The rotations fix $\\sum_i {k}^{{\\gcd({n},i)}}={turns}$ colourings in all.",
            f"The reflections fix {flips} colourings in all, "
            + ("each axis passing through one vertex." if n % 2 else "half of the axes passing through two vertices."),
            f"The number of orbits is $({turns}+{flips})/{2 * n}={answer}$.",
        ],
        -1.3 + 0.08 * n + 0.4 * (n % 2 == 0),
    )


def spanning_trees(rng: Random) -> Sketch:
    """Spanning trees of a complete graph without a matching: n^(n−2) (1 − 2/n)^m."""
    n = rng.randint(6, 14)
    m = rng.randint(1, n // 2)
    avoid = rng.random() < 0.5
    factor = Fraction(n - 2, n) if avoid else Fraction(2, n)
    answer = int(n ** (n - 2) * factor**m)
    task = (
        f"spanning trees of $K_{{{n}}}$ that contain none of the edges of $F$"
        if avoid
        else f"spanning trees of $K_{{{n}}}$ that contain every edge of $F$"
    )
    other = int(n ** (n - 2) * (Fraction(2, n) if avoid else Fraction(n - 2, n)) ** m)
    return Sketch(
        f"Let $K_{{{n}}}$ be the complete graph on ${n}$ labelled vertices and let $F$ be a fixed matching in it, "
        f"⟨that is, a set of|consisting of⟩ ${m}$ pairwise disjoint edges⟨ (so that no two of them share a vertex)|⟩. "
        f"⟨Two spanning trees are different if their edge sets differ|Spanning trees are counted as labelled edge "
        f"sets⟩. ⟨Determine|Compute|Find⟩ the exact number of {task}.",
        str(answer),
        [str(other), str(n ** (n - 2)), str(n ** (n - 2) - m * 2 * n ** (n - 3)), str(n ** max(n - 2 - m, 0))],
        [
            f"Cayley's formula gives ${n}^{{{n - 2}}}={n ** (n - 2)}$ spanning trees of $K_{{{n}}}$ in all.",
            "For disjoint edges the transfer-current matrix is diagonal, so the edges enter the uniform spanning tree "
            "independently.",
            f"Each edge is present with probability $2/{n}$; here each of the {m} edges must be "
            + ("absent." if avoid else "present."),
            f"The factor is $({frac_text(factor)})^{{{m}}}$, and the number of trees is ${answer}$.",
        ],
        0.3 + 0.1 * n + 0.1 * m,
    )


def frac_text(value: Fraction) -> str:
    """Write a fraction inline."""
    return f"{value.numerator}/{value.denominator}"


def two_squares(rng: Random) -> Sketch:
    """Count representations as a sum of two squares by Jacobi's theorem."""
    ones = rng.sample([5, 13, 17, 29, 37, 41], rng.randint(1, 3))
    n = prod(p ** rng.randint(1, 2) for p in ones) * 2 ** rng.randint(0, 3) * rng.choice([1, 1, 9, 49, 3])
    divisors = [d for d in range(1, n + 1) if n % d == 0] if n < 3000 else _divisors(n)
    plus, minus = sum(d % 4 == 1 for d in divisors), sum(d % 4 == 3 for d in divisors)
    answer = 4 * (plus - minus)
    lattice = rng.choice(["\\mathbb{Z}[i]", "\\mathbb{Z}^2"])
    what = (
        f"Gaussian integers $z=x+iy$ in ${lattice}$ of norm $x^2+y^2={n}$"
        if "i" in lattice
        else f"points $(x,y)$ of the lattice ${lattice}$ on the circle $x^2+y^2={n}$"
    )
    return Sketch(
        f"⟨Consider|Let $X$ be the set of⟩ all {what}, ⟨where $x$ and $y$ run through all integers, positive, negative "
        f"or zero|where the coordinates $x,y$ may be any integers⟩. ⟨Pairs that differ in the order of the coordinates "
        f"or in a sign count as different|Order and signs matter, so that $(1,2)$, $(2,1)$ and $(-1,2)$ would be three "
        f"different solutions⟩. ⟨Determine|Compute|Find⟩ how many there are⟨.| in all.|, as an exact number.⟩",
        str(answer),
        [str(answer // 4), str(answer // 2), str(4 * (plus + minus)), str(comb(len(ones) + 2, 2) * 4), str(answer + 4)],
        [
            f"Factor ${n}$ as " + " times ".join(f"${p}^{{{e}}}$" for p, e in factorise(n).items()) + ".",
            f"Of its {len(divisors)} positive divisors, {plus} are congruent to 1 and {minus} to 3 modulo 4.",
            "Jacobi's two-square theorem says $r_2(n)=4(d_1(n)-d_3(n))$, counting order and signs.",
            f"For $n={n}$ this is $4\\cdot({plus}-{minus})={answer}$.",
        ],
        -1.0 + 0.3 * len(ones) + 0.2 * minus,
    )


def _divisors(n: int) -> list[int]:
    found = [1]
    for p, e in factorise(n).items():
        found = [d * p**i for d in found for i in range(e + 1)]
    return found
