# ruff: noqa: E501 - tables of examples
"""Pairs of answers drawn by kind, equal by rewriting or different by one small change, for tests and for the bench.

Each kind is a function of dice: key, equal answers, different answers. Nothing here uses the rules that are tested.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from random import Random

SEED = 20261128
"""Of the pairs in the bench; fixed before the rules were tuned on any of them."""
SUPER = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
SUB = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A pair, and whether the answers are equal."""

    kind: str
    type: str
    key: str
    answer: str
    equal: bool


Draw = Callable[[Random], tuple[str, list[str], list[str]]]


def number(dice: Random) -> tuple[str, list[str], list[str]]:
    n = dice.randint(2, 10 ** dice.randint(1, 9))
    equal = [
        f"${n}$",
        f"{n}.0",
        f"x = {n}",
        rf"\text{{{n}}}",
        f"**{n}**",
        f"{2 * n}/2",
        rf"\frac{{{3 * n}}}{{3}}",
        rf"\left({n}\right)",
    ]
    if n > 10**6:
        equal.append(f"{n:,}")
    return str(n), equal, [f"-{n}", f"−{n}", str(n + dice.randint(1, 9)), f"{n}/7", f"{n}^2", f"{n}²", f"√{n}", f"{n}π"]


def scientific(dice: Random) -> tuple[str, list[str], list[str]]:
    digits, power = f"{dice.randint(1, 9)}.{dice.randint(10, 99)}", dice.choice([*range(-40, -1), *range(2, 40)])
    raised = str(power).translate(SUPER)
    key = rf"{digits} \times 10^{{{power}}}"
    equal = [f"{digits}e{power}", f"{digits}×10{raised}", f"{digits} · 10^{power}", rf"{digits}\cdot 10^{{{power}}}"]
    other = f"{power + dice.choice((-1, 1))}"
    return key, equal, [f"{digits}e{other}", f"{digits}×10{other.translate(SUPER)}", rf"-{digits}\times 10^{{{power}}}",
                        f"{digits}×10{str(-power).translate(SUPER)}", digits]  # fmt: skip


_UNITS = (("km", "m", 1000), ("m", "cm", 100), ("kg", "g", 1000), ("m/s^2", "cm/s^2", 100), ("kPa", "Pa", 1000),
          ("MJ", "kJ", 1000), ("L", "mL", 1000), ("g/cm^3", "kg/m^3", 1000), ("mol/L", "mmol/L", 1000), ("kN", "N", 1000),
          ("μF", "nF", 1000), ("GHz", "MHz", 1000), ("eV", "meV", 1000), ("N/m^2", "mPa", 1000), ("W/m^2", "mW/m^2", 1000))  # fmt: skip


def quantity(dice: Random) -> tuple[str, list[str], list[str]]:
    large, small, factor = dice.choice(_UNITS)
    n = dice.randint(2, 999)
    written = small.replace("^2", "²").replace("^3", "³")
    equal = [
        f"{n * factor} {small}",
        rf"{n} \text{{ {large} }}",
        rf"{n}\,\mathrm{{{large}}}",
        f"{n * factor} {written}",
    ]
    return (
        f"{n} {large}",
        equal,
        [f"{n} {small}", f"{n + 1} {large}", f"{n * factor} {large}", f"-{n} {large}", f"{n * factor * 10} {small}"],
    )


def _polynomial(dice: Random) -> tuple[str, list[int]]:
    name = dice.choice("xyntz")
    roots = [dice.choice([-5, -4, -3, -2, -1, 1, 2, 3, 4, 5]) for _ in range(dice.randint(2, 3))]
    return name, roots


def _signed(n: int) -> str:
    return f"+{n}" if n >= 0 else str(n)


