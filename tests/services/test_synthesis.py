"""One event, one attempt."""

from schemas.events import ProblemProbed, SolutionRequested, SolutionSynthesized
from services.synthesis.handler import SynthesizeSolution
from tests.support.fake_models import PROBLEM, ScriptedModel, event, item


def solver(line: str) -> ScriptedModel:
    return ScriptedModel("synthesis", "solve", line)


async def test_thinking_and_solution_are_kept_apart() -> None:
    model = solver(r"First \boxed{1}, no: \boxed{8128}")
    [made] = await SynthesizeSolution(model)(event(ProblemProbed, item()))
    assert isinstance(made, SolutionSynthesized)
    assert (made.attempt.index, made.attempt.answer, made.attempt.reasoning) == (0, "8128", "I think.")
    assert made.attempt.agrees is None
    assert made.item.attempts == ()
    assert model.asked[0].startswith(f"{PROBLEM.statement}\n")


async def test_a_cut_attempt_is_kept_and_never_has_an_answer() -> None:
    [made] = await SynthesizeSolution(solver(ScriptedModel.CUT + r"It is \boxed{8128}"))(event(ProblemProbed, item()))
    assert isinstance(made, SolutionSynthesized)
    assert made.attempt.solution
    assert (made.attempt.answer, made.attempt.flaws) == (None, ("too_long",))


async def test_a_further_attempt_has_the_next_index_and_other_dice() -> None:
    first, second = solver(r"\boxed{1}"), solver(r"\boxed{1}")
    [made] = await SynthesizeSolution(first)(event(ProblemProbed, item()))
    assert isinstance(made, SolutionSynthesized)
    more = event(SolutionRequested, item().with_(attempts=(made.attempt,)))
    [again] = await SynthesizeSolution(second)(more)
    assert isinstance(again, SolutionSynthesized)
    assert again.attempt.index == 1
    assert first.seeds != second.seeds
