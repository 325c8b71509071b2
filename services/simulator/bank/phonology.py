"""Linguistics, sound and form: ordered rules, vowel harmony."""

import itertools
from random import Random

from services.simulator.bank.craft import words
from services.simulator.bank.problem import Sketch

CONSONANTS, VOWELS = "ptkbdgmnslr", "aeiou"


def root(rng: Random, shape: str) -> str:
    """Make a root: C is a consonant, V a vowel."""
    return "".join(rng.choice(CONSONANTS if place == "C" else VOWELS) for place in shape)


VOICED = dict(zip("ptks", "bdgz", strict=True))

VOICELESS = {b: a for a, b in VOICED.items()}


def _intervocalic_voicing(form: str) -> str:
    return "".join(
        VOICED.get(x, x) if 0 < i < len(form) - 1 and form[i - 1] in VOWELS and form[i + 1] in VOWELS else x
        for i, x in enumerate(form)
    )


def _final_devoicing(form: str) -> str:
    return form[:-1] + VOICELESS.get(form[-1], form[-1])


def _apocope(form: str) -> str:
    return form[:-1] if form[-1] in VOWELS and len(form) > 3 else form


def _nasal_place(form: str) -> str:
    out = list(form)
    for i in range(len(out) - 1):
        if out[i] in "mn":
            out[i] = "m" if out[i + 1] in "pb" else "n" if out[i + 1] in "tds" else out[i]
    return "".join(out)


def _hiatus(form: str) -> str:
    out = ""
    for x in form:
        out += "j" + x if out and out[-1] in VOWELS and x in VOWELS else x
    return out


def _syncope(form: str) -> str:
    at = next((i for i in range(2, len(form) - 2)
               if form[i] in VOWELS and form[i - 1] not in VOWELS and form[i - 2] in VOWELS
               and form[i + 1] not in VOWELS and form[i + 2] in VOWELS), None)  # fmt: skip
    return form if at is None else form[:at] + form[at + 1 :]


def _palatalise(form: str) -> str:
    pairs = {"k": "c", "g": "j", "s": "x"}
    return "".join(
        pairs.get(x, x) if form[i + 1 : i + 2] in ("i", "e") and x in pairs else x for i, x in enumerate(form)
    )


RULES = {
    "voicing: p, t, k, s become b, d, g, z between two vowels": _intervocalic_voicing,
    "final devoicing: b, d, g, z become p, t, k, s at the end of the word": _final_devoicing,
    "apocope: a vowel at the end of the word is deleted": _apocope,
    "nasal assimilation: m and n become m before p, b and n before t, d, s": _nasal_place,
    "glide insertion: j is inserted between two adjacent vowels": _hiatus,
    "syncope: the first vowel (from the left) standing in the context VC_CV is deleted": _syncope,
    "palatalisation: k, g, s become c, j, x before i or e": _palatalise,
}


