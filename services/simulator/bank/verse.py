"""Literature, verse: the spiral of the sestina, rhyme schemes, tables of metres, acrostics."""

from functools import cache
from math import factorial
from random import Random

from services.simulator.bank.craft import near, words
from services.simulator.bank.problem import AnswerType, Sketch
from services.simulator.bank.verses import HIDDEN, VERSES


def spiral(n: int) -> list[int]:
    """Return the order in which a stanza takes up the end-words of the one before: last, first, last but one, …"""
    low, high, order = 1, n, []
    while low <= high:
        order.append(high)
        if low < high:
            order.append(low)
        low, high = low + 1, high - 1
    return order


ENDINGS = (
    "river", "stone", "winter", "glass", "harbour", "ember", "silence", "orchard", "letter", "shadow", "garden", "iron",
    "morning", "thread", "mirror", "salt", "window", "ash", "lantern", "feather", "meadow", "marble", "voice", "storm",
)  # fmt: skip


def sestina(rng: Random) -> Sketch:
    """Track an end-word through the stanzas of a generalised sestina."""
    n = rng.randint(5, 11)
    ends = rng.sample(ENDINGS, n)
    stanza, line = rng.randint(3, n), rng.randint(1, n)
    order = spiral(n)

    def at(stanza: int) -> list[int]:
        now = list(range(n))
        for _ in range(stanza - 1):
            now = [now[k - 1] for k in order]
        return now

    answer = ends[at(stanza)[line - 1]]
    return Sketch(
        f"A poem generalises the sestina to stanzas of ${n}$ lines. The end-words of its first stanza are, in order, "
        f"{words(*ends)}. ⟨Every further stanza|Each later stanza⟩ uses the same end-words, taken from the stanza just "
        f"before it in the spiral order of the form: last line, first line, last but one, second, and so on towards "
        f"the "
        f"middle, ⟨so that its first line ends on the last end-word of its predecessor|until all are used⟩. ⟨Determine|"
        f"Find⟩ the end-word of line {line} of stanza {stanza}.",
        answer,
        [ends[at(stanza - 1)[line - 1]], ends[at(stanza + 1)[line - 1]], ends[at(stanza)[-line]], ends[line - 1],
         *ends[:4]],
        [
            f"In each step line $k$ takes over the end-word of line {', '.join(map(str, order))} of the stanza before.",
            *[f"Stanza {s} has the end-words {', '.join(ends[k] for k in at(s))}." for s in range(2, stanza + 1)],
            f"Line {line} of stanza {stanza} therefore ends on {answer}.",
        ],
        -1.4 + 0.15 * n + 0.15 * stanza,
        "text",
    )  # fmt: skip


@cache
def rhyme_schemes(lines: int, rhymes: int, no_couplet: bool, no_orphan: bool) -> int:
    """Count set partitions of the lines into rhymes, optionally without neighbours rhyming or unrhymed lines."""
    states: dict[tuple[tuple[int, ...], int], int] = {((), -1): 1}
    for _ in range(lines):
        after: dict[tuple[tuple[int, ...], int], int] = {}
        for (sizes, last), count in states.items():
            for k in range(len(sizes) + 1):
                if (no_couplet and k == last) or k >= rhymes:
                    continue
                grown = (*sizes[:k], min((sizes[k] if k < len(sizes) else 0) + 1, 2), *sizes[k + 1 :])
                after[grown, k] = after.get((grown, k), 0) + count
        states = after
    return sum(c for (sizes, _), c in states.items() if len(sizes) == rhymes and (not no_orphan or min(sizes) > 1))


