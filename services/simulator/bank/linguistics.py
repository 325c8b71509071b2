"""Linguistics: rule-governed toy languages, counting structures, and a little information theory."""

import math
from math import comb
from random import Random

from services.simulator.bank.craft import near, sig, words
from services.simulator.bank.phonology import CONSONANTS, VOWELS, derivation, harmony, root
from services.simulator.bank.problem import Sketch


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