def derivation(rng: Random) -> Sketch:
    """Apply ordered phonological rules to an underlying form."""
    stem, suffix = (
        root(rng, rng.choice(["CVCVC", "CVCVCV", "VCVCVC", "CVNCV".replace("N", "C")])),
        root(rng, rng.choice(["VCV", "CV", "V", "VCCV", "CVCV"])),
    )
    if rng.random() < 0.4:
        stem = stem[:-1] + rng.choice("mn")
    names = rng.sample(list(RULES), rng.randint(3, 4))

    def derive(order: list[str]) -> list[str]:
        forms = [stem + suffix]
        for name in order:
            forms.append(RULES[name](forms[-1]))
        return forms

    forms = derive(names)
    answer = forms[-1]
    wrong = [
        derive(names[::-1])[-1],
        derive(names[:-1])[-1],
        derive(names[1:])[-1],
        *(derive(names[:i] + names[i + 1 :])[-1] for i in range(len(names))),
        derive([*names[1:], names[0]])[-1],
        derive([names[1], names[0], *names[2:]])[-1],
        stem + suffix,
    ]
    changes = sum(a != b for a, b in itertools.pairwise(forms))
    if changes < 2:
        return derivation(rng)
    rules = "; ".join(f"({k}) {name}" for k, name in enumerate(names, 1))
    return Sketch(
        f"In a constructed language with the vowels a, e, i, o, u the underlying form of a certain word is the stem "
        f"{stem}- followed by the suffix -{suffix}. ⟨Surface forms are derived by the following ordered rules|The "
        f"phonology "
        f"has these extrinsically ordered rules⟩, each applying once, simultaneously wherever its context is met in "
        f"its "
        f"own input: {rules}. ⟨The rules apply in the order given|Each rule takes the output of the one before⟩. "
        f"⟨Determine|Give|Write down⟩ the surface form of the word as a single string of letters, without hyphens.",
        answer,
        wrong,
        [
            f"Concatenation gives the underlying form {stem + suffix}.",
            *[f"Rule {k}, {name.split(':')[0]}, turns {a} into {b}." if a != b else
              f"Rule {k}, {name.split(':')[0]}, finds no context in {a}."
              for k, (name, a, b) in enumerate(zip(names, forms, forms[1:], strict=False), 1)],
            f"The surface form is {answer}.",
        ],
        -0.9 + 0.45 * changes + 0.2 * (wrong[0] != answer),
        "text",
    )  # fmt: skip


def harmony(rng: Random) -> Sketch:
    """Inflect an agglutinative noun with vowel harmony and consonant assimilation."""
    front = "ei"
    stem = root(rng, "CV") + root(rng, rng.choice(["CVC", "CV", "CVC", "CCVC"]))
    case_c, plural_c, person_c = rng.sample("dgb", 1)[0], rng.choice("lrn"), rng.choice("mn")
    vowel = next(x for x in reversed(stem) if x in VOWELS)
    low, high = ("e", "i") if vowel in front else ("a", "u")
    plural, person, case = rng.random() < 0.7, rng.random() < 0.8, True

    def build(low: str, high: str, assimilate: bool = True, order: str = "LPC") -> str:
        form = stem
        for slot in order:
            if slot == "L" and plural:
                form += plural_c + low + "r"
            if slot == "P" and person:
                form += person_c if form[-1] in VOWELS else high + person_c
            if slot == "C" and case:
                hard = assimilate and form[-1] in "ptks"
                form += (VOICELESS[case_c] if hard else case_c) + low + "n"
        return form

    answer = build(low, high)
    other = ("a", "u") if low == "e" else ("e", "i")
    features = words(
        *[name for name, on in (("plural", plural), ("first person possessor", person), ("ablative", case)) if on]
    )
    return Sketch(
        f"A constructed agglutinative language builds nouns as stem + plural + possessor + case, where empty "
        f"categories "
        f"have no suffix. Plural is -{plural_c}Er; the first person possessor is -{person_c} after a vowel and "
        f"-I{person_c} after a consonant; the ablative is -DEn. By vowel harmony all E become e and all I become i if "
        f"the "
        f"last vowel of the stem is front (e, i), whereas E becomes a and I becomes u if it is back (a, o, u). "
        f"D is {VOICELESS[case_c]} directly after p, t, k, s and {case_c} otherwise. ⟨Inflect|Give the form of⟩ the "
        f"stem "
        f"{stem} ⟨for the categories|marked for⟩: {features}. Write the word without hyphens.",
        answer,
        [build(*other), build(low, high, assimilate=False), build(low, high, order="PLC"), build(low, other[1]),
         build(other[0], high), build(low, high, order="LCP")],
        [
            f"The last vowel of {stem} is {vowel}, which is {'front' if low == 'e' else 'back'}: E is {low}, I is "
            f"{high}.",
            f"The categories to be marked, in the order of the template, are {features}.",
            f"Up to the possessor the word is {build(low, high, order='LP')}.",
            f"It ends in {build(low, high, order='LP')[-1]}, which decides the consonant of the case suffix.",
            f"The inflected word is {answer}.",
        ],
        -0.8 + 0.4 * plural + 0.4 * person,
        "text",
    )  # fmt: skip
