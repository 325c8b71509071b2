"""Physics: exact where nature is rational, four figures where it is not (constants are given in the statement)."""

import math
from fractions import Fraction
from math import comb
from random import Random

from services.simulator.bank.craft import frac, near, sig
from services.simulator.bank.problem import Sketch


def velocities(rng: Random) -> Sketch:
    """Collinear boosts compose by the hyperbolic tangent's addition law."""
    count = rng.choice([2, 3, 3, 4])
    speeds = [Fraction(rng.randint(1, d - 1), d) for d in (rng.randint(2, 7) for _ in range(count))]
    last = rng.choice([-1, 1])
    signed = [*speeds[:-1], last * speeds[-1]]
    total, steps = signed[0], []
    for v in signed[1:]:
        total = (total + v) / (1 + total * v)
        steps.append(f"Composing with ${frac(v)}$ gives the velocity ${frac(total)}$ in units of $c$.")
    chain = ", then ".join(f"${frac(v)}\\,c$" for v in speeds)
    turn = "opposite to" if last < 0 else "along"
    answer = frac(total)
    product = Fraction(1)
    for v in signed:
        product *= (1 + v) / (1 - v)
    plain = sum(signed, Fraction(0))
    return Sketch(
        f"⟨A chain of inertial frames $S_0, S_1, \\dots, S_{count}$ is set up along one axis|Inertial frames "
        f"$S_0, S_1, \\dots, S_{count}$ share a common $x$ axis|Consider inertial frames $S_0, S_1, \\dots, "
        f"S_{count}$ in "
        f"standard configuration⟩: each frame moves relative to the one before it with the speeds {chain}, all in the "
        f"positive $x$ direction except that the last of these velocities points {turn} the positive $x$ direction. "
        f"⟨Using special relativity|Within special relativity⟩, ⟨determine|find|compute⟩ the velocity of $S_{count}$ "
        f"as "
        f"measured in $S_0$, in units of the speed of light $c$, as an exact signed fraction.",
        answer,
        [frac(plain), frac(plain / (1 + signed[0] * signed[-1])), frac(-total), frac(total / 2)],
        [
            f"Collinear velocities in units of $c$ compose as $(u+v)/(1+uv)$; start with ${frac(signed[0])}$.",
            *steps[:-1],
            f"As a check, the Doppler factors squared multiply to ${frac(product)}$.",
            f"The last composition, with ${frac(signed[-1])}$, gives the velocity in units of $c$ as ${answer}$.",
        ],
        -1.4 + 0.5 * count + 0.3 * (last < 0),
    )


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


def anharmonic_shift(rng: Random) -> Sketch:
    """First-order shift of an oscillator level by a quartic and a cubic-free even polynomial."""
    n = rng.randint(0, 12)
    a, b = Fraction(rng.randint(1, 9), rng.choice([10, 20, 40])), Fraction(rng.randint(1, 9), rng.choice([10, 100]))
    second, fourth = Fraction(2 * n + 1, 2), Fraction(3, 4) * (2 * n * n + 2 * n + 1)
    value = a * second + b * fourth
    answer = frac(value)
    return Sketch(
        f"A one-dimensional harmonic oscillator of mass $m$ and angular frequency $\\omega$ is ⟨perturbed|disturbed⟩ "
        f"by "
        f"$V=\\hbar\\omega\\left(\\alpha\\,\\xi^2+\\beta\\,\\xi^4\\right)$, where $\\xi=x\\sqrt{{m\\omega/\\hbar}}$ "
        f"is the "
        f"dimensionless coordinate, $\\alpha={frac(a)}$ and $\\beta={frac(b)}$. ⟨The unperturbed levels have energies "
        f"$\\hbar\\omega(n+1/2)$|Label the unperturbed levels by $n=0,1,2,\\dots$⟩. ⟨Compute|Find|Determine⟩ the "
        f"shift of "
        f"the level $n={n}$ in first-order perturbation theory, in units of $\\hbar\\omega$, as an exact fraction.",
        answer,
        [
            frac(a * second + b * second**2),
            frac(b * fourth),
            frac(a * second + b * Fraction(3, 4) * (2 * n * n + 1)),
            frac(2 * value),
            frac(a * n + b * fourth),
        ],
        [
            "With $\\xi=(a+a^\\dagger)/\\sqrt{2}$, first order needs the diagonal elements of $\\xi^2$ and $\\xi^4$.",
            f"For $n={n}$, $\\langle\\xi^2\\rangle=n+1/2={frac(second)}$.",
            f"Normal ordering gives $\\langle\\xi^4\\rangle=\\frac{{3}}{{4}}(2n^2+2n+1)={frac(fourth)}$.",
            f"The two contributions are ${frac(a * second)}$ and ${frac(b * fourth)}$ in units of $\\hbar\\omega$.",
            f"Their sum is the shift, ${answer}$.",
        ],
        -0.5 + 0.12 * n,
    )


