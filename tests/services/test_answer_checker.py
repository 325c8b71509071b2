"""Does it land on the key, is the trace sound, and is more wanted?"""

import pytest

from schemas.events import Event, SolutionChecked, SolutionRequested, SolutionSynthesized
from schemas.item import Attempt
from services.answer_checker.handler import CheckAnswer
from services.answer_checker.trace import repeats
from shared.answers.grade import Graders
from shared.answers.judge import Judge
from tests.scripted import GRADER, PROBLEM, ScriptedModel, event, item, provenance


def attempt(answer: str | None, *flaws: str, index: int = 0, reasoning: str = "I think.") -> Attempt:
    return Attempt(
        index=index, reasoning=reasoning, solution="So.", answer=answer, flaws=flaws, provenance=provenance()
    )


async def check(new: Attempt, *earlier: Attempt, traces: int = 1, retries: int = 1) -> list[Event]:
    said = event(SolutionSynthesized, item().with_(attempts=earlier), attempt=new)
    return list(await CheckAnswer(GRADER, traces, retries)(said))


@pytest.mark.parametrize(
    ("new", "agrees", "method", "flaws"),
    [
        (attempt("8,128"), "yes", "numeric", ()),
        (attempt("8129"), "no", "numeric", ()),
        (attempt("about eight thousand"), "unsure", "none", ()),
        (attempt(None), "unsure", "no_answer", ("no_answer",)),
        (attempt("8128", "too_long"), "unsure", "too_long", ("too_long",)),
        (attempt("8128", reasoning=""), "yes", "normal_form", ("no_thinking",)),
        (attempt("8128", reasoning="and so we go round again " * 100), "yes", "normal_form", ("repetition",)),
    ],
)
async def test_outcomes(new: Attempt, agrees: str, method: str, flaws: tuple[str, ...]) -> None:
    [checked, *_] = await check(new)
    assert isinstance(checked, SolutionChecked)
    last = checked.item.attempts[-1]
    assert (last.agrees, last.method, last.flaws) == (agrees, method, flaws)


@pytest.mark.parametrize(
    ("answers", "traces", "retries", "more"),
    [
        (["8128"], 1, 3, False),
        (["6"], 1, 0, False),
        (["6"], 1, 1, True),
        (["6", "6"], 1, 1, False),
        (["8128"], 2, 0, True),
        (["8128", "6"], 2, 1, False),
    ],
)
async def test_asks_for_more_while_it_is_worth_it(answers: list[str], traces: int, retries: int, more: bool) -> None:
    *earlier, last = [attempt(answer, index=index) for index, answer in enumerate(answers)]
    done = tuple(one.with_(agrees="yes" if one.answer == "8128" else "no") for one in earlier)
    checked, *requests = await check(last, *done, traces=traces, retries=retries)
    assert isinstance(checked, SolutionChecked)
    assert checked.final is not more
    assert [type(request) for request in requests] == [SolutionRequested] * more
    for request in requests:
        assert isinstance(request, SolutionRequested)
        assert request.item.attempts == checked.item.attempts
        assert [step.type for step in request.item.lineage][-2:] == ["solution.checked", "solution.requested"]


def test_a_long_text_of_its_own_words_is_no_loop() -> None:
    text = " ".join(f"step {n} uses lemma {n * 7 % 101} of the paper" for n in range(1000))
    assert repeats(text) == 0
    assert repeats(f"{text} {'wait, let me redo this ' * 1000}") > 0.3


async def test_what_a_judge_was_paid_for_stands_in_the_lineage() -> None:
    judge = ScriptedModel(
        "../shared/answers", "same_answer", '{"agrees": "yes", "reason": "Two to the 13th, less 64."}'
    )
    said = event(SolutionSynthesized, item(), attempt=attempt("about eight thousand"))
    [checked] = await CheckAnswer(Graders(GRADER.rules, Judge(judge, "answer_checker")), traces=1, retries=1)(said)
    assert isinstance(checked, SolutionChecked)
    assert (checked.item.attempts[-1].agrees, checked.item.attempts[-1].method) == ("yes", "judge")
    assert [call.seed for call in checked.item.lineage[-1].calls] == judge.seeds
    assert PROBLEM.rationale not in judge.asked[0]