def _expanded(name: str, roots: list[int], marks: Callable[[int], str] = lambda n: f"^{{{n}}}") -> str:
    coefficients = [1]
    for root in roots:
        coefficients = [a - root * b for a, b in zip([*coefficients, 0], [0, *coefficients], strict=True)]
    degree, terms = len(coefficients) - 1, []
    for at, c in enumerate(coefficients):
        power = degree - at
        if c:
            letters = "" if not power else name if power == 1 else name + marks(power)
            size = "" if abs(c) == 1 and letters else str(abs(c))
            terms.append(("-" if c < 0 else "+") + size + letters)
    return "".join(terms).removeprefix("+")


def _terms_turned(text: str, dice: Random) -> str:
    terms = text.replace("-", "+-").removeprefix("+").split("+")
    dice.shuffle(terms)
    return "+".join(filter(None, terms)).replace("+-", "-")


def expression(dice: Random) -> tuple[str, list[str], list[str]]:
    name, roots = _polynomial(dice)
    key = _expanded(name, roots)
    equal = [_terms_turned(key, dice), "".join(f"({name}{_signed(-root)})" for root in roots),
             _expanded(name, roots, lambda n: str(n).translate(SUPER)), rf"\frac{{2({key})}}{{2}}"]  # fmt: skip
    other = [roots[0] + dice.choice((-7, 7, 11)), *roots[1:]]
    return (
        key,
        equal,
        [_expanded(name, other), f"-({key})", f"{key}+1", "".join(f"({name}{_signed(-root)})" for root in other)],
    )


def function(dice: Random) -> tuple[str, list[str], list[str]]:
    a, b, x = dice.randint(2, 9), dice.randint(2, 9), dice.choice("xt")
    while a == b:
        b = dice.randint(2, 9)
    return dice.choice([
        (rf"e^{{{a}{x}}}", [rf"\exp({a}{x})", f"(e^{x})^{{{a}}}"], [rf"e^{{{b}{x}}}", rf"e^{{-{a}{x}}}", rf"{a}e^{{{x}}}"]),
        (rf"\sin {a}{x}", [rf"\sin({a}{x})", rf"\sin({x}\cdot {a})"], [rf"\cos {a}{x}", rf"{a}\sin {x}", rf"\sin {b}{x}", rf"\sin^{{{a}}} {x}"]),
        (rf"\sqrt{{{a * a * b}}}", [rf"{a}\sqrt{{{b}}}", f"{a}√{b}"], [rf"\sqrt{{{a * b}}}", f"{b}√{a * a}+1", rf"-{a}\sqrt{{{b}}}"]),
        (rf"\frac{{{x}}}{{{a}}}", [f"{x}/{a}", rf"\frac{{1}}{{{a}}}{x}"], [rf"\frac{{{a}}}{{{x}}}", rf"\frac{{{x}}}{{{b}}}"]),
        (rf"\ln {a**b}", [rf"{b}\ln {a}"], [rf"\ln {a * b}", rf"{a}\ln {b + 20}", rf"(\ln {a})^{{{b}}}"]),
        (rf"\frac{{1}}{{{a + 20}!}}", [f"1/{a + 20}!"], [rf"\frac{{1}}{{{a + 21}!}}", rf"\frac{{2}}{{{a + 20}!}}"]),
        (rf"e^{{-{a + 30}}}", [rf"\frac{{1}}{{e^{{{a + 30}}}}}"], [rf"e^{{-{a + 31}}}", rf"2e^{{-{a + 30}}}"]),
        (rf"\binom{{n}}{{{a}}}", [rf"\frac{{n!}}{{{a}!(n-{a})!}}"], [rf"\binom{{n}}{{{a + 1}}}", rf"\binom{{n+1}}{{{a}}}"]),
        (rf"\pi/{a}", [rf"\frac{{\pi}}{{{a}}}", f"π/{a}"], [rf"\pi/{b}", f"1/{a}", f"π²/{a}"]),
    ])  # fmt: skip


