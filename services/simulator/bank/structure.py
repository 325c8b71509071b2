"""Chemistry, structure: isomers, molecular orbitals, atomic terms."""

import math
from collections.abc import Sequence
from fractions import Fraction
from math import comb
from random import Random

from services.simulator.bank.craft import frac, near, sig
from services.simulator.bank.problem import Sketch

SKELETONS: dict[str, tuple[int, Sequence[tuple[int, ...]]]] = {
    # sites, and for each rotation the cycle lengths of the sites
    "cubane (the eight corners of a cube)": (
        8, [(1,) * 8] + [(4, 4)] * 6 + [(2,) * 4] * 3 + [(1, 1, 3, 3)] * 8 + [(2,) * 4] * 6,
    ),
    "an octahedral complex (the six ligand positions)": (
        6, [(1,) * 6] + [(1, 1, 4)] * 6 + [(1, 1, 2, 2)] * 3 + [(3, 3)] * 8 + [(2, 2, 2)] * 6,
    ),
    "a trigonal prismatic complex (the six ligand positions)": (6, [(1,) * 6] + [(3, 3)] * 2 + [(2, 2, 2)] * 3),
    "benzene (the six ring positions, a planar ring that may be turned over)": (
        6, [(1,) * 6] + [(6,)] * 2 + [(3, 3)] * 2 + [(2, 2, 2)] + [(1, 1, 2, 2)] * 3 + [(2, 2, 2)] * 3,
    ),
    "a square antiprismatic complex (the eight ligand positions)": (
        8, [(1,) * 8] + [(4, 4)] * 2 + [(2,) * 4] + [(2,) * 4] * 4,
    ),
    "a trigonal bipyramidal complex (the five ligand positions)": (
        5, [(1,) * 5] + [(1, 1, 3)] * 2 + [(1, 2, 2)] * 3,
    ),
}  # fmt: skip

LIGANDS = ["F", "Cl", "Br", "I", "CN", "OH", "SH", "NO", "CO", "NCS"]


def fillings(cycles: tuple[int, ...], counts: tuple[int, ...]) -> int:
    """Count colourings with these numbers of each colour that are constant on the cycles."""
    if not cycles:
        return int(not any(counts))
    head, rest = cycles[0], cycles[1:]
    return sum(fillings(rest, (*counts[:i], c - head, *counts[i + 1 :])) for i, c in enumerate(counts) if c >= head)


