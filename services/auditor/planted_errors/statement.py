"""Statements that have lost something: a datum, or the word that made the answer the only one. The key stays."""

import re
from random import Random

from schemas.item import Problem

OFF_TOPIC = "off_topic"
SHORTEST = 60
"""Characters that must be left."""
_END = re.compile(r"(?<=[.;?!])\s+(?=[A-Z$\\(])")
_NUMBER = re.compile(r"\d")
_CLAUSE = re.compile(r",(?:[^,.;:$]|[.,:]\d|\$[^$]*\$)+(?=[,.;:](?:\s|$))")
_RESTRICTING = re.compile(
    r"\b(?:strictly |non-?)?(?:positive|negative|increasing|decreasing|distinct|unique|integer|whole|prime|odd|even"
    r"|smallest|largest|greatest|minimal|maximal|minimum|maximum|coprime|nonzero|disjoint|connected|bounded|labelled"
    r"|exactly|consecutive|identical|independent|(?<!at )least)\s+",
    re.IGNORECASE,
)


def sentences(statement: str) -> list[str]:
    """The statement, split where a sentence ends; joined by spaces it is whole again but for white space."""
    return _END.split(statement.strip())


def missing_datum(problem: Problem, dice: Random) -> Problem | None:
    """A sentence, or else a clause, with a number in it is left out; never the last sentence, which asks."""
    parts = sentences(problem.statement)
    with_numbers = [at for at, part in enumerate(parts[:-1]) if _NUMBER.search(part)]
    if with_numbers:
        gone = dice.choice(with_numbers)
        return _left(problem, " ".join(part for at, part in enumerate(parts) if at != gone))
    return _without(
        problem, [clause for clause in _CLAUSE.finditer(problem.statement) if _NUMBER.search(clause[0])], dice
    )


def second_solution(problem: Problem, dice: Random) -> Problem | None:
    """A restricting word is left out: what was the smallest is any."""
    return _without(problem, list(_RESTRICTING.finditer(problem.statement)), dice)


def off_topic(problem: Problem, dice: Random) -> Problem:
    """The words stay; whoever offers it gives them a topic of another subject."""
    return problem


def _without(problem: Problem, finds: list[re.Match[str]], dice: Random) -> Problem | None:
    if not finds:
        return None
    gone = dice.choice(finds)
    return _left(problem, problem.statement[: gone.start()] + problem.statement[gone.end() :])


def _left(problem: Problem, statement: str) -> Problem | None:
    return problem.with_(statement=statement) if len(statement) >= SHORTEST else None


STATEMENTS = {"missing_datum": missing_datum, "second_solution": second_solution, OFF_TOPIC: off_topic}
"""By kind."""
