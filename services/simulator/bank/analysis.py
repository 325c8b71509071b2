"""Mathematics, analysis and probability with rational outcomes."""

from fractions import Fraction
from random import Random

from services.simulator.bank.craft import frac
from services.simulator.bank.problem import Sketch


def times_pi(value: Fraction) -> str:
    r"""Write a rational multiple of pi: `\pi`, `\frac{3\pi}{4}`."""
    top = r"\pi" if value.numerator == 1 else f"{value.numerator}\\pi"
    return top if value.denominator == 1 else f"\\frac{{{top}}}{{{value.denominator}}}"


def quartic_integral(rng: Random) -> Sketch:
    """Integrate a rational even function over the half line by residues."""
    a, b = sorted(rng.sample(range(1, 13), 2))
    m, s = rng.choice([1, 2, 3, 5]), rng.choice([0, 1, 2, 3, 7])
    value = Fraction(m, 2 * (a + b)) + Fraction(s, 2 * a * b * (a + b))
    numerator = (f"{'' if m == 1 else m}x^2" + (f"+{s}" if s else "")).strip()
    answer = times_pi(value)
    return Sketch(
        f"⟨Let $I$ denote the improper integral|Consider the convergent integral|Define the real number $I$ by⟩ "
        f"$I=\\int_0^\\infty \\frac{{{numerator}}}{{(x^2+{a * a})(x^2+{b * b})}}\\,dx$, taken over the positive half "
        f"line. ⟨The integrand extends to a rational function on the complex plane with four simple poles on the "
        f"imaginary axis|The integrand is even and rational, with simple poles at $\\pm {a}i$ and $\\pm {b}i$⟩. "
        f"⟨Evaluate $I$ in closed form|Find the exact value of $I$⟩, as a rational multiple of $\\pi$ in lowest terms.",
        answer,
        [
            times_pi(2 * value),
            times_pi(Fraction(m, 2 * (a + b)) + Fraction(s, a * b * (a + b))),
            times_pi(value / 2),
            times_pi(4 * value),
        ],
        [
            f"Extend to the whole line: $2I=\\int_{{-\\infty}}^\\infty$ of the same integrand, with poles at ${a}i$ "
            f"and "
            f"${b}i$ in the upper half plane.",
            f"The piece $\\frac{{x^2}}{{(x^2+{a * a})(x^2+{b * b})}}$ contributes $\\frac{{\\pi}}{{{a}+{b}}}$ to $2I$, "
            f"and it carries the factor {m}.",
            f"The constant piece $\\frac{{1}}{{(x^2+{a * a})(x^2+{b * b})}}$ contributes "
            f"$\\frac{{\\pi}}{{{a}\\cdot{b}({a}+{b})}}$ to $2I$, with factor {s}.",
            f"Adding and halving gives $I={answer}$.",
        ],
        -0.6 + 0.05 * (a + b) + 0.3 * (s > 0),
        "expression",
    )


def residue(rng: Random) -> Sketch:
    """Residue at a double pole."""
    a, b = rng.sample([x for x in range(-6, 7) if x], 2)
    m, c = rng.randint(2, 6), rng.choice([1, 2, 3, 5])
    d = a - b
    first, second = Fraction(c * m * a ** (m - 1), d), Fraction(c * a**m, d * d)
    answer = frac(first - second)
    lead = "" if c == 1 else str(c)
    return Sketch(
        f"⟨Consider the meromorphic function|Let $f$ be the rational function|On the Riemann sphere consider⟩ "
        f"$f(z)=\\frac{{{lead}z^{{{m}}}}}{{(z{-a:+d})^2(z{-b:+d})}}$ ⟨of one complex variable|on the complex plane⟩. "
        f"Let "
        f"$\\gamma$ be a small positively oriented circle around $z={a}$ that neither passes through nor encloses the "
        f"other pole $z={b}$. ⟨Compute|Determine|Find⟩ the value of $\\frac{{1}}{{2\\pi i}}\\oint_\\gamma f(z)\\,dz$ "
        f"⟨as an exact rational number|exactly, as a fraction in lowest terms or an integer⟩.",
        answer,
        [frac(first + second), frac(first), frac(-second), frac(second - first)],
        [
            f"At the double pole $z={a}$ the residue is $g'({a})$ with $g(z)=\\frac{{{lead}z^{{{m}}}}}{{z{-b:+d}}}$.",
            f"The quotient rule has a first part, from the numerator's derivative, equal to ${frac(first)}$ at "
            f"$z={a}$.",
            f"The second part, from the denominator with distance ${d}$ between the poles, is ${frac(second)}$.",
            f"The residue is the difference of the two parts: $({frac(first)})-({frac(second)})={answer}$.",
        ],
        -0.9 + 0.2 * m + 0.1 * (d < 0),
    )


def ruin_time(rng: Random) -> Sketch:
    """Compute the expected duration of a biased gambler's ruin."""
    top = rng.randint(4, 9)
    start = rng.randint(1, top - 1)
    up, down = rng.choice([(1, 2), (2, 1), (2, 3), (3, 2), (1, 3), (3, 1)])
    ratio = Fraction(down, up)
    reach = (1 - ratio**start) / (1 - ratio**top)
    drift = Fraction(up - down, up + down)
    value = (top * reach - start) / drift
    answer = frac(value)
    return Sketch(
        f"A ⟨particle performs a random walk|token moves⟩ on the ⟨sites|states⟩ $0,1,\\dots,{top}$ of a line in "
        f"discrete "
        f"time. From every interior ⟨site|state⟩ it steps to the right with probability "
        f"${frac(Fraction(up, up + down))}$ "
        f"and to the left with probability ${frac(Fraction(down, up + down))}$, independently of the past; the walk is "
        f"absorbed as soon as it ⟨reaches|hits⟩ $0$ or ${top}$. It starts at ⟨site|state⟩ ${start}$. "
        f"⟨Compute|Determine⟩ "
        f"the exact expected number of steps until absorption ⟨, as a rational number in lowest terms.|as a fraction.⟩",
        answer,
        [frac(Fraction(start * (top - start))), frac(start / abs(drift)), frac(reach * top), frac(value + 1)],
        [
            f"The drift per step is ${frac(drift)}$, so $X_t-t\\cdot({frac(drift)})$ is a martingale.",
            f"A second martingale is $r^{{X_t}}$ with ratio $r={frac(ratio)}$ of left to right.",
            f"Optional stopping of the second gives the chance of ending at ${top}$ from ${start}$: ${frac(reach)}$.",
            f"Optional stopping of the first gives $E[X_T]-{start}=({frac(drift)})E[T]$ with "
            f"$E[X_T]={frac(top * reach)}$.",
            f"Solving for the expected time gives $E[T]={answer}$.",
        ],
        -0.3 + 0.2 * (top - 3),
    )
