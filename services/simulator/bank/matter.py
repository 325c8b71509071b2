"""Physics of many particles and solids: spins, Ising rings, trapped gases, diffraction."""

import math
from fractions import Fraction
from math import comb
from random import Random

from services.simulator.bank.craft import frac, near, sig
from services.simulator.bank.problem import Sketch


def spin_multiplicity(rng: Random) -> Sketch:
    """How often total spin J occurs among N spins one half (or one)."""
    n, whole = rng.randint(5, 26), rng.random() < 0.4
    n = min(n, 14) if whole else n
    weights = {0: 1}
    for _ in range(n):
        grown: dict[int, int] = {}
        for m, c in weights.items():
            for d in (-2, 0, 2) if whole else (-1, 1):
                grown[m + d] = grown.get(m + d, 0) + c
        weights = grown
    twice = rng.choice([j for j in weights if 0 <= j <= n])
    at, above = weights[twice], weights.get(twice + 2, 0)
    answer = at - above
    kind, j = ("one", "1") if whole else ("one half", "1/2")
    spin = frac(Fraction(twice, 2))
    return Sketch(
        f"⟨A quantum magnet consists of|Consider a system of|The Hilbert space of a cluster is the tensor product of⟩ "
        f"${n}$ distinguishable spins, each of spin {kind} $(s={j})$. ⟨The total spin operator|Their total angular "
        f"momentum⟩ is $\\mathbf{{J}}=\\sum_i \\mathbf{{s}}_i$, and the state space decomposes into irreducible "
        f"representations of $SU(2)$. ⟨Determine|Compute|Find⟩ how many times the irreducible representation with "
        f"total "
        f"spin $J={spin}$ occurs in this decomposition⟨, that is, the multiplicity and not the number of states| (its "
        f"multiplicity)⟩.",
        str(answer),
        [str(at), str(answer * (twice + 1)), str(above), *near(answer)],
        [
            f"States with magnetic quantum number $M={spin}$: there are {at} among the {n} spins of {j}.",
            f"States with $M={frac(Fraction(twice, 2) + 1)}$: there are {above}.",
            "Each representation with $J\\ge M$ has exactly one state at that $M$.",
            "So the difference of the two counts leaves exactly the representations with $J=M$.",
            f"The multiplicity is ${at}-{above}={answer}$.",
        ],
        -0.9 + 0.05 * n + 0.9 * whole,
    )


