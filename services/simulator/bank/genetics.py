"""Biology, genetics: reading frames, populations, crosses."""

from fractions import Fraction
from random import Random

from services.simulator.bank.craft import frac
from services.simulator.bank.problem import Sketch

BASES = "TCAG"

AMINO = "FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG"

"""The standard genetic code (NCBI table 1), codons in the order TTT, TTC, TTA, TTG, TCT, …"""


def translate(dna: str) -> str:
    """Translate from the first base to the end, `*` for stop."""
    digits = [BASES.index(base) for base in dna]
    return "".join(AMINO[16 * digits[i] + 4 * digits[i + 1] + digits[i + 2]] for i in range(0, len(dna) - 2, 3))


def complement(dna: str) -> str:
    """Return the reverse complement."""
    return dna[::-1].translate(str.maketrans("ACGT", "TGCA"))


def reading_frame(rng: Random) -> Sketch:
    """Translate the gene on the opposite strand."""
    body: list[str] = []
    while len(body) < rng.randint(5, 9):
        codon = "".join(rng.choices(BASES, k=3))
        if translate(codon) not in "*M":
            body.append(codon)
    gene = "ATG" + "".join(body) + rng.choice(["TAA", "TAG", "TGA"])
    left, right = ("".join(rng.choices("TC", k=rng.randint(1, 5))) for _ in range(2))
    coding = left + gene + right
    if coding.count("ATG") > 1 or "ATG" in complement(coding):
        return reading_frame(rng)
    shown = complement(coding)
    answer = translate(gene).rstrip("*")
    shifted = translate(coding[coding.index("ATG") + 1 :]).split("*")[0]
    forward = translate(shown).split("*")[0]
    return Sketch(
        f"The sequence 5'-{shown}-3' is one strand of a double-stranded DNA fragment ⟨from a bacterial plasmid|cloned "
        f"from a bacterium⟩. The fragment carries a single short open reading frame, which is encoded so that the "
        f"strand "
        f"shown is the template strand: the messenger RNA is complementary to it. Translation starts at the only AUG "
        f"of "
        f"the messenger and ends at the first in-frame stop codon; the standard genetic code applies. ⟨Determine|Give|"
        f"Write down⟩ the peptide in one-letter code, from the amino terminus, including the initial methionine.",
        answer,
        [answer[1:], answer[::-1], forward or answer + "X", shifted or answer + "G", translate(gene[::-1])],
        [
            f"The strand shown, {shown}, is the template, so the coding strand is its reverse complement.",
            f"Read from its 5' end the coding strand is {coding}.",
            f"The only start codon is at base {coding.index('ATG') + 1}; the frame reads "
            + " ".join(gene[i : i + 3] for i in range(0, len(gene), 3)) + ".",
            f"The stop codon {gene[-3:]} ends it after {len(answer)} amino acids.",
            f"Translating codon by codon, the peptide is {answer}.",
        ],
        -0.6 + 0.12 * len(answer),
        "text",
    )  # fmt: skip


def inbred_genotypes(rng: Random) -> Sketch:
    """Genotype frequencies with inbreeding and selection against a recessive."""
    p = Fraction(rng.randint(1, 9), 10)
    f, s = Fraction(rng.randint(1, 7), 8), Fraction(rng.randint(1, 10), 10)
    q = 1 - p
    ill = q * q + f * p * q
    mean = 1 - s * ill
    value = (q - s * ill) / mean
    answer = frac(value)
    no_f = (q - s * q * q) / (1 - s * q * q)
    return Sketch(
        f"In a very large population an autosomal locus has the alleles $A$ and $a$ with frequencies ${frac(p)}$ and "
        f"${frac(q)}$ among the zygotes, and ⟨the inbreeding coefficient is|mating between relatives leads to an "
        f"inbreeding "
        f"coefficient⟩ $F={frac(f)}$. The genotypes $AA$ and $Aa$ have relative viability 1, and $aa$ has relative "
        f"viability $1-s$ with $s={frac(s)}$. ⟨There is no mutation, migration or drift|Mutation, migration and drift "
        f"are "
        f"absent⟩. ⟨Determine|Compute|Find⟩ the frequency of the allele $a$ among the survivors, as an exact fraction "
        f"in "
        f"lowest terms.",
        answer,
        [frac(no_f), frac(q - s * ill), frac((ill * (1 - s)) / mean), frac(q * (1 - s)), frac(q / mean)],
        [
            f"Among zygotes the frequency of $aa$ is $q^2+Fpq={frac(ill)}$ with $q={frac(q)}$ and $F={frac(f)}$.",
            f"Selection with $s={frac(s)}$ removes ${frac(s * ill)}$ of all zygotes, so the mean viability is "
            f"${frac(mean)}$.",
            f"Each lost $aa$ zygote takes only $a$ alleles away, which leaves $q-s(q^2+Fpq)={frac(q - s * ill)}$.",
            f"Dividing by the mean viability, the frequency among survivors is ${answer}$.",
        ],
        0.2 + 0.3 * (f > Fraction(1, 2)) + 0.3 * (s < 1),
    )


