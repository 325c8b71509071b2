"""The problems of `shared.exact_problems`, which the factory uses as controls; recognised by their wording."""

from services.simulator.bank.problem import Problem
from services.simulator.sampling import seeded_random
from shared.exact_problems import LEVELS, read

EASIEST, HARDEST = -1.0, 1.5
"""Difficulty of the lowest and of the highest level."""


def exactly(statement: str) -> Problem | None:
    """Return the exact problem with this statement, or `None`."""
    found = read(statement)
    if found is None:
        return None
    answer, topic = found.problem.answer, found.topic
    value = int(answer)
    return Problem(
        id=f"{seeded_random('exact', statement).getrandbits(64):016x}",
        subject=topic.subject,
        family=topic.name,
        text=statement,
        answer=answer,
        answer_type="number",
        difficulty=EASIEST + (HARDEST - EASIEST) * (found.level - 1) / (LEVELS - 1),
        steps=(
            f"This is about {topic.name}, and all data are integers, so that nothing has to be rounded.",
            "I go step by step with exact arithmetic and keep every intermediate value.",
            f"Carrying this through to the end gives {answer}",
        ),
        slips=(str(value + 1), str(value - 1), str(value + 2)),
    )