def isomers(rng: Random) -> Sketch:
    """Polya's count of stereoisomers of a substituted skeleton."""
    name = rng.choice(list(SKELETONS))
    sites, rotations = SKELETONS[name]
    kinds = rng.randint(2, min(4, sites - 1))
    cuts = sorted(rng.sample(range(1, sites), kinds - 1))
    counts = tuple(b - a for a, b in zip([0, *cuts], [*cuts, sites], strict=True))
    groups = rng.sample(LIGANDS, kinds)
    total = sum(fillings(cycles, counts) for cycles in rotations)
    answer = total // len(rotations)
    every = fillings((1,) * sites, counts)
    load = ", ".join(f"${c}$ of $\\mathrm{{{g}}}$" for c, g in zip(counts, groups, strict=True))
    return Sketch(
        f"Consider {name}. Its ${sites}$ equivalent positions are ⟨occupied|filled⟩ by monodentate groups as follows: "
        f"{load}. ⟨The skeleton is rigid and the groups are structureless points|Treat the skeleton as rigid and every "
        f"group as a point⟩; two arrangements count as the same isomer exactly if a proper rotation of the skeleton "
        f"carries one to the other, so that mirror images that cannot be superposed count separately. "
        f"⟨Determine|Compute|"
        f"Find⟩ the number of isomers.",
        str(answer),
        [str(every), str(-(-every // len(rotations))), str((total // len(rotations) + 2) // 2), *near(answer)],
        [
            f"The {sites} positions of {name} have a rotation group of order {len(rotations)}.",
            f"Without symmetry there are {every} ways to place {load}.",
            f"Summing the arrangements fixed by each rotation gives {total} (Polya, Burnside).",
            f"The number of isomers is ${total}/{len(rotations)}={answer}$.",
        ],
        -0.5 + 0.35 * kinds + 0.1 * (sites - 5),
    )


def hueckel(rng: Random) -> Sketch:
    """Total pi energy of a linear or cyclic polyene ion."""
    n, ring, charge = rng.randint(3, 16), rng.random() < 0.5, rng.choice([-2, -1, 0, 1, 2])
    electrons = n - charge

    def energy(cyclic: bool, count: int) -> float:
        turn = [2 * math.cos(2 * math.pi * j / n) if cyclic else 2 * math.cos(math.pi * j / (n + 1))
                for j in (range(n) if cyclic else range(1, n + 1))]  # fmt: skip
        filled = [level for level in sorted(turn, reverse=True) for _ in range(2)]
        return sum(filled[:count])

    value = energy(ring, electrons)
    if electrons > 2 * n or value < 0.5:
        return hueckel(rng)
    shape = "monocyclic (an annulene ring)" if ring else "linear (an open chain)"
    sign = f"{abs(charge)}{'+' if charge > 0 else '-'}" if charge else "zero"
    answer = sig(value)
    return Sketch(
        f"Consider the {shape} conjugated pi system of ${n}$ carbon atoms with total charge {sign}, ⟨each carbon "
        f"contributing one p orbital|with one p orbital on each carbon⟩ and, in the neutral species, one pi electron "
        f"each. ⟨In simple Hueckel theory|Use simple Hueckel theory, in which⟩ all Coulomb integrals ⟨are|equal⟩ "
        f"$\\alpha$, all resonance integrals between neighbours $\\beta<0$, and overlap is neglected. Write the total "
        f"pi "
        f"energy of the ground state as $E=N\\alpha+x\\beta$, $N$ being the number of pi electrons. ⟨Compute|Find⟩ "
        f"$x$ to "
        f"four significant figures.",
        answer,
        [sig(energy(not ring, electrons)), sig(energy(ring, n)), sig(energy(ring, electrons + charge + 1)),
         sig(value / 2), sig(2.0 * (electrons // 2))],
        [
            f"The system is {shape} with {n} centres and {electrons} pi electrons (charge {sign}).",
            "Its levels are $\\alpha+2\\beta\\cos(2\\pi j/n)$." if ring else
            "Its levels are $\\alpha+2\\beta\\cos(\\pi j/(n+1))$.",
            f"Filling from below puts two electrons into each of the lowest {electrons // 2} levels"
            + (" and one into the next." if electrons % 2 else "."),
            f"Summing the coefficients of $\\beta$ over all {electrons} electrons gives $x={answer}$.",
        ],
        -0.5 + 0.06 * n + 0.3 * (charge != 0) + 0.3 * ring,
    )  # fmt: skip


def lande_factor(rng: Random) -> Sketch:
    """Hund's ground term of a shell and its Lande factor."""
    letter, el = rng.choice([("p", 1), ("d", 2), ("f", 3), ("g", 4), ("h", 5), ("i", 6)])
    size = 2 * el + 1
    count = rng.choice([k for k in range(1, 2 * size) if k != size])
    up = min(count, size)
    spin = Fraction(up - (count - up), 2)
    orbital = (
        abs(sum(list(range(el, -el - 1, -1))[:up]))
        if count <= size
        else sum(list(range(el, -el - 1, -1))[: count - size])
    )
    total = abs(orbital - spin) if count < size else orbital + spin
    ask = rng.choice(["J", "g", "degeneracy"])
    if total == 0 and ask == "g":
        return lande_factor(rng)

    def lande(j: Fraction) -> Fraction:
        return 1 + (j * (j + 1) + spin * (spin + 1) - orbital * (orbital + 1)) / (2 * j * (j + 1)) if j else Fraction(0)

    wrong = orbital + spin if count < size else abs(orbital - spin)
    value = {"J": total, "g": lande(total), "degeneracy": Fraction((2 * orbital + 1) * (2 * spin + 1))}[ask]
    slip = {"J": wrong, "g": lande(wrong), "degeneracy": 2 * total + 1}[ask]
    micro = Fraction(comb(2 * size, count))
    wanted = {
        "J": "the quantum number $J$ of the ground level, by Hund's three rules",
        "g": "the Lande factor $g_J$ of the ground level (with $g_s=2$ exactly)",
        "degeneracy": "the total number of states in the ground term (all its levels together)",
    }[ask]
    answer = frac(value)
    return Sketch(
        f"A free ⟨ion|atom⟩ has, outside closed shells, a single open shell of ${count}$ equivalent electrons with "
        f"orbital quantum number $l={el}$, the configuration ${letter}^{{{count}}}$. ⟨Assume Russell-Saunders (LS) "
        f"coupling|Russell-Saunders coupling holds⟩, with the spin-orbit interaction ⟨much weaker than|small compared "
        f"with⟩ the Coulomb repulsion between the electrons, so that Hund's rules apply. ⟨Determine|Find|Compute⟩ "
        f"{wanted}, as an integer or exact fraction.",
        answer,
        [frac(slip), frac(spin), frac(Fraction(orbital)), frac(micro), frac(value + 1)],
        [
            f"For ${letter}^{{{count}}}$ the largest spin is $S={frac(spin)}$.",
            f"With that spin the largest orbital quantum number is $L={orbital}$.",
            f"The shell is {'less' if count < size else 'more'} than half full, so $J={frac(total)}$.",
            f"The ground term has $(2S+1)(2L+1)={frac((2 * orbital + 1) * (2 * spin + 1))}$ states.",
            f"What was asked, {wanted}, has the value ${answer}$.",
        ],
        -1.0 + 0.35 * el + 0.4 * (ask == "g"),
    )  # fmt: skip