def segregating_sites(rng: Random) -> Sketch:
    """Watterson's expectation, or the expected branch lengths of the coalescent."""
    n, theta = rng.randint(4, 14), Fraction(rng.randint(1, 12), rng.choice([2, 3, 5]))
    k = rng.randint(1, min(5, n - 2))
    harmonic = sum(Fraction(1, i) for i in range(1, n))
    low = sum((Fraction(1, i) for i in range(1, k + 1)), Fraction(0))
    value = theta * (harmonic - low)
    answer = frac(value)
    folded = theta * sum((Fraction(1, i) for i in range(1, n - k)), Fraction(0))
    times = "once" if k == 1 else f"{k} times"
    return Sketch(
        f"A sample of ${n}$ sequences is drawn from a neutral Wright-Fisher population of constant size, ⟨described "
        f"by|in "
        f"the limit of⟩ Kingman's coalescent without recombination. Mutations follow the infinite-sites model with "
        f"scaled "
        f"mutation rate $\\theta=4N\\mu={frac(theta)}$ for the whole locus. ⟨The ancestral state of every site is "
        f"known|"
        f"Ancestral and derived states can be told apart⟩. ⟨Compute|Determine⟩ the expected number of segregating "
        f"sites "
        f"whose derived allele occurs in the sample more than {times}, as an exact fraction.",
        answer,
        [frac(theta * harmonic), frac(folded), frac(theta * low), frac(value / 2), frac(theta * (harmonic - k))],
        [
            f"In a sample of {n}, the expected number of sites with derived count $i$ is $\\theta/i$, "
            f"$\\theta={frac(theta)}$.",
            f"All segregating sites together expect $\\theta\\sum_{{i=1}}^{{{n - 1}}}1/i={frac(theta * harmonic)}$.",
            f"Those with derived count up to {k} expect ${frac(theta * low)}$ and are to be left out.",
            f"The difference is the expected number, ${answer}$.",
        ],
        0.2 + 0.06 * n + 0.1 * k,
    )


def three_points(rng: Random) -> Sketch:
    """Gamete frequency with interference."""
    first, second = Fraction(rng.randint(4, 30), 100), Fraction(rng.randint(4, 30), 100)
    coincidence = Fraction(rng.randint(0, 9), 10)
    double = coincidence * first * second
    kinds = {
        "the parental combination $ABC$ or $abc$ (both together)": 1 - first - second + double,
        "a single exchange between $A$ and $B$ only, that is $Abc$ or $aBC$ (both together)": first - double,
        "a single exchange between $B$ and $C$ only, that is $ABc$ or $abC$ (both together)": second - double,
    }
    asked = rng.choice(list(kinds))
    value = kinds[asked]
    plain = value - (double - first * second) * (1 if "parental" in asked else -1)
    answer = frac(value)
    return Sketch(
        f"In a diploid ⟨plant|fly|fungus⟩ three loci lie on one chromosome in the order $A$, $B$, $C$. The "
        f"recombination "
        f"fraction between $A$ and $B$ is ${frac(first)}$, and that between $B$ and $C$ is ${frac(second)}$. "
        f"⟨Crossover "
        f"interference is present|There is interference⟩, and the coefficient of coincidence is "
        f"${frac(coincidence)}$. An "
        f"individual heterozygous in coupling, $ABC/abc$, ⟨forms gametes|undergoes meiosis⟩. ⟨Determine|Compute⟩ the "
        f"expected proportion of gametes that show {asked}, as an exact fraction.",
        answer,
        [
            frac(plain),
            frac(value / 2),
            frac((1 - first) * (1 - second)),
            frac(first + second - 2 * double),
            frac(double),
        ],
        [
            f"Without interference double exchanges would have frequency ${frac(first * second)}$.",
            f"The coefficient of coincidence ${frac(coincidence)}$ reduces this to ${frac(double)}$.",
            f"The class asked for is {asked}; the fractions are ${frac(first)}$ and ${frac(second)}$.",
            "Each recombination fraction contains single and double exchanges, so the doubles are subtracted once from "
            "each single class, and added once to the parental class.",
            f"The expected proportion is ${answer}$.",
        ],
        -0.4 + 0.4 * ("parental" in asked) + 0.3 * (coincidence > 0),
    )
