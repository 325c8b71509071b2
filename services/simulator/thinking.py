"""Chains of thought: the worked steps with doubts, checks and reviews between them.

Each sentence below is used at most once in a trace, so that no trace looks like a loop.
"""

import re
from random import Random

from services.simulator.bank.problem import Problem

OPENINGS = (
    "Let me read this carefully before doing anything.",
    "First I want to be sure that I understand what is asked.",
    "I should separate what is given from what is wanted.",
    "Let me restate the task in my own words.",
)
LINKS = (
    "That is worth writing down, because everything afterwards rests on it.",
    "I want to be careful here, since this is where a factor is easily lost.",
    "Does that agree with what the statement says? Reading the condition once more, it does.",
    "Good, this is a clean intermediate result and I can build on it.",
    "Let me pause and ask whether a hidden assumption went in. I see none.",
    "I could have gone about this differently, but the direct way is short enough.",
    "So far nothing surprising; the size is about what I would have guessed.",
    "Let me keep this exact and not round or simplify too early.",
    "The wording matters at this point, so I looked at the definition again.",
    "An independent look at a smaller case would show the same pattern.",
    "I double-checked the bookkeeping of this line with pencil and paper.",
    "This uses only what is given, nothing about a special case.",
    "It helps to name the quantity, as it comes back below.",
    "I almost skipped the edge case here, but it is covered by the same argument.",
    "A sanity check with rough numbers points in the same direction.",
    "There is a subtlety with the order of operations, which I have respected.",
)
DOUBTS = (
    "Wait. Could it be that the intended result is {slip}? That would come out if one took a shortcut, but then {step} "
    "would be violated, so I rule it out.",
    "Hmm, at first sight I was tempted to answer {slip}. The temptation comes from reading the question too quickly; "
    "it conflicts with what I found above, namely: {step}",
    "Let me play devil's advocate. Suppose somebody claims {slip}. Where would their argument break? It would have to "
    "deny the following: {step}",
    "I also considered {slip} as a candidate. For that, one would have to drop a condition that the statement makes "
    "explicit. The relevant line of my working says otherwise: {step}",
)
REVIEWS = (
    "Going back to the beginning to verify",
    "Checking the next link independently",
    "Then there is the middle part, which I redo from scratch",
    "Another line that deserves a second look",
    "Following the argument backwards",
    "Reading this one with fresh eyes",
    "And for completeness",
    "The remaining piece of the chain",
    "Comparing with the definition in the statement",
    "Testing the claim on its own",
)
FINDINGS = (
    "I get the same thing again, so I trust it.",
    "Recomputed, it holds.",
    "No sign error, no index error.",
    "This is consistent with the earlier lines.",
    "The quantity is of the right kind and the right size.",
    "I tried to break it and could not.",
    "It stands, and it is used exactly once in what follows.",
    "That settles this part.",
    "The two ways of seeing it coincide.",
    "Fine.",
)
CLOSINGS = (
    "Everything fits together, and I am confident. The final answer is {answer}.",
    "Both passes lead to the same place, so I will answer {answer}.",
    "I see no remaining gap. I conclude with {answer}.",
)


def think(problem: Problem, answer: str, rng: Random) -> str:
    """Return a trace of about 300 to 2,000 words that ends with `answer`; longer for harder problems."""
    steps = problem.worked(answer)
    links, reviews, findings = (iter(rng.sample(stock, len(stock))) for stock in (LINKS, REVIEWS, FINDINGS))
    parts = [rng.choice(OPENINGS), f"The problem says: {problem.text}", _frame(problem, rng), _inventory(problem, rng)]
    parts += [f"{_count(at)} {step} {next(links, '')}".strip() for at, step in enumerate(steps)]
    wrong = [slip for slip in (problem.answer, *problem.slips) if slip != answer]
    doubts = 2 + (problem.difficulty > 0.5)
    for doubt, slip in zip(rng.sample(DOUBTS, doubts), rng.sample(wrong, doubts), strict=True):
        parts.append(doubt.format(slip=slip, step=rng.choice(steps[:-1])))
    for step in steps:
        review, finding = next(reviews, None), next(findings, None)
        if review and finding:
            parts.append(f"{review}: {step} {finding}")
    return "\n\n".join([*parts, rng.choice(CLOSINGS).format(answer=answer)])


def _inventory(problem: Problem, rng: Random) -> str:
    numbers = list(dict.fromkeys(re.findall(r"\d+(?:\.\d+)?", problem.text)))
    given = ", ".join(numbers[:12]) or "none, only words"
    return rng.choice(
        (
            f"Let me make an inventory. The figures that occur in the statement are {given}. Some of them are data and "
            f"some only labels, and I must not confuse the two. Every condition has to be used somewhere; if one of "
            f"them turns out to be idle at the end, I have probably solved an easier problem than the one posed.",
            f"Before computing I collect what I was given: {given}. I will tick off each of these when it enters the "
            f"argument. I also note the form in which the result is to be stated, because a right value in the wrong "
            f"form would be of no use to the person who asked.",
            f"What do I have to work with? The text mentions {given}. I keep the exact wording next to me, since small "
            f"words such as 'exactly', 'at least' or 'each' change the outcome, and I do not want to notice that only "
            f"after a page of work.",
        )
    )


def _frame(problem: Problem, rng: Random) -> str:
    kind = {
        "number": "one number", "expression": "one closed expression", "text": "a word", "set": "a finite set",
        "tuple": "an ordered tuple",
    }[problem.answer_type]  # fmt: skip
    family = problem.family.replace("_", " ")
    return rng.choice(
        (
            f"So what is wanted is {kind}. This belongs to {problem.subject}, and it looks like a question about "
            f"{family}. I will collect the facts, work through them in order, and check the outcome a second time.",
            f"The final answer has to be {kind}, nothing more. The setting is {problem.subject}; the theme is "
            f"{family}. "
            f"My plan: derive it once in full, then challenge it, then go over each line again.",
            f"In short, I am to produce {kind}. I recognise the theme of {family} within {problem.subject}, so I have "
            f"an "
            f"idea which tools apply, but I will not rely on memory and derive it instead.",
        )
    )


def _count(at: int) -> str:
    return ("To begin with:", "Next:", "Now:", "Continuing:", "From there:", "Further:", "After that:")[at % 7]
