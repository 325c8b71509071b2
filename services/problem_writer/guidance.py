"""What a checkable answer is in each subject: a paragraph of the writer's prompt."""

GUIDANCE = {
    "mathematics": (
        "In mathematics an answer is an exact value or a closed form: an order, a count, an invariant, a "
        "constant. State the base field, whether rings have a unit, whether zero is natural, and which branch "
        "of a root or logarithm."
    ),
    "physics": (
        "In physics an answer is a number with a unit or a formula in named quantities. Give every constant "
        "with its value, the system of units, the approximations that are allowed, and the sign convention."
    ),
    "chemistry": (
        "In chemistry an answer is a number with a unit, a formula, or a compound by its systematic name. Give "
        "temperature, concentrations, standard states and constants, and say how stereochemistry is to be "
        "written."
    ),
    "biology": (
        "In biology an answer is a count, a probability, a rate, or the one gene, enzyme, taxon or stage that "
        "all observations single out. Give crosses, sequences and rates as data in the text; avoid what new "
        "findings may change."
    ),
    "computer science": (
        "In computer science an answer is the output of a given program, an exact count, a bound with its "
        "constant, or a string. Print programs in full, line by line, and name language, word size and ties."
    ),
    "linguistics": (
        "In linguistics an answer follows from data in the text: forms with glosses, rules and their order, a "
        "count of forms, one underlying form, one feature, one class. Give transcription and the meaning of "
        "every symbol."
    ),
    "literature": (
        "In literature an answer is what evidence in the text settles: a metre or a scansion of quoted lines, a "
        "count, a stemma from shared errors, a date from internal clues, an author or work that all of several "
        "independent clues fit. No interpretation, no taste, no disputed attribution."
    ),
    "history": (
        "In history an answer is a date, a place, a person or a quantity that sources quoted in the text "
        "settle: a conversion between calendars, a regnal year or indiction, a sum in old money, an "
        "identification by several independent clues that fit one case alone. Say which calendar and which form "
        "of the name; no causes, no judgements."
    ),
}
GUIDANCE_ELSEWHERE = (
    "An answer is exact and follows from the text alone: a number with its unit, a formula, or the one name "
    "that several independent clues single out. Say which conventions hold and in which form the answer is to "
    "be given."
)
"""For subjects of a plan's own."""
