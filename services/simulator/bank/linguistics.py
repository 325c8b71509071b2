"""Linguistics: rule-governed toy languages, counting structures, and a little information theory."""

import itertools
import math
from math import comb
from random import Random

from services.simulator.bank.craft import near, sig, words
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


def catalan(n: int) -> int:
    """Return the Catalan number."""
    return comb(2 * n, n) // (n + 1)


def attachments(rng: Random) -> Sketch:
    """Count binary bracketings of compounds with constituents that are known."""
    n = rng.randint(6, 13)
    blocks = []
    left = n
    for _ in range(rng.randint(1, 2)):
        if left >= 4:
            blocks.append(rng.randint(2, min(4, left - 2)))
            left -= blocks[-1]
    units = n - sum(blocks) + len(blocks)
    inside = math.prod(catalan(b - 1) for b in blocks)
    kind, note = rng.choice([
        ("noun compound", "every constituent of more than one word is the combination of exactly two constituents"),
        ("sequence of coordinated modifiers", "every complex constituent branches into exactly two"),
        ("chain of derivational morphemes", "every complex node has exactly two daughters"),
    ])  # fmt: skip
    starts, at = [], rng.randint(1, max(1, n - sum(blocks)))
    for b in blocks:
        starts.append((at, at + b - 1))
        at += b
    if at - 1 > n:
        return attachments(rng)
    spans = words(*[f"{a} to {b}" for a, b in starts])
    answer = catalan(units - 1) * inside
    return Sketch(
        f"A {kind} in a constructed language consists of ${n}$ elements in a fixed linear order, numbered from 1 to "
        f"{n}. "
        f"⟨Its syntax is strictly binary|Only binary branching is allowed⟩: {note}, and constituents are contiguous. "
        f"⟨From "
        f"stress and agreement it is known|Prosody shows⟩ that the elements {spans} "
        f"form {'a constituent' if len(blocks) == 1 else 'constituents, one for each of these ranges'}. ⟨Category "
        f"labels "
        f"are ignored|Labels of nodes do not count⟩. ⟨Determine|Compute|Find⟩ the number of different constituent "
        f"trees "
        f"over all ${n}$ elements.",
        str(answer),
        [str(catalan(n - 1)), str(catalan(units - 1)), str(catalan(units) * inside), str(catalan(n)), *near(answer)],
        [
            f"Binary trees over $k$ ordered leaves number $C_{{k-1}}$, the Catalan numbers; here there are {n} leaves.",
            f"Collapsing the known constituents ({spans}) leaves {units} units.",
            f"These combine in $C_{{{units - 1}}}={catalan(units - 1)}$ ways.",
            f"The inner structure of the known constituents contributes the factor {inside}.",
            f"The number of trees is the product, ${answer}$.",
        ],
        -0.5 + 0.1 * n + 0.3 * len(blocks),
    )


