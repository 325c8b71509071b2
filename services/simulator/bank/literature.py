"""Literature: prosody, verse forms, ciphers, transmission of texts, the make-up of books - where counting decides."""

from fractions import Fraction
from functools import cache
from math import comb, factorial
from random import Random

from services.simulator.bank.craft import frac, near, words
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


def metres(morae: int) -> list[str]:
    """List the patterns of light and heavy syllables with this many morae, in Pingala's order (heavy varies first)."""
    if morae < 0:
        return []
    if morae == 0:
        return [""]
    return sorted([p + "G" for p in metres(morae - 2)] + [p + "L" for p in metres(morae - 1)], key=lambda p: p[::-1])


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


def stemma(rng: Random) -> Sketch:
    """Probability that a reading survives in a majority or in all witnesses of a family."""
    copies = rng.randint(2, 6)
    depth = rng.randint(1, 4)
    p, q = Fraction(rng.randint(1, 5), rng.choice([6, 8, 10, 12])), Fraction(rng.randint(1, 4), rng.choice([5, 7, 10]))
    keep_line, keep = (1 - p) ** depth, 1 - q
    need = rng.randint(1, copies)
    tail = sum((comb(copies, k) * keep**k * q ** (copies - k) for k in range(need, copies + 1)), Fraction(0))
    value = keep_line * tail
    answer = frac(value)
    wrongly = frac(sum(comb(copies, k) * (keep_line * keep) ** k * (1 - keep_line * keep) ** (copies - k)
                       for k in range(need, copies + 1)))  # fmt: skip
    return Sketch(
        f"The text of a lost ⟨chronicle|romance|treatise|epic⟩ descends from its archetype through a line of ${depth}$ "
        f"successive lost ⟨copies|manuscripts⟩, each made from the one before; the last of these, the hyparchetype, "
        f"was then "
        f"copied ${copies}$ times independently, and these ${copies}$ witnesses survive. ⟨At a given place|At one "
        f"locus⟩ each "
        f"copying in the lost line corrupts the reading with probability ${frac(p)}$, and each copying of the "
        f"hyparchetype "
        f"corrupts it with probability ${frac(q)}$; all copyings are independent and a corrupted reading is never "
        f"restored. "
        f"⟨Determine|Compute⟩ the exact probability that at least ${need}$ of the witnesses show the original reading.",
        answer,
        [wrongly, frac(tail), frac(keep_line * keep**need), frac(1 - value),
         frac(keep_line * comb(copies, need) * keep**need * q ** (copies - need))],
        [
            f"The reading reaches the hyparchetype with probability $({frac(1 - p)})^{{{depth}}}={frac(keep_line)}$.",
            f"Given that, each of the {copies} witnesses keeps it independently with probability ${frac(keep)}$.",
            f"At least {need} of them keep it with probability ${frac(tail)}$.",
            "The witnesses share the errors of the lost line, so the two stages must be multiplied, not mixed.",
            f"The probability is ${frac(keep_line)}\\cdot {frac(tail)}={answer}$.",
        ],
        -0.4 + 0.1 * copies + 0.1 * depth + 0.2 * (1 < need < copies),
    )  # fmt: skip


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