def arithmetic(dice: Random) -> tuple[str, list[str], list[str]]:
    letters = dice.sample("abcmnpq", 3)
    a, b, c = letters
    name = dice.choice(("gcd", "max", "min"))
    key = rf"\{name}({a},{b})"
    return key, [rf"\{name}({b},{a})", rf"\{name}\left({a}, {b}\right)"], [rf"\{name}({a},{c})", rf"\{name}({c},{b})",
                                                                       rf"\{name}({a}+1,{b})"]  # fmt: skip


def _elements(dice: Random, count: int) -> list[Fraction]:
    return [Fraction(n, dice.choice((1, 1, 2, 3))) for n in dice.sample(range(-40, 40), count)]


def _written(value: Fraction) -> str:
    return (
        str(value)
        if value.denominator == 1
        else f"{'-' if value < 0 else ''}\\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"
    )


def _row(values: list[Fraction], left: str, right: str, gap: str = ", ") -> str:
    return left + gap.join(map(_written, values)) + right


def _swapped(values: list[Fraction]) -> list[Fraction]:
    return [values[1], values[0], *values[2:]]


def finite_set(dice: Random) -> tuple[str, list[str], list[str]]:
    values = _elements(dice, dice.randint(2, 5))
    values = list(dict.fromkeys(values))
    other = [values[0] + 50, *values[1:]]
    left, right = r"\{", r"\}"
    return _row(values, left, right), [_row(values[::-1], left, right), _row(values, left, right, ","),
        _row([*values, values[0]], left, right), _row(values, r"\left\{", r"\right\}")], [
        _row(other, left, right), _row(values[1:], left, right), _row([*values, Fraction(99)], left, right)]  # fmt: skip


def tuple_(dice: Random) -> tuple[str, list[str], list[str]]:
    values = list(dict.fromkeys(_elements(dice, dice.randint(2, 4))))
    if len(values) < 2:
        values = [Fraction(1), Fraction(2)]
    other = [*values[:-1], values[-1] + 1]
    return _row(values, "(", ")"), [_row(values, r"\left(", r"\right)"), _row(values, "( ", " )", ",  ")], [
        _row(_swapped(values), "(", ")"), _row(other, "(", ")"), _row([*values, Fraction(3)], "(", ")")]  # fmt: skip


def interval(dice: Random) -> tuple[str, list[str], list[str]]:
    low = Fraction(dice.randint(-20, 5), dice.choice((1, 2)))
    high = low + dice.randint(1, 9)
    name = dice.choice("xt")
    a, b = _written(low), _written(high)
    return f"[{a}, {b})", [rf"\left[{a},{b}\right)", rf"{a} \le {name} < {b}", f"{b} > {name} ≥ {a}", rf"{name} \in [{a},{b})", f"[{a}, {b}["], [
        f"[{a}, {b}]", f"({a}, {b})", f"[{a}, {_written(high + 1)})", rf"{a} < {name} < {b}", f"({a}, {b}]"]  # fmt: skip


def matrix(dice: Random) -> tuple[str, list[str], list[str]]:
    rows = [[dice.randint(-9, 9) for _ in range(2)] for _ in range(2)]
    rows[0][1] = rows[1][0] + dice.randint(1, 5)

    def written(each: list[list[int]], kind: str = "pmatrix") -> str:
        return rf"\begin{{{kind}}}" + r" \\ ".join(" & ".join(map(str, row)) for row in each) + rf"\end{{{kind}}}"

    turned = [list(column) for column in zip(*rows, strict=True)]
    other = [rows[0], [rows[1][0], rows[1][1] + 1]]
    return written(rows), [written(rows, "bmatrix"), str(rows), written(rows).replace(" ", "")], [
        written(turned), written(other), written(rows[::-1]) if rows[0] != rows[1] else written(other), str(other)]  # fmt: skip


