"""The rules of form on labelled problems: planted faults, and honest problems of the bank and by hand."""

from collections import Counter
from pathlib import Path

from schemas.item import Problem
from services.screening.fingerprint import fingerprint
from services.screening.form import find_flaw
from services.simulator.bank import SUBJECTS, problems

SUPPORT = Path("tests/support")


def lines(name: str) -> list[list[str]]:
    text = (SUPPORT / name).read_text("utf-8").splitlines()
    return [[part.strip() for part in line.split(" | ")] for line in text if not line.startswith("#")]


def faults() -> list[tuple[str, Problem]]:
    return [
        (reason, Problem(statement=statement, answer=answer, answer_type="text", rationale=""))
        for reason, statement, answer in lines("screening_faults.txt")
    ]


def honest() -> list[Problem]:
    written = [
        Problem(statement=statement.replace("\\n", "\n"), answer=answer, answer_type=kind, rationale="")
        for _, kind, statement, answer in lines("screening_honest.txt")
    ]
    drawn = [
        Problem(statement=one.text, answer=one.answer, answer_type=one.answer_type, rationale="")
        for subject in SUBJECTS
        for one in problems(1, subject)[::40]
    ]
    return written + drawn


def test_at_least_95_percent_of_planted_faults_are_found_with_their_reason() -> None:
    found = [(reason, find_flaw(problem), problem.statement) for reason, problem in faults()]
    missed = [(reason, flaw, statement) for reason, flaw, statement in found if flaw is None or flaw[0] != reason]
    assert len(found) >= 120
    assert len(Counter(reason for reason, *_ in found)) == 7
    assert len(missed) <= 0.05 * len(found), missed


def test_at_most_1_percent_of_honest_problems_are_refused() -> None:
    every = honest()
    refused = [(flaw, one.statement) for one in every if (flaw := find_flaw(one))]
    assert len(every) >= 200
    assert len(refused) <= 0.01 * len(every), refused


def test_distinctive_numbers_and_keys_need_fewer_common_words() -> None:
    one = "A coil of 0.25 m and 37 turns carries 1.75 A in a field of 0.62 T. Compute its torque in newton metres."
    keys = {"1.9704": 0.6, "24": 0.85, "7": 0.95}
    found = [fingerprint(Problem(statement=one, answer=key, answer_type="number", rationale="")).near for key in keys]
    assert found == list(keys.values())