def ladder(rng: Random) -> Sketch:
    """Input resistance of a finite ladder network, by continued fraction."""
    cells = rng.randint(2, 5)
    series, shunt = [rng.randint(1, 9) for _ in range(cells)], [rng.randint(1, 9) for _ in range(cells)]
    total = Fraction(series[-1] + shunt[-1])
    steps = [f"The last cell alone is {series[-1]} and {shunt[-1]} in series, ${frac(total)}$ ohms."]
    for s, p in list(zip(series, shunt, strict=True))[-2::-1]:
        total = s + total * p / (total + p)
        steps.append(f"In parallel with {p} and in series with {s} ohms this becomes ${frac(total)}$ ohms.")
    answer = frac(total)
    steps[-1] = f"In parallel with {shunt[0]} and in series with {series[0]} the resistance in ohms is ${answer}$."
    first_series = ", ".join(map(str, series))
    return Sketch(
        f"A finite ladder network has ${cells}$ cells. ⟨Counting from the input terminals|Numbered from the input⟩, "
        f"cell "
        f"$k$ consists of a series resistor $R_k$ in the upper rail followed by a shunt resistor $P_k$ from the upper "
        f"to the lower rail; the lower rail has no resistance and the far end is open. The values in ohms are "
        f"$(R_1,\\dots,R_{cells})=({first_series})$ and $(P_1,\\dots,P_{cells})=({', '.join(map(str, shunt))})$. "
        f"⟨Determine|Compute|Find⟩ the ⟨input resistance|equivalent resistance between the input terminals⟩ in ohms as "
        f"an exact fraction.",
        answer,
        [
            frac(Fraction(sum(series) + sum(shunt))),
            frac(total + shunt[-1]),
            frac(sum(series) + 1 / sum((Fraction(1, p) for p in shunt), Fraction(0))),
            frac(1 / total),
            frac(total - series[0]),
        ],
        steps,
        -1.5 + 0.5 * cells,
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


def rolling(rng: Random) -> Sketch:
    """Acceleration of a hollowed body that rolls down a slope."""
    inner, outer = sorted(rng.sample(range(1, 10), 2))
    x = Fraction(inner, outer)
    sphere = rng.random() < 0.5
    k = Fraction(2, 5) * (1 - x**5) / (1 - x**3) if sphere else Fraction(1, 2) * (1 + x**2)
    opposite, hypotenuse = rng.choice([(3, 5), (4, 5), (5, 13), (12, 13), (8, 17), (7, 25), (20, 29)])
    sine = Fraction(opposite, hypotenuse)
    value = sine / (1 + k)
    answer = frac(value)
    body = "spherical shell (a ball with a concentric spherical cavity)" if sphere else "hollow cylinder (a thick pipe)"
    solid = Fraction(2, 5) if sphere else Fraction(1, 2)
    return Sketch(
        f"A homogeneous {body} has inner radius ${inner}a$ and outer radius ${outer}a$, where $a$ is a length. It is "
        f"⟨released from rest|set down at rest⟩ on a plane inclined at an angle $\\theta$ with "
        f"$\\sin\\theta={frac(sine)}$ "
        f"and rolls down without slipping, ⟨air resistance and rolling friction being negligible|with no losses⟩. "
        f"⟨Determine|Compute|Find⟩ the acceleration of its centre in units of the gravitational acceleration $g$, as "
        f"an "
        f"exact fraction.",
        answer,
        [frac(sine / (1 + solid)), frac(sine), frac(sine / (1 + solid * (1 + x))), frac(sine / k), frac(value / 2)],
        [
            f"Write $I=\\kappa M R^2$ with the outer radius $R$; the ratio of radii is ${frac(x)}$.",
            "For the shell "
            + ("$\\kappa=\\frac{2}{5}\\frac{1-x^5}{1-x^3}$" if sphere else "$\\kappa=\\frac{1}{2}(1+x^2)$")
            + f", which is ${frac(k)}$.",
            f"Rolling adds the rotational inertia, so $a=g\\sin\\theta/(1+\\kappa)$ with $1+\\kappa={frac(1 + k)}$.",
            f"With $\\sin\\theta={frac(sine)}$ the acceleration in units of $g$ is ${answer}$.",
        ],
        -0.7 + 0.8 * sphere + 0.04 * outer,
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


FAMILIES = (
    velocities,
    spin_multiplicity,
    ising_ring,
    anharmonic_shift,
    ladder,
    trapped_states,
    rolling,
    diffraction,
)
