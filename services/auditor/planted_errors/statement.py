"""Statements that lost a datum, or the restriction that made the answer unique. The key is unchanged."""

import re
from random import Random

from schemas.item import Problem

OFF_TOPIC = "off_topic"
SHORTEST = 60
"""Characters that must remain."""
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
    """Split a statement into sentences. Joined by spaces they give the statement, except for white space."""
    return _END.split(statement.strip())


def missing_datum(problem: Problem, rng: Random) -> Problem | None:
    """Remove a sentence, or else a clause, that contains a number; never the last sentence, which asks."""
    parts = sentences(problem.statement)
    with_numbers = [at for at, part in enumerate(parts[:-1]) if _NUMBER.search(part)]
    if with_numbers:
        gone = rng.choice(with_numbers)
        return _left(problem, " ".join(part for at, part in enumerate(parts) if at != gone))
    return _without(
        problem, [clause for clause in _CLAUSE.finditer(problem.statement) if _NUMBER.search(clause[0])], rng
    )


def second_solution(problem: Problem, rng: Random) -> Problem | None:
    """Remove a restricting word, such as "smallest"."""
    return _without(problem, list(_RESTRICTING.finditer(problem.statement)), rng)


def off_topic(problem: Problem, rng: Random) -> Problem:
    """Leave the problem unchanged; the caller assigns a topic of another subject."""
    return problem


def _without(problem: Problem, finds: list[re.Match[str]], rng: Random) -> Problem | None:
    if not finds:
        return None
    gone = rng.choice(finds)
    return _left(problem, problem.statement[: gone.start()] + problem.statement[gone.end() :])


def _left(problem: Problem, statement: str) -> Problem | None:
    return problem.with_(statement=statement) if len(statement) >= SHORTEST else None


STATEMENTS = {"missing_datum": missing_datum, "second_solution": second_solution, OFF_TOPIC: off_topic}
"""By kind."""
