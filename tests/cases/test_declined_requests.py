"""An endpoint declines a request: what each service makes of it. None is a dead letter."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from schemas.events import ProblemAccepted, ProblemProbed, ProblemRejected, ProblemScreened, SolutionSynthesized
from services.probe.handler import ProbeDifficulty
from services.problem_writer.__main__ import build_handler as build_writer
from services.synthesis.handler import SynthesizeSolution
from services.verifier.__main__ import build_handler as build_verifier
from services.verifier.settings import Settings
from shared.llm import Models, Prompt
from tests.support.fake_models import GRADER, event, item, requested
from tests.support.fixed_endpoint import as_json, config, endpoint

REPLIES = {
    "refused": {"error": {"message": "The response was filtered due to the prompt", "code": "content_filter"}},
    "too_long": {"error": {"message": "This model's maximum context length is 1500 tokens", "code": 400}},
}


@pytest.fixture(params=list(REPLIES))
async def declined(request: pytest.FixtureRequest) -> AsyncIterator[tuple[str, Models]]:
    async with endpoint(as_json(REPLIES[request.param], "400 Bad Request")) as url:
        models = Models(config(url), "test")
        yield request.param, models
        await models.aclose()


async def test_a_writer_that_is_declined_rejects_the_problem(declined: tuple[str, Models]) -> None:
    fault, models = declined
    [rejected] = await build_writer(models)(requested())
    assert isinstance(rejected, ProblemRejected)
    assert rejected.reason == fault
    assert {call.completion_tokens for step in rejected.item.lineage for call in step.calls} == {0}


async def test_a_declined_request_is_sent_once(declined: tuple[str, Models]) -> None:
    _, models = declined
    [rejected] = await build_writer(models)(requested())
    assert isinstance(rejected, ProblemRejected)
    assert len(rejected.item.calls) == 1


async def test_a_verifier_that_is_declined_is_unable_to_judge(declined: tuple[str, Models]) -> None:
    fault, models = declined
    settings = Settings(service="verifier-a", model_role="verifier_a")
    [verified] = await build_verifier(models, settings, GRADER, 2, ["mathematics"])(event(ProblemScreened, item()))
    verdict: Any = verified.verdict  # type: ignore[attr-defined]
    assert [(vote.answer, vote.method) for vote in verdict.votes] == [(None, fault)] * 2
    assert verdict.judgement is None
    assert fault in verdict.unable


async def test_a_solver_that_is_declined_makes_an_attempt_without_answer(declined: tuple[str, Models]) -> None:
    fault, models = declined
    solver = SynthesizeSolution(models.model("solver", Prompt("solve", "$problem")))
    [made] = await solver(event(ProblemProbed, item()))
    assert isinstance(made, SolutionSynthesized)
    assert (made.attempt.answer, made.attempt.flaws) == (None, (fault,))


async def test_a_base_model_that_is_declined_measures_nothing(declined: tuple[str, Models]) -> None:
    _, models = declined
    probe = ProbeDifficulty(models.model("solver", Prompt("solve", "$problem")), GRADER, 2, 0.5)
    [probed] = await probe(event(ProblemAccepted, item()))
    assert isinstance(probed, ProblemProbed)
    assert probed.item.probe is not None
    assert (probed.item.probe.attempts, probed.item.probe.ungraded) == (2, 2)
