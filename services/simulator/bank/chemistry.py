"""Chemistry: stoichiometry, counting isomers, kinetics, equilibria, electronic structure."""

import math
from fractions import Fraction
from math import gcd
from random import Random

from services.simulator.bank.craft import frac, sig, tuples
from services.simulator.bank.problem import Sketch
from services.simulator.bank.structure import hueckel, isomers, lande_factor


def combustion(rng: Random) -> Sketch:
    """Smallest integer coefficients of a combustion."""
    c, n, s, o = rng.randint(2, 20), rng.randint(0, 4), rng.randint(0, 2), rng.randint(0, 6)
    h = rng.randrange(2 + n % 2, 2 * c + n + 3, 2)
    oxygen = Fraction(2 * c + 2 * s, 2) + Fraction(h, 4) - Fraction(o, 2)
    raw = [Fraction(1), oxygen, Fraction(c), Fraction(h, 2), Fraction(n, 2), Fraction(s)]
    used = [x for x in raw if x]
    scale = math.lcm(*(x.denominator for x in used))
    whole = [int(x * scale) for x in used]
    whole = [x // gcd(*whole) for x in whole]
    formula = "".join(f"{el}_{{{k}}}" for el, k in (("C", c), ("H", h), ("N", n), ("O", o), ("S", s)) if k)
    made = [text for text, x in (("CO_2", c), ("H_2O", h), ("N_2", n), ("SO_2", s)) if x]
    answer = tuples(whole)
    forgot = [int(x * scale) for x in used]
    forgot[1] = int((oxygen + Fraction(o, 2)) * scale * 2) // 2
    sides = " + ".join([f"\\mathrm{{{formula}}}", "\\mathrm{O_2}"]), " + ".join(f"\\mathrm{{{m}}}" for m in made)
    return Sketch(
        f"An organic compound of molecular formula $\\mathrm{{{formula}}}$ ⟨is burnt completely|undergoes complete "
        f"combustion⟩ in an excess of oxygen, ⟨following|according to⟩ the unbalanced scheme ${sides[0]} \\to "
        f"{sides[1]}$, "
        f"with no other products. ⟨Balance the equation|Find the balanced equation⟩ with the smallest possible "
        f"positive "
        f"integer coefficients. ⟨State|Give⟩ the tuple of all coefficients in the order in which the substances are "
        f"written in the scheme, reactants first.",
        answer,
        [
            tuples(forgot),
            tuples([whole[0], whole[1] + 1, *whole[2:]]),
            tuples([whole[0], 2 * whole[1], *whole[2:]]),
            tuples([2 * x for x in whole]),
        ],
        [
            f"Per molecule of $\\mathrm{{{formula}}}$, carbon fixes {c} $\\mathrm{{CO_2}}$ and hydrogen fixes "
            f"${frac(Fraction(h, 2))}$ $\\mathrm{{H_2O}}$.",
            f"Nitrogen and sulphur fix ${frac(Fraction(n, 2))}$ $\\mathrm{{N_2}}$ and {s} $\\mathrm{{SO_2}}$.",
            f"Oxygen atoms needed, less the {o} that the compound brings, make ${frac(oxygen)}$ $\\mathrm{{O_2}}$.",
            f"Multiplying by the least common denominator {scale} clears all fractions.",
            f"In the order of the scheme the coefficients are ${answer}$.",
        ],
        -1.3 + 0.25 * (n > 0) + 0.3 * (s > 0) + 0.03 * c + 0.2 * (scale > 1),
        "tuple",
    )


def consecutive_kinetics(rng: Random) -> Sketch:
    """Time of the maximum of the intermediate."""
    k1, k2 = rng.randint(11, 99) / 100, rng.randint(101, 480) / 100
    if rng.random() < 0.5:
        k1, k2 = k2, k1
    at = math.log(k2 / k1) / (k2 - k1)
    peak = (k2 / k1) ** (-k2 / (k2 - k1))
    ask_peak = rng.random() < 0.5
    value = peak if ask_peak else at
    other = k1 / (k2 - k1) if ask_peak else 1 / (k1 + k2)
    wanted = (
        "the largest concentration that B reaches, as a fraction of the initial concentration of A"
        if ask_peak
        else "the time in minutes at which the concentration of B is largest"
    )
    answer = sig(value)
    return Sketch(
        f"In a well-stirred closed batch reactor ⟨the consecutive irreversible reactions|two irreversible steps⟩ "
        f"$A\\to B\\to C$ take place, both of first order, with rate constants "
        f"$k_1={k1:.2f}\\,\\mathrm{{min}}^{{-1}}$ for "
        f"the first and $k_2={k2:.2f}\\,\\mathrm{{min}}^{{-1}}$ for the second step. ⟨At time zero only A is "
        f"present|The "
        f"reactor starts with pure A⟩. ⟨Compute|Determine|Find⟩ {wanted}, to four significant figures.",
        answer,
        [sig(abs(other)), sig(value * k1), sig(1 / k1), sig(math.log(2) / k1), sig(1 / value)],
        [
            f"With $k_1={k1:.2f}$ and $k_2={k2:.2f}$ per minute, $[B]=[A]_0\\frac{{k_1}}{{k_2-k_1}}(e^{{-k_1t}}-"
            f"e^{{-k_2t}})$.",
            f"Setting the derivative to zero gives $t_{{max}}=\\ln(k_2/k_1)/(k_2-k_1)={sig(at, 6)}$ minutes.",
            f"There $[B]/[A]_0=(k_2/k_1)^{{-k_2/(k_2-k_1)}}={sig(peak, 6)}$.",
            f"To four significant figures the quantity asked for, {wanted}, is ${answer}$.",
        ],
        -0.6 + 0.7 * ask_peak + 0.3 * (k1 > k2),
    )


def buffer_ph(rng: Random) -> Sketch:
    """Give the pH after adding strong base to a weak acid, in the Henderson-Hasselbalch approximation."""
    pka, acid, volume = rng.randint(300, 640) / 100, rng.randint(5, 40) / 100, rng.randint(20, 90)
    base = rng.randint(5, 40) / 100
    moles = acid * volume
    added = rng.randint(2, max(3, int(0.9 * moles / base)))
    used = base * added
    if not 0.05 * moles < used < 0.95 * moles:
        return buffer_ph(rng)
    ph = pka + math.log10(used / (moles - used))
    answer = sig(ph)
    return Sketch(
        f"A volume of ${volume}$ mL of a ${acid:.2f}$ M solution of a weak monoprotic acid with $pK_a={pka:.2f}$ is "
        f"titrated with a ${base:.2f}$ M solution of a strong monoacidic base. ⟨Consider the moment when|Suppose that⟩ "
        f"${added}$ mL of the base have been added. ⟨Activity coefficients are taken as one|Treat the solution as "
        f"ideal⟩ and use the Henderson-Hasselbalch approximation, in which the base converts an equivalent amount of "
        f"acid and dissociation is otherwise neglected. ⟨Compute|Determine⟩ the pH to four significant figures.",
        answer,
        [
            sig(pka - math.log10(used / (moles - used))),
            sig(pka + math.log10(used / moles)),
            sig(pka + math.log(used / (moles - used))),
            sig(pka + math.log10(base / acid)),
        ],
        [
            f"The acid amounts to ${acid:.2f}\\cdot {volume}={moles:.2f}$ mmol, and its $pK_a$ is {pka:.2f}.",
            f"The base amounts to ${base:.2f}\\cdot {added}={used:.2f}$ mmol, all of it consumed.",
            f"Left are {moles - used:.2f} mmol of acid beside {used:.2f} mmol of conjugate base.",
            f"The ratio {sig(used / (moles - used), 6)} has the decimal logarithm "
            f"{sig(math.log10(used / (moles - used)), 6)}.",
            f"Adding this to the $pK_a$ gives the pH ${answer}$.",
        ],
        -1.3 + 0.1 * (ph < pka),
    )


def nernst(rng: Random) -> Sketch:
    """Cell potential off standard conditions."""
    high, low = rng.randint(30, 160) / 100, rng.randint(-120, 20) / 100
    a, b = rng.choice([(1, 2), (2, 1), (2, 3), (3, 2), (1, 3), (3, 1), (1, 1), (2, 2)])
    electrons = math.lcm(a, b)
    right, left = rng.randint(1, 99) / 1000, rng.randint(10, 250) / 100
    kelvin = rng.choice([288.15, 298.15, 308.15, 318.15])
    unit = 8.314462618 * kelvin / 96485.33212
    log = (electrons / b) * math.log(left) - (electrons / a) * math.log(right)
    value = high - low - unit / electrons * log
    answer = sig(value)
    return Sketch(
        f"A galvanic cell ⟨is built from|combines⟩ the half-cells $\\mathrm{{M^{{{a}+}}/M}}$, standard reduction "
        f"potential "
        f"${high:.2f}$ V, and $\\mathrm{{X^{{{b}+}}/X}}$, standard reduction potential ${low:.2f}$ V, M and X being "
        f"solid "
        f"metals. The activities are ${right:.3f}$ for $\\mathrm{{M^{{{a}+}}}}$ and ${left:.2f}$ for "
        f"$\\mathrm{{X^{{{b}+}}}}$; ⟨the temperature is|the cell is kept at⟩ ${kelvin}$ K. Take $R=8.314462618$ "
        f"J/(mol K) "
        f"and $F=96485.33212$ C/mol. M is the cathode. ⟨Compute|Determine⟩ the cell potential in volts to four "
        f"significant figures, liquid junctions neglected.",
        answer,
        [sig(high - low + unit / electrons * log), sig(high - low), sig(high - low - unit * log),
         sig(high - low - unit / electrons * math.log(left / right))],
        [
            f"The standard potential is ${high:.2f}-({low:.2f})={high - low:.2f}$ V, with {electrons} electrons "
            f"transferred.",
            f"The reaction quotient has activity {left:.2f} to the power {electrons // b} over {right:.3f} to the "
            f"power "
            f"{electrons // a}.",
            f"Its natural logarithm is {sig(log, 6)}, and $RT/F$ at {kelvin} K is {sig(unit, 6)} V.",
            f"The correction is $-\\frac{{RT}}{{{electrons}F}}\\ln Q={sig(-unit / electrons * log, 6)}$ V.",
            f"The cell potential in volts is therefore ${answer}$.",
        ],
        -0.8 + 0.2 * electrons,
    )  # fmt: skip


FAMILIES = (combustion, isomers, consecutive_kinetics, buffer_ph, hueckel, lande_factor, nernst)
