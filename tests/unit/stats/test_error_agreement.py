"""Two verifiers that are one model are recognised by their common errors, as far as these show it."""

from collections.abc import Callable, Iterator

import pytest

from schemas.flow import VERIFIERS
from schemas.item import Item, Verdict, Vote
from services.simulator.api.request import ChatRequest
from services.simulator.bank import SUBJECTS, Bank
from services.simulator.bank.problem import Problem
from services.simulator.roles.registry import reply_to
from services.simulator.roles.reply import TaskInput
from services.simulator.settings import Settings
from shared.answers.extract import final_answer
from shared.stats.error_agreement import error_agreement
from tests.support.items import attempt, item

BANK = Bank(0)
WEAK = Settings(abilities={"sim-verifier-a": 0.0, "sim-verifier-b": 0.0, "sim-solver": 0.0, "sim-all": 0.0})


def answer(model: str, problem: Problem, seed: int) -> Vote:
    requested = {"model": model, "messages": [{"role": "user", "content": problem.text}], "seed": seed}
    found = final_answer(reply_to(TaskInput(ChatRequest.model_validate(requested), BANK, WEAK)).content)
    return Vote(answer=found, agrees="yes" if found == problem.answer else "no", method="test")


def items(models: tuple[str, str], seeds: Callable[[str], int]) -> Iterator[Item]:
    """One blind vote of each verifier and one attempt of the solver on problems of every subject."""
    for subject in SUBJECTS:
        for number, problem in enumerate(BANK.problems(subject)[:100]):
            verdicts = tuple(
                Verdict(role=role, model=role, problem_hash="h", votes=(answer(model, problem, seeds(role)),))
                for role, model in zip(VERIFIERS, models, strict=True)
            )
            solved = answer("sim-solver", problem, 3)
            tried = attempt(agrees=solved.agrees).with_(answer=solved.answer)
            yield item(number)[0].with_(verdicts=verdicts, attempts=(tried,))


DICE = {"verifier-a": 1, "verifier-b": 2}


@pytest.mark.parametrize(
    ("models", "seeds", "suspicious"),
    [
        (("sim-verifier-a", "sim-verifier-b"), DICE.__getitem__, False),
        (("sim-all", "sim-all"), lambda _: 1, True),
        (("sim-all", "sim-all"), DICE.__getitem__, False),
    ],
    ids=["two models", "one model that repeats itself", "one model whose samples scatter: not to be seen"],
)
def test_common_errors_betray_a_model_that_repeats_itself(
    models: tuple[str, str], seeds: Callable[[str], int], suspicious: bool
) -> None:
    report = error_agreement(items(models, seeds))
    assert report.verifiers.both_wrong > 100
    assert report.suspicious is suspicious, report


def test_equivalent_answers_are_one_and_no_data_raises_no_suspicion() -> None:
    output = [
        Verdict(role=role, model=role, problem_hash="h", votes=(Vote(answer=text, agrees="no", method="test"),))
        for role, text in zip(VERIFIERS, ("1/2", "0.5"), strict=True)
    ]
    report = error_agreement([item(1)[0].with_(verdicts=tuple(output), attempts=(attempt(),))] * 50)
    assert (report.verifiers.both_wrong, report.verifiers.same) == (50, 50)
    assert [other.rate for other in report.with_solver] == [None, None]
    assert not report.suspicious