def relation(dice: Random) -> tuple[str, list[str], list[str]]:
    a, b, c = dice.randint(2, 9), dice.randint(2, 9), dice.randint(1, 30)
    return dice.choice([
        (f"{a}x+{b}y={c}", [f"{b}y+{a}x={c}", f"{c}={a}x+{b}y", f"{2 * a}x+{2 * b}y={2 * c}", f"{a}x={c}-{b}y"],
         [f"{a}x-{b}y={c}", f"{a}x+{b}y={c + 1}", str(c), f"{a}x+{b}y<{c}", f"{a + 10}x+{b}y={c}"]),
        (f"x>{c}", [f"{c}<x", f"x > {c}"], [f"x<{c}", f"x>{c + 3}", str(c), rf"x\le {c}"]),
        (f"y={a}x+{b}", [f"{a}x+{b}=y", f"y={b}+{a}x"], [f"y={a}x-{b}", f"y={a}x+{b + 1}", f"y=-{a}x+{b}"]),
        (rf"x \equiv {c % a} \pmod{{{a}}}", [rf"x\equiv {c % a + a} \pmod {{{a}}}"], [rf"x\equiv {c % a + 1} \pmod{{{a}}}"]),
    ])  # fmt: skip


def permutation(dice: Random) -> tuple[str, list[str], list[str]]:
    points = dice.sample(range(1, 10), dice.randint(3, 5))
    turned = [*points[1:], points[0]]
    other = [points[1], points[0], *points[2:]]

    def spaced(each: list[int]) -> str:
        return f"({' '.join(map(str, each))})"

    if dice.random() < 0.5:
        return spaced(points), [spaced(turned), "(" + r"\ ".join(map(str, points)) + ")"], [spaced(other)]
    return f"({''.join(map(str, points))})", [f"({''.join(map(str, turned))})"], [f"({''.join(map(str, other))})"]


def sequence(dice: Random) -> tuple[str, list[str], list[str]]:
    values = dice.sample(range(1, 30), dice.randint(3, 5))
    other = [values[1], values[0], *values[2:]]
    space, arrow = " ".join(map(str, values)), r" \to ".join(map(str, values))
    return dice.choice([
        (space, [space.replace(" ", "  "), f"${space}$"], [" ".join(map(str, other)), " ".join(map(str, values[::-1]))]),
        (arrow, [arrow.replace(r"\to", "→"), arrow.replace(r"\to", r"\rightarrow")], [r" \to ".join(map(str, other))]),
        (f"[{space.replace(' ', ', ')}]", [f"[{space.replace(' ', ',')}]"], [f"[{', '.join(map(str, other))}]"]),
    ])  # fmt: skip


def word(dice: Random) -> tuple[str, list[str], list[str]]:
    a, b = dice.sample("abghstxy", 2)
    return dice.choice([
        (f"{a}{b}{a}^{{-1}}", [f"{a} {b} {a}^{{-1}}", f"{a}{b}{a}^-1"], [b, f"{a}{b}", f"{b}{a}{b}^{{-1}}", f"{a}{b}{a}"]),
        (f"{a}^2{b}", [f"{a}{a}{b}", f"{a}²{b}"], [f"{a}{b}^2", f"{a}^3{b}", f"{a}^2"]),
    ])  # fmt: skip


def calculus(dice: Random) -> tuple[str, list[str], list[str]]:
    f = dice.choice("uvwf")
    x, t = dice.sample("xtyz", 2)
    return dice.choice([
        (rf"\frac{{\partial {f}}}{{\partial {x}}}", [rf"\frac{{\partial}}{{\partial {x}}}{f}", rf"\dfrac{{\partial {f}}}{{\partial {x}}}"],
         [rf"\frac{{\partial {f}}}{{\partial {t}}}", rf"\frac{{\partial^2 {f}}}{{\partial {x}^2}}"]),
        (rf"\frac{{d{f}}}{{d{x}}}", [rf"\frac{{d}}{{d{x}}}{f}"], [rf"\frac{{d{x}}}{{d{f}}}", rf"\frac{{d{f}}}{{d{t}}}"]),
        ("f'(x)", ["f' (x)", "f′(x)"], ["f''(x)", "f(x)", "f^{-1}(x)"]),
    ])  # fmt: skip