def rhymes(rng: Random) -> Sketch:
    """Count rhyme schemes under the rules of a form."""
    n = rng.randint(5, 12)
    k = rng.randint(2, min(5, n // 2))
    couplet, orphan = rng.random() < 0.5, rng.random() < 0.6
    answer = rhyme_schemes(n, k, couplet, orphan)
    rules = []
    if couplet:
        rules.append("no two consecutive lines rhyme with each other")
    if orphan:
        rules.append("no line is left without a rhyme partner")
    rule = words(*rules) if rules else "nothing else is required"
    poem = rng.choice(["stanza", "strophe", "short poem", "song"])
    return Sketch(
        f"The rhyme scheme of a {poem} of ${n}$ lines tells which lines rhyme with one another; rhyme is an "
        f"equivalence "
        f"relation between lines, and ⟨schemes that differ only in the letters used to write them are the same|the "
        f"names "
        f"of the rhymes do not matter, so that abab and cdcd are the same scheme⟩. ⟨A treatise admits|A school of "
        f"poets "
        f"allows⟩ exactly those schemes that have ${k}$ different rhyme sounds and in which {rule}. ⟨Determine|Compute|"
        f"Find⟩ the number of admissible rhyme schemes for a {poem} of this length.",
        str(answer),
        [str(rhyme_schemes(n, k, not couplet, orphan)), str(rhyme_schemes(n, k, couplet, not orphan)),
         str(answer * factorial(k)), str(rhyme_schemes(n, k, False, False)), *near(answer)],
        [
            f"A rhyme scheme of {n} lines with {k} sounds is a set partition of the lines into {k} blocks ({poem}).",
            f"Without any rule there are {rhyme_schemes(n, k, False, False)} of them, a Stirling number.",
            f"The rules are: {rule}.",
            "Going line by line, a state is the list of block sizes (one, or more) and the block of the last line.",
            f"The recursion over {n} lines gives the number ${answer}$.",
        ],
        -0.6 + 0.1 * n + 0.5 * (couplet and orphan),
    )  # fmt: skip


def prosody_rank(rng: Random) -> Sketch:
    """Pingala's binary tables: find the pattern by rank, or the rank by pattern."""
    n = rng.randint(6, 11)
    index = rng.randrange(2, 2**n - 1)
    bits = [(index >> k) & 1 for k in range(n)]
    pattern = "".join("L" if b else "G" for b in bits)
    inverse = rng.random() < 0.5
    kind: AnswerType = "text" if inverse else "number"
    flipped = pattern.translate(str.maketrans("GL", "LG"))
    backwards = sum(b << (n - 1 - k) for k, b in enumerate(bits)) + 1
    if inverse:
        ask = f"⟨Determine|Find⟩ the pattern of row number {index + 1} as a word in the letters G and L."
        answer = pattern
        wrong = [pattern[::-1], flipped, flipped[::-1], "".join("L" if (index + 1) >> k & 1 else "G" for k in range(n))]
    else:
        ask = f"⟨Determine|Find⟩ the number of the row that shows the pattern {pattern}."
        answer = str(index + 1)
        wrong = [str(index), str(backwards), str(2**n - index), str(index + 2)]
    given = f"row {index + 1}" if inverse else f"the pattern {pattern}"
    return Sketch(
        f"Sanskrit prosody lists all patterns of ${n}$ syllables, each heavy (G) or light (L), in a table with "
        f"$2^{{{n}}}$ "
        f"rows. ⟨In the arrangement used here|The arrangement is as follows⟩: row 1 consists of heavy syllables only, "
        f"and "
        f"reading down the table the first syllable of the pattern changes in every row, the second in every second "
        f"row, "
        f"the third in every fourth row, and so on, each column starting with heavy. ⟨Patterns are written from the "
        f"first "
        f"syllable to the last|The first syllable is written leftmost⟩. {ask}",
        answer,
        wrong,
        [
            f"Row numbers start at 1, so {given} corresponds to the binary number of the row number minus one.",
            f"With {n} syllables, the first syllable is the digit of value 1, the second of value 2, and so on.",
            "A heavy syllable stands for the digit 0, a light one for the digit 1.",
            f"In binary, least significant digit first, we have {''.join(map(str, bits))}.",
            f"The result is {answer}.",
        ],
        -0.8 + 0.1 * n + 0.2 * inverse,
        kind,
    )


LEXICON = {letter: [v for v in VERSES if v[0].lower() == letter] for letter in {v[0].lower() for v in VERSES}}


def acrostic(rng: Random) -> Sketch:
    """Read an acrostic that is also shifted by a Caesar step growing with the line."""
    usable = [w for w in HIDDEN if len(w) <= 7]
    for _ in range(60):
        word, start, step = rng.choice(usable), rng.randint(1, 25), rng.randint(0, 5)
        shown = "".join(chr((ord(x) - 97 + start + step * k) % 26 + 97) for k, x in enumerate(word))
        if all(x in LEXICON for x in shown):
            break
    else:
        return acrostic(rng)
    lines = [rng.choice(LEXICON[x]) for x in shown]

    def read(start: int, step: int) -> str:
        return "".join(chr((ord(x) - 97 - start - step * k) % 26 + 97) for k, x in enumerate(shown))

    verses = " / ".join(lines)
    shift = f"by ${start}$ places" if not step else f"by ${start}+{step}(k-1)$ places for line $k$, $k=1,2,\\dots$"
    return Sketch(
        f"A ⟨baroque|mannerist|modern⟩ poem of ${len(word)}$ lines (separated here by slashes) hides a word in an "
        f"enciphered "
        f"acrostic: {verses}. Take the first letter of every line in order. ⟨The poet obtained these initials|The "
        f"initials "
        f"come⟩ from the letters of the hidden word by moving forward in the cyclic 26-letter alphabet {shift}, z "
        f"being "
        f"followed by a. ⟨Recover|Determine⟩ the hidden word, in lower-case letters.",
        word,
        [read(start, 0), read(-start, -step), shown, read(start - 1, step), word[::-1]],
        [
            f"The initials of the {len(word)} lines spell {shown}.",
            f"To undo the cipher, move each initial back {shift.replace('by ', '')}.",
            "Write the letters as numbers from a = 0 to z = 25 and subtract modulo 26: the initials are "
            + ", ".join(str(ord(x) - 97) for x in shown) + ".",
            "After subtraction the numbers are " + ", ".join(str(ord(x) - 97) for x in word) + ".",
            f"These letters spell {word}.",
        ],
        -1.3 + 0.1 * len(word) + 0.4 * (step > 0),
        "text",
    )  # fmt: skip
