"""What n-grams cannot tell: twins in quite other words by an embedder, questions of a benchmark by a judge."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

from schemas.config.models_config import CHAT_ROLES, Endpoint, ModelsConfig, RoleModel, Roles
from schemas.config.policies import Benchmark
from schemas.events import ProblemDrafted, ProblemRejected, ProblemScreened
from schemas.item import Problem
from services.screening.benchmark_judge import BenchmarkJudge
from services.screening.fingerprint import fingerprint
from services.screening.handler import ScreenProblem
from services.screening.semantic_check import SemanticCheck
from services.simulator.api.server import serve
from services.simulator.settings import Settings
from shared.cache.near_duplicates import ValkeyNearDuplicateIndex
from shared.config.connections import ValkeyAccess
from shared.llm import Models, Prompt
from shared.text.contamination import Benchmarks
from tests.integration.valkey.test_near_duplicates import index, reported
from tests.support.duplicates import problem
from tests.support.fake_models import event, item
from tests.support.kafka_world import KafkaWorld

ONE = "Of a regular polytope with 24 cells in four dimensions, find how many symmetries fix one of its 96 edges."
SAME = "One of the 96 edges is fixed: of a regular polytope in four dimensions with 24 cells, how many symmetries?"
OTHER = "A committee of 24 people meets 96 times a year. Compute the least number of chairs that its room must have."
OTHER_KEY = "Of the 96 edges one is fixed: how many symmetries of a regular polytope with 24 cells in four dimensions?"
CUBE = "How many colourings of a cube with 3 colours differ by a turn?"
JUDGE = Prompt.load(Path("services/screening/prompts/same_problem.md"))


@asynccontextmanager
async def models() -> AsyncIterator[Models]:
    async with serve(Settings(port=0)) as url:
        roles = Roles(**dict.fromkeys(CHAT_ROLES, RoleModel(model="sim-all")), embedder=RoleModel(model="sim-embedder"))
        cast = ModelsConfig(endpoints={"default": Endpoint(base_url=url)}, roles=roles, allow_shared=True)
        made = Models(cast, "screening")
        try:
            yield made
        finally:
            await made.aclose()


def screening(twins: ValkeyNearDuplicateIndex, made: Models) -> ScreenProblem:
    embedder = made.embedder()
    assert embedder
    return ScreenProblem(twins, Benchmarks({}), None, SemanticCheck(embedder, twins))


def drafted(one: Problem, number: int) -> ProblemDrafted:
    made = event(ProblemDrafted, item(one, number))
    assert isinstance(made, ProblemDrafted)
    return made


async def test_a_paraphrase_is_refused_and_numeric_variants_need_no_judge(
    world: KafkaWorld,
) -> None:
    first, twin, other, key = (
        drafted(problem(text, key), number)
        for number, (text, key) in enumerate([(ONE, "1152"), (SAME, "1152"), (OTHER, "1152"), (OTHER_KEY, "7")])
    )
    async with index(world) as twins, models() as made:
        screen = screening(twins, made)
        [passed], [refused], [unlike], [unasked] = [await screen(one) for one in (first, twin, other, key)]
        [again] = await screen(twin)
    assert isinstance(refused, ProblemRejected)
    assert (refused.reason, str(first.item.id) in refused.detail) == ("same_meaning", True)
    assert isinstance(unlike, ProblemScreened)
    assert isinstance(unasked, ProblemScreened)
    assert isinstance(passed, ProblemScreened)
    calls = [len(one.item.lineage[-1].calls) for one in (passed, refused, unlike, unasked)]
    assert calls == [0, 1, 1, 0]
    assert isinstance(again, ProblemRejected)
    assert again.reason == "same_meaning"


async def test_what_the_log_brings_back_is_compared_as_well(world: KafkaWorld) -> None:
    id_ = uuid4()
    twins = ValkeyNearDuplicateIndex(ValkeyAccess(world.valkey), world.factory, "worded", 3, decided_days=1, lease_s=3)
    try:
        assert await twins.rebuild(reported([(fingerprint(problem(ONE, "1152"), with_text=True), id_)])) == 1
        async with models() as made:
            [refused] = await screening(twins, made)(drafted(problem(SAME, "1152"), 1))
    finally:
        await twins.close()
    assert isinstance(refused, ProblemRejected)
    assert str(id_) in refused.detail


async def test_the_judge_compares_the_closest_question_when_n_grams_cannot(world: KafkaWorld, tmp_path: Path) -> None:
    file = tmp_path / "exam.jsonl"
    file.write_text("".join(json.dumps({"question": text}) + "\n" for text in (OTHER, ONE)))
    benchmarks = Benchmarks.load({"exam": Benchmark(path=file, judge_from=0.1)})
    assert benchmarks.find_match(SAME) is None
    async with index(world) as twins, models() as made:
        screen = ScreenProblem(twins, benchmarks, BenchmarkJudge(made.model("judge", JUDGE), benchmarks))
        [known] = await screen(drafted(problem(SAME, "1152"), 0))
        [own] = await screen(drafted(problem(CUBE, "57"), 1))
    assert isinstance(known, ProblemRejected)
    assert known.reason == "contaminated"
    assert "item 2 of exam" in known.detail
    assert isinstance(own, ProblemScreened)
    assert own.item.lineage[-1].calls == ()