def family(dice: Random) -> tuple[str, list[str], list[str]]:
    a, m, k = dice.randint(1, 9), dice.randint(2, 12), dice.choice("kn")
    return dice.choice([
        (f"x = {a}+{m}{k}", [f"x = {a + m}+{m}{k}", f"x={m}{k}+{a}", f"x = {a - 3 * m}+{m}{k}"], [f"x = {a + 1}+{m}{k}", f"x = {a}+{m + 1}{k}"]),
        (f"x^{m}+C", [f"x^{{{m}}}+C+{a}", f"C+x^{{{m}}}"], [f"x^{{{m + 1}}}+C", f"{a + 1}x^{{{m}}}+C"]),
        (f"C e^{{{m}x}}", [f"{a + 1}C e^{{{m}x}}"], [f"C e^{{{m + 1}x}}", f"C e^{{-{m}x}}"]),
    ])  # fmt: skip


def growth(dice: Random) -> tuple[str, list[str], list[str]]:
    a, p = dice.randint(2, 9), dice.randint(1, 4)
    head = dice.choice(("O", r"\Theta", r"\Omega"))
    other = {"O": r"\Theta", r"\Theta": r"\Omega", r"\Omega": "O"}[head]
    return f"{head}(n^{p})", [f"{head}({a}n^{{{p}}})", f"{head}(n^{p}+{a})", f"{head}(n{str(p).translate(SUPER)})"], [
        f"{head}(n^{p + 1})", f"{other}(n^{p})", rf"{head}(n^{p}\log n)", f"{head}({a}^n)"]  # fmt: skip


def logic(dice: Random) -> tuple[str, list[str], list[str]]:
    p, q = dice.sample("pqrs", 2)
    return dice.choice([
        (f"{p} ∧ {q}", [rf"{p} \land {q}", f"{p}∧{q}"], [f"{p} ∨ {q}", f"{p} ∧ ¬{q}", f"{p} → {q}"]),
        (rf"{p} \to {q}", [f"{p} → {q}", rf"{p}\rightarrow {q}"], [f"{p} ← {q}", f"{q} → {p}", f"{p} ↔ {q}"]),
        ("A ∪ B", [r"A \cup B"], ["A ∩ B", r"A \cap B"]),
        ("∀x P(x)", [r"\forall x P(x)"], ["∃x P(x)", "∀x Q(x)"]),
        (f"¬{p}", [rf"\lnot {p}", rf"\neg {p}"], [f"¬{q}"]),
    ])  # fmt: skip


_ELEMENTS = ("Na", "Ca", "Fe", "Al", "Mg", "Cu")


def chemistry(dice: Random) -> tuple[str, list[str], list[str]]:
    metal, n, m = dice.choice(_ELEMENTS), dice.randint(2, 4), dice.randint(2, 4)
    key = f"{metal}_{n}O_{m}"
    other = dice.choice([one for one in _ELEMENTS if one != metal])
    if dice.random() < 0.5:
        return f"{metal}^{{{n}+}}", [f"{metal}{n}⁺".replace(str(n), str(n).translate(SUPER))], [
            f"{metal}^{{{n}-}}", f"{metal}^{{{n + 1}+}}", f"{other}^{{{n}+}}"]  # fmt: skip
    return key, [f"{metal}{n}O{m}", f"{metal}{str(n).translate(SUB)}O{str(m).translate(SUB)}", rf"\mathrm{{{metal}_{n}O_{m}}}"], [
        f"{metal}_{n + 1}O_{m}", f"{metal}_{n}O_{m + 1}", f"{other}_{n}O_{m}"]  # fmt: skip


