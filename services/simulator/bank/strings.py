"""Computer science, words: automata, transforms, codes."""

import heapq
from fractions import Fraction
from random import Random

from services.simulator.bank.craft import frac, near
from services.simulator.bank.problem import Sketch


def avoiding(word: str, n: int, alphabet: str) -> list[int]:
    """Count strings of each length up to n without `word` as a factor, by the Knuth-Morris-Pratt automaton."""
    states = [1] + [0] * (len(word) - 1)
    counts = [1]
    for _ in range(n):
        after = [0] * len(word)
        for at, ways in enumerate(states):
            for letter in alphabet:
                seen = word[:at] + letter
                to = next(k for k in range(len(seen), -1, -1) if k <= len(word) and word[:k] == seen[len(seen) - k :])
                if to < len(word):
                    after[to] += ways
        states = after
        counts.append(sum(states))
    return counts


def forbidden_factor(rng: Random) -> Sketch:
    """Count words that avoid a factor."""
    alphabet = "abc"[: rng.choice([2, 2, 3])]
    word = "".join(rng.choices(alphabet, k=rng.randint(3, 5)))
    n = rng.randint(7, 14)
    counts = avoiding(word, n, alphabet)
    answer, size = counts[n], len(alphabet)
    contain = size**n - answer
    naive = size**n - (n - len(word) + 1) * size ** (n - len(word))
    return Sketch(
        f"Let $\\Sigma=\\{{{', '.join(alphabet)}\\}}$ and let $L$ be the ⟨regular|rational⟩ language of all words over "
        f"$\\Sigma$ that do not contain $w={word}$ as a factor, ⟨that is, as a block of consecutive letters|a factor "
        f"being "
        f"a contiguous subword⟩. ⟨The minimal deterministic automaton of this language has ${len(word)}$ accepting "
        f"states|Occurrences of $w$ in a word may overlap themselves⟩. ⟨Determine|Compute|Find⟩ the number of words of "
        f"length exactly ${n}$ in $L$.",
        str(answer),
        [str(contain), str(naive), str(counts[n - 1]), *near(answer)],
        [
            f"Use the Knuth-Morris-Pratt automaton of {word}; its states are the {len(word)} proper prefixes.",
            f"For lengths 1 to 5 the counts of words over {size} letters are {', '.join(map(str, counts[1:6]))}.",
            f"Iterating the transfer matrix, length {n - 2} has {counts[n - 2]} and length {n - 1} has "
            f"{counts[n - 1]}.",
            f"One more step gives for length {n} the number ${answer}$.",
        ],
        -0.9 + 0.08 * n + 0.2 * len(word) - 0.2 * (len(set(word)) == len(word)),
    )


def burrows_wheeler(text: str) -> str:
    """Return the Burrows-Wheeler transform of a text that ends on its sentinel."""
    return "".join(row[-1] for row in sorted(text[i:] + text[:i] for i in range(len(text))))


def transform(rng: Random) -> Sketch:
    """Apply or invert the Burrows-Wheeler transform."""
    letters = rng.sample("abcdegilmnoprst", rng.randint(3, 5))
    word = "".join(rng.choices(letters, k=rng.randint(8, 12)))
    shown, answer = word, burrows_wheeler(word + "$").replace("$", "Z")
    if rng.random() < 0.5:
        shown, answer = answer, word
        ask = (
            f"The Burrows-Wheeler transform of an unknown string $s$ of lower-case letters, followed by the sentinel "
            f"Z, is "
            f"{shown}. ⟨Invert the transform|Reconstruct the text⟩ and give $s$ itself, without the sentinel."
        )
        wrong = [answer[::-1], shown.replace("Z", ""), "".join(sorted(answer)), answer[1:] + answer[0]]
        how = f"Following the last-to-first mapping from the sentinel in {shown} restores the text from its end."
    else:
        ask = (
            f"A string $s={shown}$ is followed by the sentinel Z. ⟨Compute|Determine⟩ the Burrows-Wheeler transform "
            f"of the "
            f"resulting string, that is the last column, the sentinel included."
        )
        wrong = [answer[::-1], answer.replace("Z", ""), "".join(sorted(answer)), burrows_wheeler(shown), "Z" + shown]
        how = (
            f"Sorting the {len(shown) + 1} rotations of {shown}Z and reading the last letters from top to bottom works."
        )
    return Sketch(
        f"⟨The Burrows-Wheeler transform is used in text indexing|Compressed full-text indices use the Burrows-Wheeler "
        f"transform⟩: all cyclic rotations of a string are sorted lexicographically, and the transform is the last "
        f"column "
        f"of the sorted list, read from top to bottom. Here the sentinel Z occurs only at the end of the text and "
        f"sorts "
        f"before all lower-case letters. {ask}",
        answer,
        wrong,
        [
            f"Given is {shown}, and the sentinel Z sorts before all letters.",
            "The first column is the sorted multiset of letters: " + "".join(sorted(shown)) + ".",
            how,
            "Equal letters keep their relative order in first and last column, which makes the mapping unique.",
            f"The result is {answer}.",
        ],
        0.1 + 0.12 * (len(word) - 8) + 0.4 * (answer == word),
        "text",
    )


def huffman_length(rng: Random) -> Sketch:
    """Compute the expected length of an optimal prefix code, binary or ternary."""
    arity = rng.choice([2, 2, 3])
    count = rng.randint(5, 10)
    weights = [rng.randint(1, 40) for _ in range(count)]
    total = sum(weights)

    def cost(k: int, values: list[int]) -> int:
        heap = values + [0] * (-(len(values) - 1) % (k - 1))
        heapq.heapify(heap)
        spent = 0
        while len(heap) > 1:
            merged = sum(heapq.heappop(heap) for _ in range(k))
            spent += merged
            heapq.heappush(heap, merged)
        return spent

    optimum = cost(arity, list(weights))
    answer = frac(Fraction(optimum, total))
    fixed = next(k for k in range(1, 9) if arity**k >= count)
    alphabet = "binary" if arity == 2 else "ternary"
    return Sketch(
        f"A memoryless source ⟨emits|produces⟩ ${count}$ symbols with probabilities proportional to the weights "
        f"{', '.join(map(str, weights))} ⟨(sum {total})|, whose sum is {total}⟩. The symbols are encoded one at a "
        f"time by a "
        f"prefix-free code over the {alphabet} alphabet, ⟨chosen so that the expected codeword length is minimal|of "
        f"least "
        f"possible expected codeword length⟩. ⟨Determine|Compute⟩ this minimal expected codeword length in {alphabet} "
        f"digits per source symbol, as an exact fraction in lowest terms.",
        answer,
        [str(fixed), frac(Fraction(cost(5 - arity, list(weights)), total)),
         frac(Fraction(optimum + min(weights), total)),
         frac(Fraction(optimum, count)), str(optimum)],
        [
            f"The weights {', '.join(map(str, sorted(weights)))} are merged greedily, {arity} at a time (Huffman).",
            "For a full last merge "
            + (f"{-(count - 1) % (arity - 1)} dummy symbols of weight 0 are added first."
               if arity > 2 else "no dummy symbols are needed with two branches."),
            f"The sum of all merged weights is the total cost, {optimum}.",
            f"Divided by the total weight {total}, the expected length is ${answer}$.",
        ],
        -0.8 + 0.12 * count + 0.5 * (arity == 3),
    )  # fmt: skip
