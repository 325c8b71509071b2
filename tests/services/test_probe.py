"""How hard is it for the base model?"""

from schemas.events import Event, ProblemAccepted, ProblemProbed, ProblemRejected
from schemas.item import Probe
from services.probe.handler import ProbeDifficulty
from tests.scripted import GRADER, ScriptedModel, event, item

HIT, MISS, CUT = r"\boxed{8128}", r"\boxed{6}", ScriptedModel.CUT


async def probe(*lines: str, max_base_pass: float = 0.6) -> Event:
    model = ScriptedModel("probe", "probe", *lines)
    [done] = await ProbeDifficulty(model, GRADER, len(lines), max_base_pass)(event(ProblemAccepted, item()))
    return done


async def test_hits_are_counted_and_the_item_goes_on() -> None:
    probed = await probe(HIT, MISS, CUT, "no idea")
    assert isinstance(probed, ProblemProbed)
    assert probed.item.probe == Probe(attempts=4, hits=1, ungraded=2)
    assert len(probed.item.calls) == 4


async def test_too_easy_is_measured_on_what_could_be_graded() -> None:
    rejected = await probe(HIT, HIT, MISS, CUT)
    assert isinstance(rejected, ProblemRejected)
    assert rejected.reason == "too_easy"
    assert rejected.item.probe is not None


async def test_the_limit_itself_passes_and_nothing_graded_says_nothing() -> None:
    assert isinstance(await probe(HIT, MISS, max_base_pass=0.5), ProblemProbed)
    assert isinstance(await probe(CUT, CUT, max_base_pass=0.0), ProblemProbed)


async def test_without_attempts_the_difficulty_is_unknown() -> None:
    [probed] = await ProbeDifficulty(None, GRADER, 0, 1.0)(event(ProblemAccepted, item()))
    assert isinstance(probed, ProblemProbed)
    assert probed.item.probe is None
