"""Physics: exact answers where they are rational, otherwise four figures (the statement has the constants)."""

from fractions import Fraction
from random import Random

from services.simulator.bank.craft import frac
from services.simulator.bank.matter import diffraction, ising_ring, spin_multiplicity, trapped_states
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