def structure(dice: Random) -> tuple[str, list[str], list[str]]:
    n = dice.randint(2, 30)
    return dice.choice([
        (rf"\mathbb{{Z}}_{{{n}}}", [rf"\mathbb Z_{{{n}}}", f"ℤ_{{{n}}}"], [rf"\mathbb{{Z}}_{{{n + 1}}}"]),
        (rf"\mathbb{{Z}}/{n}", [f"ℤ/{n}"], [rf"\mathbb{{Z}}/{n + 1}"]),
        (r"\mathbb{F}_p[x]", [r"\mathbb F_p[x]"], [r"\mathbb{F}_p(x)", r"\mathbb{F}_q[x]"]),
    ])  # fmt: skip


def formal_text(dice: Random) -> tuple[str, list[str], list[str]]:
    a, b, n = dice.randint(1, 9), dice.randint(1, 9), dice.randint(2, 60)
    return dice.choice([
        (f"[{a}, {b}]", [f"[{a}, {b}]."], [f"({a}, {b})", f"[[{a}], [{b}]]", f"{{{a}, {b}}}"]),
        (f"'{n}'", [f"’{n}’"], [str(n)]),
        (f"{n:08b}", [f"${n:08b}$"], [f"{n:b}", f"{n + 1:08b}"]),
        ("NO₃⁻", ["NO3⁻", "NO_3^-"], ["NO₃", "NO₂⁻", "NO₃⁺"]),
        (f"(a{a})*", [f"(a{a})∗"], [f"a{a}*", f"(a{a})"]),
        (f"{a}e{n}", [f" {a}e{n} "], [f"{a}e{n + 1}", f"{a}{'0' * n}"]),
        ("|ψ⟩", ["|ψ⟩."], ["⟨ψ|"]),
        (f"var_{n}x", [f"var_{n}x"], [f"var_{n + 1}x"]),
        (f"World War {a}", [f"world war {a}", f"World War {a}."], [f"World War {a + 1}"]),
    ])  # fmt: skip


_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def date(dice: Random) -> tuple[str, list[str], list[str]]:
    year, month, day = dice.randint(1000, 1999), dice.randint(1, 12), dice.randint(1, 28)
    name = _MONTHS[month - 1]
    return f"{day} {name} {year}", [f"{name} {day}, {year}", f"{year}-{month:02}-{day:02}", f"{day} {name.lower()} {year}"], [
        f"{day + 1} {name} {year}", f"{day} {name} {year + 1}", f"{_MONTHS[month % 12]} {day}, {year}"]  # fmt: skip


KINDS: dict[str, tuple[str, Draw]] = {
    "number": ("number", number), "scientific": ("number", scientific), "quantity": ("number", quantity),
    "expression": ("expression", expression), "function": ("expression", function), "arithmetic": ("expression", arithmetic),
    "set": ("set", finite_set), "tuple": ("tuple", tuple_), "interval": ("interval", interval), "matrix": ("matrix", matrix),
    "relation": ("expression", relation), "permutation": ("expression", permutation), "sequence": ("expression", sequence),
    "word": ("expression", word), "calculus": ("expression", calculus), "family": ("expression", family),
    "growth": ("expression", growth), "logic": ("text", logic), "chemistry": ("expression", chemistry),
    "structure": ("expression", structure), "text": ("text", formal_text), "date": ("text", date),
}  # fmt: skip
"""With the type of answer."""
LIGHT = ("scientific", "quantity", "set", "tuple", "interval", "matrix", "permutation", "sequence", "calculus",
         "logic", "chemistry", "structure", "text", "date")  # fmt: skip
"""Kinds that need no algebra."""


def draws(seed: int, count: int, kinds: tuple[str, ...] = tuple(KINDS)) -> Iterator[Drawn]:
    """Pairs of each kind in turn, equal and different ones alike, both ways round."""
    dice = Random(seed)
    for at in range(count):
        kind = kinds[at % len(kinds)]
        answer_type, draw = KINDS[kind]
        key, equal, different = draw(dice)
        same = dice.random() < 0.5
        answer = dice.choice(equal if same else different)
        pair = (key, answer) if dice.random() < 0.5 else (answer, key)
        yield Drawn(kind, answer_type, *pair, same)