def quires(rng: Random) -> Sketch:
    """Conjugate leaves and pages in a codex made of quires."""
    sheets = rng.choice([3, 4, 4, 5, 6])
    count = rng.randint(6, 30)
    leaves = 2 * sheets
    lost = rng.randint(2, 5)
    quire = rng.randint(lost + 1, count)
    place = rng.randint(1, leaves)
    folio = (quire - 1) * leaves + place
    mate = (quire - 1) * leaves + leaves + 1 - place
    side = rng.choice(["recto", "verso"])
    recto = int(side == "recto")
    answer = 2 * (mate - lost * leaves) - recto
    return Sketch(
        f"A codex ⟨originally consisted|was made up⟩ of ${count}$ regular quires, each of ${sheets}$ sheets folded "
        f"once and "
        f"nested, hence of ${leaves}$ leaves. The medieval foliation, entered when the book was complete, runs from 1 "
        f"upwards through all leaves. ⟨Later the first ${lost}$ quires were lost|The first ${lost}$ quires have since "
        f"been "
        f"lost⟩, and a modern librarian numbered the remaining pages from 1, each leaf having a recto followed by a "
        f"verso. "
        f"⟨Determine|Find⟩ the modern page number of the {side} of the leaf that is conjugate with (belongs to the "
        f"same sheet "
        f"as) the leaf with medieval folio number {folio}.",
        str(answer),
        [str(2 * mate - recto), str(2 * (folio - lost * leaves) - recto), str(mate - lost * leaves),
         str(answer + 1 if recto else answer - 1)],
        [
            f"With {leaves} leaves a quire, folio {folio} is leaf {place} of quire {quire}.",
            f"The conjugate leaf in a nested quire is leaf {leaves}+1-{place}={leaves + 1 - place}, that is folio "
            f"{mate}.",
            f"Without the {lost} lost quires ({lost * leaves} leaves) it is leaf {mate - lost * leaves} of what "
            f"remains.",
            f"Each leaf has two pages and the {side} is wanted, so the modern page number is ${answer}$.",
        ],
        -0.7 + 0.1 * sheets,
    )  # fmt: skip


def exercises(rng: Random) -> Sketch:
    """Combinatorial literature after Queneau: sonnets from interchangeable lines under constraints."""
    sonnets, lines = rng.randint(3, 12), rng.choice([8, 10, 12, 14])
    least = rng.choice([2, 3])
    neighbour = rng.random() < 0.5
    every = sonnets**lines
    if neighbour:
        answer = sonnets * (sonnets - 1) ** (lines - 1)
        rule = "no two consecutive lines come from the same source poem"
        wrong = [every - sonnets, sonnets * (sonnets - 1) * (lines - 1), (sonnets - 1) ** lines, every]
    else:
        answer = sum((-1) ** j * comb(sonnets, j) * (sonnets - j) ** lines for j in range(sonnets + 1))
        if least == 2:
            answer = every - sonnets
            rule = "not all lines come from one and the same source poem"
            wrong = [every - 1, every, sonnets * (sonnets - 1) ** (lines - 1), every - lines]
        else:
            if answer == 0:
                return exercises(rng)
            rule = "every source poem contributes at least one line"
            wrong = [every - sonnets * (sonnets - 1) ** lines, every, factorial(sonnets), comb(lines - 1, sonnets - 1)]
    poem = rng.choice(["a ballade", "a sonnet", "an ode", "an elegy", "a rondeau", "a canzone", "a hymn", "a ghazal"])
    return Sketch(
        f"In the manner of Queneau's combinatorial poems, a booklet prints ${sonnets}$ source poems, each {poem} of "
        f"${lines}$ lines, cut so that ⟨for each position the reader chooses freely|line by line one may choose⟩ the "
        f"line of "
        f"any of the source poems standing at that same position. ⟨All lines are different and all combinations are "
        f"grammatical|All printed lines are distinct, and every combination makes sense⟩. A reading is called "
        f"licensed if "
        f"{rule}. ⟨Determine|Compute|Find⟩ the number of licensed readings, each a poem of ${lines}$ lines.",
        str(answer),
        [str(w) for w in wrong] + near(answer),
        [
            f"Without a rule there are ${sonnets}^{{{lines}}}={every}$ readings.",
            f"The rule says: {rule}.",
            "Consecutive choices each leave one source fewer." if neighbour
            else "Inclusion and exclusion over the unused source poems removes the readings not licensed.",
            f"The number of licensed readings is ${answer}$.",
        ],
        -1.2 + 0.8 * (not neighbour and least == 3) + 0.05 * lines,
    )  # fmt: skip


FAMILIES = (sestina, rhymes, prosody_rank, stemma, acrostic, quires, exercises)
