"""Endpoints that refuse, break off and go away while a factory works: it waits, and loses nothing."""

from pathlib import Path
from uuid import uuid4

from deploy.local.supervisor import Stack
from schemas.config.plan import Plan, Subject
from schemas.config.policies import Solving
from shared.config.connections import KafkaAccess
from shared.kafka.admin.topics import provision
from tests.e2e.checks import check_everything, repeated
from tests.e2e.services_as_processes import Line
from tests.support.kafka_world import KafkaWorld, until

SEED = 31
PLAN = Plan(
    name="faulty",
    rows=24,
    subjects={"mathematics": Subject(weight=2, topics=4), "physics": Subject(topics=3)},
    in_progress=12,
    solving=Solving(retries=1),
    variants=200,
)
RATES = {"429": 0.05, "503": 0.1, "reset": 0.03, "cut": 0.03, "500": 0.03}
UNRELIABLE = {"*": {"rates": RATES, "first_token_ms": 1000}}
"""Slow, too: most rows are missing when the first are there."""
AWAY = {"*": {"outage": "reset"}}


async def test_a_factory_survives_an_outage_of_its_models(stack: Stack, tmp_path: Path) -> None:
    factory = f"faulty-{uuid4().hex[:8]}"
    await provision(KafkaAccess(stack.bootstrap), factory)
    async with KafkaWorld(stack.bootstrap, stack.valkey_url, factory, tmp_path) as world:
        async with Line(stack, world, PLAN, SEED, session_s=6) as line:

            async def seen(name: str, number: int) -> bool:
                return len(await world.records(name)) >= number

            await line.inject(UNRELIABLE)
            await until(lambda: seen("sample.curated", 4), "the first rows")
            await line.inject(AWAY)
            before = len(await world.records("problem.verified"))
            await until(line.a_circuit_is_open, "an open circuit")
            assert len(await world.records("problem.verified")) <= before + 2 * PLAN.in_progress
            await line.inject(UNRELIABLE)
            await line.grown()
        found = await line.remains()
    check_everything(found, PLAN, SEED)
    again = repeated(found)
    broken = [call["request"] for call in found.calls if call["fault"]]
    assert again.total() <= len(broken), "an answer that had arrived was paid for again"
    assert set(again) <= set(broken)
