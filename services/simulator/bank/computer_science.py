"""Computer science: automata, codes, recurrences, orders, caches, strings."""

from collections import OrderedDict
from math import factorial
from random import Random

from services.simulator.bank.craft import near, sig
from services.simulator.bank.problem import Sketch
from services.simulator.bank.strings import forbidden_factor, huffman_length, transform


def heap_orders(rng: Random) -> Sketch:
    """Linear extensions of a rooted forest by the hook length formula."""
    n = rng.randint(6, 13)
    parent = [-1] + [rng.randint(max(0, i - 4), i - 1) for i in range(1, n)]
    size = [1] * n
    for i in range(n - 1, 0, -1):
        size[parent[i]] += size[i]
    product = 1
    for s in size:
        product *= s
    answer = factorial(n) // product
    edges = ", ".join(f"{parent[i] + 1}<{i + 1}" for i in range(1, n))
    children = [sum(p == i for p in parent) for i in range(n)]
    twist = 1
    for c in children:
        twist *= factorial(c)
    return Sketch(
        f"A build system has to run ${n}$ jobs, numbered 1 to {n}, one after the other on a single machine. ⟨The "
        f"constraints are|Precedence is given by⟩ {edges}, where $i<j$ means that job $i$ must have finished before "
        f"job "
        f"$j$ starts; ⟨precedence is transitive and there are no further constraints|all other constraints follow from "
        f"these by transitivity⟩. ⟨Determine|Compute|Find⟩ the number of orders in which all jobs can be run, ⟨i.e. "
        f"the "
        f"linear extensions of this poset|each job exactly once⟩.",
        str(answer),
        [str(twist), str(factorial(n - 1)), str(factorial(n) // max(size[1], 2)), *near(answer)],
        [
            f"The constraints {edges} form a tree with root 1, so the hook length formula applies.",
            f"The subtrees at 1 to {n} have the sizes {', '.join(map(str, size))}.",
            f"Their product is {product}, and ${n}!={factorial(n)}$.",
            f"The number of linear extensions is the quotient, ${answer}$.",
        ],
        -0.4 + 0.12 * n,
    )


def jumped_generator(rng: Random) -> Sketch:
    """State of a linear congruential generator far ahead."""
    m = rng.choice([101, 127, 211, 256, 509, 1009, 1024, 2003])
    a, c, x = rng.randint(2, m - 1), rng.randint(1, m - 1), rng.randint(0, m - 1)
    n = rng.randint(10, 99) * 10 ** rng.randint(1, 7)

    def jump(steps: int) -> int:
        scale, shift, sa, sc = 1, 0, a, c
        while steps:
            if steps & 1:
                scale, shift = scale * sa % m, (shift * sa + sc) % m
            sa, sc = sa * sa % m, (sa * sc + sc) % m
            steps >>= 1
        return (scale * x + shift) % m

    answer = jump(n)
    return Sketch(
        f"A linear congruential generator with modulus ${m}$ ⟨updates its state by|has the state recurrence⟩ "
        f"$x_{{k+1}}=({a}\\,x_k+{c}) \\bmod {m}$ and starts from $x_0={x}$. ⟨For a parallel simulation the stream has "
        f"to be "
        f"split|A simulation wants to skip ahead in the stream⟩, so the state far along the orbit is needed without "
        f"computing all the states in between. ⟨Determine|Compute|Find⟩ the state $x_{{{n}}}$, as an integer between "
        f"$0$ "
        f"and ${m - 1}$.",
        str(answer),
        [str(jump(n - 1)), str(jump(n + 1)), str(pow(a, n, m) * x % m), str((answer + c) % m), *near(answer)],
        [
            f"One step is the affine map $T(x)={a}x+{c}$ modulo {m}; composing affine maps is associative.",
            f"Write {n} in binary as {n:b} and square the map repeatedly.",
            f"The multiplier of the composed map is ${a}^{{{n}}} \\bmod {m}={pow(a, n, m)}$.",
            f"The composed shift is {(answer - pow(a, n, m) * x) % m} modulo {m}.",
            f"Applied to $x_0={x}$ this gives the state ${answer}$.",
        ],
        0.4 + 0.12 * len(str(n)),
    )


def page_faults(rng: Random) -> Sketch:
    """Misses of a cache under LRU, FIFO or the optimal policy."""
    frames, pages = rng.randint(3, 4), rng.randint(5, 7)
    trace = [rng.randint(1, pages) for _ in range(rng.randint(14, 22))]

    def misses(policy: str) -> int:
        held: OrderedDict[int, None] = OrderedDict()
        count = 0
        for at, page in enumerate(trace):
            if page in held:
                if policy == "LRU":
                    held.move_to_end(page)
                continue
            count += 1
            if len(held) == frames:
                later = {p: next((k for k in range(at, len(trace)) if trace[k] == p), 10**6) for p in held}
                gone = max(held, key=lambda p: later[p]) if policy == "OPT" else next(iter(held))
                del held[gone]
            held[page] = None
        return count

    policy = rng.choice(["LRU", "FIFO", "OPT"])
    name = {
        "LRU": "least recently used",
        "FIFO": "first in, first out",
        "OPT": "Belady's optimal offline policy (evict the page whose next use lies farthest in the future)",
    }[policy]
    value = misses(policy)
    string = ", ".join(map(str, trace))
    others = [str(misses(p)) for p in ("LRU", "FIFO", "OPT")]
    return Sketch(
        f"A virtual memory with demand paging has ${frames}$ page frames, all empty at the start. ⟨A process "
        f"references|The "
        f"reference string is⟩ the pages {string}, in this order. ⟨Whenever a page that is not resident is "
        f"referenced, a "
        f"page fault occurs|A reference to a page that is not resident is a fault⟩ and the page is loaded; if no "
        f"frame is "
        f"free, a victim is evicted by the replacement policy: {name}. ⟨Determine|Count|Find⟩ the total number of page "
        f"faults, those on first references included.",
        str(value),
        [*others, str(value - frames), *near(value)],
        [
            f"Simulate {frames} frames on the string {string} with the policy {policy}.",
            f"The first {frames} distinct pages fault in any case and fill the frames.",
            f"For comparison, LRU, FIFO and OPT have {others[0]}, {others[1]} and {others[2]} faults on this string.",
            f"The policy asked for ({policy}) has the number of faults ${value}$.",
        ],
        -1.2 + 0.06 * len(trace) + 0.4 * (policy == "OPT"),
    )


def bloom_filter(rng: Random) -> Sketch:
    """Exact-model false positive rate."""
    m, n, k = rng.randint(8, 60) * 100, rng.randint(3, 30) * 20, rng.randint(2, 7)
    zero = (1 - 1 / m) ** (k * n)
    value = 100 * (1 - zero) ** k
    if not 0.01 < value < 95:
        return bloom_filter(rng)
    answer = sig(value)
    return Sketch(
        f"A Bloom filter ⟨consists of|uses⟩ ${m}$ bits, all zero at the start, and ${k}$ hash functions, which are "
        f"modelled "
        f"as independent and uniform over all bits; different hash functions may hit the same bit. After "
        f"${n}$ distinct keys have been inserted, ⟨a key that is not in the set|a new key, different from all of "
        f"them,⟩ is "
        f"queried. Treat the ${k}$ probed bits as independent, each set with the probability that a given bit is set "
        f"after the insertions (no exponential approximation). ⟨Compute|Determine⟩ the false positive probability in "
        f"percent, to four significant figures.",
        answer,
        [sig(100 * (1 - zero)), sig(value / 100), sig(100 * (1 - (1 - 1 / m) ** n) ** k), sig(100 * zero**k)],
        [
            f"A given one of the {m} bits stays zero through {k * n} probes with probability {sig(zero, 6)}.",
            f"So it is set with probability {sig(1 - zero, 6)}.",
            f"A false positive needs all {k} probed bits to be set, so this is raised to the power {k}.",
            f"In percent, the probability is ${answer}$.",
        ],
        -0.8 + 0.1 * k,
    )


FAMILIES = (
    forbidden_factor,
    transform,
    huffman_length,
    heap_orders,
    jumped_generator,
    page_faults,
    bloom_filter,
)
