"""Chemical formulae, ions and reactions: equal as written, apart by composition, charge, coefficients or arrow."""

import re
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

from schemas.item import Agreement
from shared.answers.reading.tokens import SUBSCRIPTS, SUPERSCRIPTS
from shared.answers.reading.tree import words

ELEMENTS = frozenset(
    words(
        "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr "
        "Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W "
        "Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr"
    )
)
LONGEST = 300
_SUPER = re.compile(f"[{''.join(map(re.escape, SUPERSCRIPTS))}]+")
_SUB = re.compile(f"[{''.join(map(re.escape, SUBSCRIPTS))}]+")
_ARROW = re.compile(r"\s*(→|⟶|->|\\(?:long)?rightarrow|\\to|⇌|<=>|\\rightleftharpoons|\\leftrightarrow|←|=)\s*")
_SAME_ARROW = {"⟶": "→", "->": "→", "\\rightarrow": "→", "\\longrightarrow": "→", "\\to": "→", "<=>": "⇌",
               "\\rightleftharpoons": "⇌"}  # fmt: skip
_WRAP = re.compile(r"\\(?:ce|mathrm|text|rm)\s*\{(.*)\}", re.DOTALL)
_PART = re.compile(r"([A-Z][a-z]?)(?:_?\{?(\d+)\}?)?|([(\[])|([)\]])(?:_?\{?(\d+)\}?)?")
_CHARGE = re.compile(r"\^\{?(\d*)([+-])\}?$")
_STATE = re.compile(r"\((s|l|g|aq)\)$")


@dataclass(frozen=True, slots=True)
class Species:
    """Its parts in the order written, and its charge."""

    written: tuple[tuple[str, int], ...]
    charge: int

    @property
    def composition(self) -> tuple[tuple[str, int], ...]:
        """How many atoms of each element."""
        stack: list[Counter[str]] = [Counter()]
        for part, count in self.written:
            if part == "(":
                stack.append(Counter())
            elif part == ")":
                inner = stack.pop()
                for element, atoms in inner.items():
                    stack[-1][element] += atoms * count
            else:
                stack[-1][part] += count
        return tuple(sorted(stack[0].items()))


@dataclass(frozen=True, slots=True)
class Reaction:
    """Coefficients and species of both sides, and the arrow between them."""

    left: tuple[tuple[int, Species], ...]
    arrow: str
    right: tuple[tuple[int, Species], ...]


def compare_chemistry(key: str, answer: str) -> Agreement | None:
    """None where one of them is not chemistry."""
    left, right = read_chemistry(key), read_chemistry(answer)
    if left is None or right is None:
        return None
    if left == right:
        return "yes"
    if isinstance(left, Species) and isinstance(right, Species):
        return "no" if (left.composition, left.charge) != (right.composition, right.charge) else "unsure"
    if isinstance(left, Reaction) and isinstance(right, Reaction):
        return _reactions(left, right)
    return "unsure"


def _reactions(one: Reaction, other: Reaction) -> Agreement:
    sides = [[Counter(side) for side in (reaction.left, reaction.right)] for reaction in (one, other)]
    if sides[0] == sides[1]:
        if one.arrow == other.arrow:
            return "yes"
        return "no" if {one.arrow, other.arrow} in ({"→", "⇌"}, {"→", "←"}, {"⇌", "←"}) else "unsure"
    if one.arrow != other.arrow:
        return "unsure"
    formulas = [sorted(repr(species) for _, species in (*side.left, *side.right)) for side in (one, other)]
    return "unsure" if formulas[0] == formulas[1] and _one_multiple(one, other) else "no"


def _one_multiple(one: Reaction, other: Reaction) -> bool:
    """Whether all coefficients are in one ratio: the same reaction, more of it."""
    counts = [{repr(species): n for n, species in (*side.left, *side.right)} for side in (one, other)]
    return len({Fraction(counts[0][name], counts[1][name]) for name in counts[0]}) == 1


def read_chemistry(text: str) -> Species | Reaction | None:
    """A formula or a reaction; None for anything else, and for what may as well be a product of letters."""
    if len(text) > LONGEST:
        return None
    text = text.strip().strip("$").strip()
    if wrapped := _WRAP.fullmatch(text):
        text = wrapped[1]
    text = _SUB.sub(lambda result: "".join(SUBSCRIPTS[char] for char in result[0]), text)
    text = _SUPER.sub(lambda result: "^{" + "".join(SUPERSCRIPTS[char] for char in result[0]) + "}", text)
    text = re.sub(r"\\(?:mathrm|text)\{([^{}]*)\}", r"\1", text).replace("−", "-").replace("–", "-")
    pieces = _ARROW.split(text)
    if len(pieces) == 3 and pieces[1] != "=":
        left, right = _side(pieces[0]), _side(pieces[2])
        if left is None or right is None:
            return None
        return Reaction(left, _SAME_ARROW.get(pieces[1], pieces[1]), right)
    if len(pieces) > 1:
        return None
    result = _species(text)
    return result if result and _certain(result) else None


def _certain(species: Species) -> bool:
    """Whether nobody would read it as a product: several elements with a number or a name of two letters, or an ion."""
    elements = [(name, count) for name, count in species.written if name not in "()"]
    marked = any(count > 1 or len(name) == 2 for name, count in elements)
    return (len(elements) > 1 and marked) or species.charge != 0 or (len(elements) == 1 and elements[0][1] > 1)


def _side(text: str) -> tuple[tuple[int, Species], ...] | None:
    result = []
    for term in re.split(r"\s+\+\s+|(?<=[A-Za-z0-9)])\+(?=\s*\d*[A-Z])", text.strip()):
        coefficient = re.match(r"(\d*)\s*", term)
        rest = term[coefficient.end() :] if coefficient else term
        species = _species(rest)
        if species is None:
            return None
        result.append((int((coefficient and coefficient[1]) or 1), species))
    return tuple(result)


def _species(text: str) -> Species | None:
    text = _STATE.sub("", re.sub(r"\s+|\\[,;: ]", "", text))
    charge = 0
    if result := _CHARGE.search(text):
        charge = int(result[1] or 1) * (1 if result[2] == "+" else -1)
        text = text[: result.start()]
    elif result := re.search(r"(?<=[A-Za-z)\]])([+-])$", text):
        charge = 1 if result[1] == "+" else -1
        text = text[: result.start()]
    parts: list[tuple[str, int]] = []
    at = depth = 0
    while at < len(text):
        part = _PART.match(text, at)
        if part is None:
            return None
        at = part.end()
        if part[1]:
            if part[1] not in ELEMENTS and part[1][0] in ELEMENTS and len(part[1]) == 2:
                return None
            if part[1] not in ELEMENTS or (part[2] and int(part[2]) < 2):
                return None
            parts.append((part[1], int(part[2] or 1)))
        elif part[3]:
            depth += 1
            parts.append(("(", 1))
        else:
            depth -= 1
            parts.append((")", int(part[5] or 1)))
            if depth < 0:
                return None
    return Species(tuple(parts), charge) if parts and not depth else None
