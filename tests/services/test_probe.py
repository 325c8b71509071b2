"""How hard is it for the base model?"""

import asyncio
from collections.abc import Mapping

import pytest

from schemas.config.plan import Plan, Subject
from schemas.events import Event, ProblemAccepted, ProblemProbed, ProblemRejected
from schemas.item import Probe
from services.probe.handler import ProbeDifficulty
from shared.errors import Transient
from shared.ports import Reply
from tests.support.fake_models import GRADER, ScriptedModel, event, item

HIT, MISS, CUT = r"\boxed{8128}", r"\boxed{6}", ScriptedModel.CUT


async def probe(*lines: str, max_base_pass: float = 0.6) -> Event:
    model = ScriptedModel("probe", "probe", *lines)
    [done] = await ProbeDifficulty(model, GRADER, len(lines), max_base_pass)(event(ProblemAccepted, item()))
    return done


async def test_hits_are_counted_and_the_item_continues() -> None:
    probed = await probe(HIT, MISS, CUT, "no idea")
    assert isinstance(probed, ProblemProbed)
    assert probed.item.probe == Probe(attempts=4, hits=1, ungraded=2)
    assert len(probed.item.calls) == 4


async def test_too_easy_is_measured_on_what_could_be_graded() -> None:
    rejected = await probe(HIT, HIT, MISS, CUT)
    assert isinstance(rejected, ProblemRejected)
    assert rejected.reason == "too_easy"
    assert rejected.item.probe is not None


class Together(ScriptedModel):
    """Answers when all attempts are there; every second one fails."""

    def __init__(self, attempts: int) -> None:
        super().__init__("probe", "probe", *[HIT] * attempts)
        self.barrier = asyncio.Barrier(attempts)
        self.ended = 0

    async def complete(self, fields: Mapping[str, str], *, seed: int) -> Reply:
        number = await self.barrier.wait()
        if number % 2:
            raise Transient("the endpoint is away")
        await asyncio.sleep(0)
        self.ended += 1
        return await super().complete(fields, seed=seed)


async def test_attempts_run_concurrently_and_all_end_although_others_fail() -> None:
    model = Together(4)
    with pytest.raises(Transient):
        await ProbeDifficulty(model, GRADER, 4, 1.0)(event(ProblemAccepted, item()))
    assert model.ended == 2


async def test_difficulty_is_the_share_of_graded_attempts_that_missed() -> None:
    probed = await probe(HIT, MISS, MISS, CUT, max_base_pass=1.0)
    assert isinstance(probed, ProblemProbed)
    assert probed.item.probe is not None
    assert probed.item.probe.difficulty == 2 / 3
    assert Probe(attempts=2, hits=0, ungraded=2).difficulty is None
    assert (
        Plan(name="p", rows=1, subjects={"history": Subject()}).difficulty.bin(Probe(attempts=10, hits=7).difficulty)
        == "easy"
    )


async def test_the_limit_itself_passes_and_nothing_graded_says_nothing() -> None:
    assert isinstance(await probe(HIT, MISS, max_base_pass=0.5), ProblemProbed)
    assert isinstance(await probe(CUT, CUT, max_base_pass=0.0), ProblemProbed)


async def test_without_attempts_the_difficulty_is_unknown() -> None:
    [probed] = await ProbeDifficulty(None, GRADER, 0, 1.0)(event(ProblemAccepted, item()))
    assert isinstance(probed, ProblemProbed)
    assert probed.item.probe is None