def ising_ring(rng: Random) -> Sketch:
    """Correlation on a ring from the transfer matrix."""
    n = rng.randint(4, 9)
    r = rng.randint(1, n // 2)
    t = Fraction(rng.randint(1, 4), rng.randint(5, 7))
    value = (t**r + t ** (n - r)) / (1 + t**n)
    answer = frac(value)
    return Sketch(
        f"⟨A classical Ising model lives on|Consider the classical Ising model on⟩ a closed ring of ${n}$ sites with "
        f"spins $\\sigma_i=\\pm 1$, energy $-J\\sum_{{i=1}}^{{{n}}}\\sigma_i\\sigma_{{i+1}}$ with $\\sigma_{{{n + 1}}}="
        f"\\sigma_1$, and no external field. The temperature is ⟨tuned|chosen⟩ such that $\\tanh(J/k_BT)={frac(t)}$ "
        f"exactly. ⟨Compute|Determine|Find⟩ the equilibrium two-point correlation $\\langle \\sigma_1 "
        f"\\sigma_{{{1 + r}}}\\rangle$ of ⟨this finite ring|the finite system⟩, as an exact fraction in lowest terms.",
        answer,
        [frac(t**r), frac(t**r + t ** (n - r)), frac(t**r / (1 + t**n)), frac(value / 2)],
        [
            f"The transfer matrix has the ratio of eigenvalues $t=\\tanh(J/k_BT)={frac(t)}$.",
            f"On the ring of {n} sites two paths join the spins, of lengths {r} and {n - r}.",
            f"The partition function is proportional to $1+t^{{{n}}}={frac(1 + t**n)}$.",
            f"The numerator is $t^{{{r}}}+t^{{{n - r}}}={frac(t**r + t ** (n - r))}$.",
            f"The quotient is the correlation, ${answer}$.",
        ],
        0.0 + 0.12 * n + 0.1 * r,
    )


def partitions(quanta: int, parts: int, distinct: bool) -> int:
    """Count partitions into at most `parts` parts, or distinct non-negative occupation of levels."""
    ways = [[0] * (parts + 1) for _ in range(quanta + 1)]
    ways[0][0] = 1
    for level in range(quanta + 1):
        if distinct:
            for q in range(quanta, level - 1, -1):
                for k in range(parts, 0, -1):
                    ways[q][k] += ways[q - level][k - 1]
        else:
            for q in range(level, quanta + 1):
                for k in range(1, parts + 1):
                    ways[q][k] += ways[q - level][k - 1]
    return ways[quanta][parts]


def trapped_states(rng: Random) -> Sketch:
    """Many-body states of particles in a harmonic well at given excitation."""
    n, quanta, fermions = rng.randint(3, 7), rng.randint(5, 18), rng.random() < 0.5
    ground = n * (n - 1) // 2 if fermions else 0
    answer = partitions(quanta + ground, n, fermions)
    labelled = comb(quanta + n - 1, n - 1)
    kind = "spinless (spin-polarised) fermions" if fermions else "spinless bosons"
    return Sketch(
        f"${n}$ identical non-interacting {kind} ⟨are trapped in|move in|occupy the levels of⟩ a one-dimensional "
        f"harmonic potential with single-particle energies $\\hbar\\omega(k+1/2)$, $k=0,1,2,\\dots$. ⟨The many-body "
        f"ground "
        f"state has energy $E_0$|Let $E_0$ be the energy of the many-body ground state⟩. ⟨Determine|Compute|Find⟩ the "
        f"number of linearly independent many-body states with energy exactly $E_0+{quanta}\\,\\hbar\\omega$, "
        f"⟨respecting the statistics of the particles|with the required exchange symmetry⟩.",
        str(answer),
        [str(labelled), str(partitions(quanta, n, True)), str(partitions(quanta, quanta, False)), *near(answer)],
        [
            f"The ground state uses {ground} quanta above the zero-point energy of the {n} particles ({kind}).",
            f"An excited state is fixed by the occupation numbers, so we distribute {quanta} additional quanta.",
            f"Moving each particle up by a part maps these states to partitions of {quanta} into at most {n} parts.",
            f"Counting those partitions by recursion on the levels gives the number of states, ${answer}$.",
        ],
        -0.6 + 0.08 * quanta + 0.4 * fermions,
    )


def diffraction(rng: Random) -> Sketch:
    """Bragg angle and lattice constant of a cubic crystal."""
    lattice = rng.randint(300, 650) / 100
    wave = rng.choice([0.7107, 1.5406, 1.7889, 2.2897])
    h, k, el = rng.choice([(1, 1, 1), (2, 0, 0), (2, 2, 0), (3, 1, 1), (2, 2, 2), (2, 1, 0), (2, 1, 1)])
    spacing = lattice / math.sqrt(h * h + k * k + el * el)
    sine = wave / (2 * spacing)
    if sine > 0.95:
        return diffraction(rng)
    angle = math.degrees(2 * math.asin(sine))
    answer = sig(angle)
    return Sketch(
        f"A powder sample of a crystal with a primitive cubic lattice of lattice constant ${lattice:.2f}$ angstrom is "
        f"⟨irradiated|examined⟩ with monochromatic X-rays of wavelength ${wave}$ angstrom. ⟨Consider the first-order "
        f"Bragg reflection|Take the reflection of first order⟩ from the lattice planes with Miller indices "
        f"$({h}{k}{el})$. ⟨Compute|Determine|Find⟩ the full scattering angle $2\\theta$ between the incident and the "
        f"diffracted beam, in degrees, to four significant figures⟨, neglecting refraction|⟩.",
        answer,
        [
            sig(angle / 2),
            sig(math.degrees(2 * math.asin(min(wave / (2 * lattice), 1)))),
            sig(math.degrees(math.asin(min(2 * sine, 0.999)))),
            sig(180 - angle),
        ],
        [
            f"The planes $({h}{k}{el})$ have spacing "
            f"$d={lattice:.2f}/\\sqrt{{{h * h + k * k + el * el}}}={sig(spacing, 6)}$ "
            f"angstrom.",
            f"Bragg's law in first order gives $\\sin\\theta={wave}/(2d)={sig(sine, 6)}$.",
            f"Hence $\\theta={sig(angle / 2, 6)}$ degrees, and the beam turns through twice that.",
            f"In degrees, the full scattering angle is ${answer}$.",
        ],
        -1.2 + 0.1 * (h * h + k * k + el * el),
    )