def segmentations(rng: Random) -> Sketch:
    """Count the ways to cut an unspaced line into words of a lexicon."""
    a, b = rng.sample("ptkmnsl", 1)[0] + rng.choice(VOWELS), rng.sample("bdgrv", 1)[0] + rng.choice(VOWELS)
    lexicon = sorted({a, b, a + b, b + a, a + a, a + b + a, b + b}, key=lambda w: (len(w), w))
    lexicon = sorted(rng.sample(lexicon, rng.randint(4, 6)), key=lambda w: (len(w), w))
    line = "".join(rng.choices([a, b], k=rng.randint(7, 12)))
    ways, short = [1] + [0] * len(line), [1] + [0] * len(line)
    for end in range(1, len(line) + 1):
        for word in lexicon:
            if line[:end].endswith(word):
                ways[end] += ways[end - len(word)]
                short[end] += short[end - len(word)] if len(word) <= 4 else 0
    answer = ways[-1]
    if answer < 2:
        return segmentations(rng)
    return Sketch(
        f"⟨A scribe wrote without spaces|An inscription in a constructed language has no word dividers⟩. The complete "
        f"lexicon of the language consists of the words {words(*lexicon)}; every word may occur any number of times. "
        f"⟨The surviving line reads|One line of the text reads⟩ {line}, and it is known to be a sequence of complete "
        f"words "
        f"of the lexicon. ⟨Two readings differ if a word boundary lies at different places|Readings are distinguished "
        f"by "
        f"their word boundaries⟩. ⟨Determine|Compute|Find⟩ the number of different segmentations of the whole line.",
        str(answer),
        [str(short[-1]), str(ways[-3] if len(ways) > 3 else 0), str(2 ** (len(line) // 2 - 1)), *near(answer)],
        [
            f"The line {line} consists of {len(line) // 2} syllables, and the lexicon is {words(*lexicon)}.",
            "Let $w_i$ be the number of segmentations of the first $i$ syllables; add over the possible last words.",
            f"The table for whole syllables begins {', '.join(map(str, ways[2:10:2]))}.",
            f"Continuing to the end of the line gives the number ${answer}$.",
        ],
        -0.8 + 0.1 * len(line) + 0.1 * len(lexicon) - 1,
    )


def weighted_distance(rng: Random) -> Sketch:
    """Levenshtein distance with weights for vowels and consonants."""
    first = root(rng, rng.choice(["CVCVCV", "CVCVCVC", "VCVCVC", "CVCCVCV"]))
    second = list(first)
    for _ in range(rng.randint(3, 5)):
        at = rng.randrange(len(second))
        move = rng.choice("sid")
        second[at : at + (move != "i")] = [] if move == "d" and len(second) > 4 else [rng.choice(CONSONANTS + VOWELS)]
    other = "".join(second)
    gap, vowel, mixed, cons = rng.randint(2, 4), rng.randint(1, 2), rng.randint(4, 7), rng.randint(2, 3)

    def distance(gap: int, vowel: int, mixed: int, cons: int) -> int:
        row = [gap * j for j in range(len(other) + 1)]
        for i, x in enumerate(first, 1):
            before, row = row, [gap * i]
            for j, y in enumerate(other, 1):
                kinds = (x in VOWELS) + (y in VOWELS)
                change = 0 if x == y else (cons, mixed, vowel)[kinds]
                row.append(min(before[j] + gap, row[-1] + gap, before[j - 1] + change))
        return row[-1]

    answer = distance(gap, vowel, mixed, cons)
    return Sketch(
        f"In a ⟨dialectometric|historical-comparative⟩ study the transcriptions {first} and {other} of a cognate pair "
        f"are "
        f"compared by a weighted edit distance. Inserting or deleting a segment costs ${gap}$; replacing a vowel by a "
        f"different vowel costs ${vowel}$; replacing a consonant by a different consonant costs ${cons}$; replacing a "
        f"vowel "
        f"by a consonant or the reverse costs ${mixed}$; matching equal segments is free. ⟨The vowels are a, e, i, o, "
        f"u|"
        f"Vowels are a, e, i, o and u⟩, all other letters are consonants, each letter one segment. "
        f"⟨Determine|Compute|Find⟩ "
        f"the least total cost of turning one form into the other.",
        str(answer),
        [str(distance(1, 1, 1, 1)), str(distance(gap, vowel, vowel, cons)), str(distance(gap, cons, mixed, cons)),
         str(answer + vowel), *near(answer)],
        [
            f"Fill the dynamic programming table for {first} (length {len(first)}) against {other} (length "
            f"{len(other)}).",
            f"The border costs {gap} for each unmatched segment.",
            f"Replacing a vowel by a consonant (cost {mixed}) competes with deletion plus insertion (cost {2 * gap}).",
            f"With unit costs throughout, the distance would be {distance(1, 1, 1, 1)}.",
            f"With the given weights the corner of the table is ${answer}$.",
        ],
        -0.6 + 0.08 * answer,
    )  # fmt: skip


def numeral(rng: Random) -> Sketch:
    """Write a number in a toy numeral system with a base other than ten."""
    base = rng.choice([6, 8, 12, 20])
    names: list[str] = []
    while len(names) < min(base, 12) + 2:
        if (name := root(rng, "CV" + rng.choice(["", "C"]))) not in names:
            names.append(name)
    low, mid, high = (rng.randint(1, min(base, 12) - 1) for _ in range(3))
    if max(low, mid, high) == 1:
        return numeral(rng)
    value = high * base * base + mid * base + low
    tens, squares = names[-2], names[-1]

    def say(a: int, b: int, c: int, minus: bool = False) -> str:
        parts = (names[a] if a > 1 else "") + squares, (names[b] if b > 1 else "") + tens, names[c]
        return "".join(reversed(parts) if minus else parts)

    answer = say(high, mid, low)
    used = sorted({1, 2, low, mid, high})
    listed = ", ".join(f"{names[k]} = {k}" for k in used)
    return Sketch(
        f"A constructed language counts in base ${base}$. Its numerals include {listed}, {tens} = {base} and "
        f"{squares} = "
        f"{base * base}. A numeral is written as one word: first the multiple of {base * base}, then the multiple of "
        f"{base}, then the units; ⟨a multiplier stands directly before the power that it multiplies|each multiplier "
        f"precedes its power⟩, and the multiplier one is left out before {tens} and {squares}. ⟨There are no linking "
        f"elements|Nothing is inserted between the parts⟩. ⟨Give|Write⟩ the word for the number that we write in "
        f"decimal "
        f"notation as ${value}$.",
        answer,
        [say(high, mid, low, minus=True), say(mid, high, low), say(high, low, mid), say(low, mid, high),
         names[high] + squares + names[mid] + tens + names[low], say(high, mid, low)[:-1]],
        [
            f"Divide {value} by {base * base}: the quotient is {high}, the remainder {value - high * base * base}.",
            f"Divide {value - high * base * base} by {base}: the quotient is {mid}, the remainder {low}.",
            f"So {value} is {high} times {squares}, {mid} times {tens}, and {low}.",
            f"The multipliers above one are spoken; with the units {names[low]} at the end the word is {answer}.",
        ],
        -1.0 + 0.1 * (base == 20) + 0.3 * (1 in (mid, high)),
        "text",
    )  # fmt: skip


def entropy_rate(rng: Random) -> Sketch:
    """Entropy rate of a two-state Markov model of consonants and vowels."""
    p, q = rng.randint(5, 95), rng.randint(5, 95)
    a, b = p / 100, q / 100
    cons, vows = rng.randint(8, 24), rng.randint(3, 9)

    def h(x: float) -> float:
        return -x * math.log2(x) - (1 - x) * math.log2(1 - x)

    at_c = b / (a + b)
    value = at_c * (h(a) + (1 - a) * math.log2(cons) + a * math.log2(vows)) + (1 - at_c) * (
        h(b) + b * math.log2(cons) + (1 - b) * math.log2(vows)
    )
    answer = sig(value)
    return Sketch(
        f"A phonotactic model of a language has ${cons}$ consonants and ${vows}$ vowels. The sequence of classes is a "
        f"stationary two-state Markov chain: after a consonant the next segment is a vowel with probability "
        f"${a:.2f}$, and "
        f"after a vowel the next segment is a consonant with probability ${b:.2f}$. ⟨Given its class, each segment is "
        f"uniform over the segments of that class|Within a class all segments are equally likely⟩ and independent of "
        f"everything else. ⟨Compute|Determine⟩ the entropy rate in bits per segment, to four significant figures.",
        answer,
        [sig(at_c * h(a) + (1 - at_c) * h(b)), sig(math.log2(cons + vows)),
         sig(h(at_c) + at_c * math.log2(cons) + (1 - at_c) * math.log2(vows)), sig(value * math.log(2))],
        [
            f"With the rates {a:.2f} and {b:.2f}, a segment is a consonant with probability {sig(at_c, 6)}.",
            f"The class sequence alone has the rate {sig(at_c * h(a) + (1 - at_c) * h(b), 6)} bits.",
            f"A consonant adds {sig(math.log2(cons), 6)} bits and a vowel {sig(math.log2(vows), 6)} bits.",
            f"Weighting by the stationary probabilities and adding, the entropy rate in bits is ${answer}$.",
        ],
        -0.1 + 0.5 * (abs(a + b - 1) > 0.3),
    )  # fmt: skip


FAMILIES = (derivation, harmony, attachments, segmentations, weighted_distance, numeral, entropy_rate)
