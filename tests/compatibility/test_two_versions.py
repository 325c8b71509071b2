"""Services of two versions in one factory, as during an upgrade and a rollback."""

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.compatibility import names
from tests.compatibility.recordings import FOLDER, unpack

PREVIOUS_AT_START = ("planner", "screening", "verifier-a", "probe", "answer_checker", "auditor")
"""The other services start in today's version. Later each is replaced by its other version."""
ONLY_TODAY = ("adjudicator",)
"""Services that the previous version does not have."""
ONLY_TODAY_VERIFICATION = ("target_wrong", "max_votes", "adjudications")
"""Keys of the plan's section that it does not have."""
ROWS, SEED = 12, 11
SLOW: dict[str, object] = {"at_once": 1, "busy": "queue", "first_token_ms": 1500}
"""One call at a time: most rows are missing when the first are there."""
SLOWEST: dict[str, object] = {**SLOW, "first_token_ms": 5000}
"""No run ends under it."""


class TwoVersions(names.Line):
    """A factory in which each service runs in one of two versions."""

    def __init__(
        self, code: Path, stack: names.Stack, world: names.KafkaWorld, plan: names.Plan, seed: int, **settings: Any
    ) -> None:
        """`settings` are those of the line."""
        super().__init__(stack, world, plan, seed, **settings)
        self._code = code
        prefix = f"{world.factory}-"
        self._today = {process.name.removeprefix(prefix): process for process in self._services}
        self._services = [self._spec(name, previous=name in PREVIOUS_AT_START) for name in self._today]

    def _spec(self, name: str, *, previous: bool) -> names.ProcessSpec:
        process = self._today[name]
        if not previous:
            return process
        argv = (sys.executable, "-P", "-m", process.module)
        files = {"CHIMERA_MODELS": str(self._models_before()), "CHIMERA_PLAN": str(self._plan_before())}
        env = {**process.env, "PYTHONPATH": str(self._code), **files}
        return replace(process, name=f"{process.name}-previous", argv=argv, env=env)

    def _models_before(self) -> Path:
        """Write the models file without roles that the previous version does not have."""
        models = json.loads(self._cast.model_dump_json())
        models["roles"] = {role: value for role, value in models["roles"].items() if role not in ONLY_TODAY}
        path = self.world.folder / "models-before.json"
        path.write_text(json.dumps(models))
        return path

    def _plan_before(self) -> Path:
        """Write the plan without keys that the previous version does not have."""
        plan = json.loads(self._plan.model_dump_json())
        plan["verification"] = {k: v for k, v in plan["verification"].items() if k not in ONLY_TODAY_VERIFICATION}
        path = self.world.folder / "plan-before.json"  # YAML too
        path.write_text(json.dumps(plan))
        return path

    def start_none(self) -> None:
        """Enter without services."""
        self._services = []

    async def start(self, *services: str, previous: bool) -> None:
        """Start a version of some services."""
        specs = [self._spec(name, previous=previous) for name in services]
        self._services += specs
        await self._stack.start_services(specs)

    async def stop(self, *services: str) -> None:
        """Stop whatever version of some services runs."""
        gone = [process for process in self._services if process.module.removeprefix("services.") in services]
        await asyncio.gather(*(self._stack.scale(process.name, 0) for process in gone))
        self._services = [process for process in self._services if process not in gone]

    async def swap_versions(self) -> None:
        """Start the other version of each service, then stop the first one, while work is in progress."""
        first = self._services
        stay = [process for process in first if process.module.removeprefix("services.") in ONLY_TODAY]
        swapped = [name for name in self._today if name not in ONLY_TODAY]
        second = [self._spec(name, previous=name not in PREVIOUS_AT_START) for name in swapped]
        self._services = [*first, *second]
        await self.inject({"sim-verifier-b": SLOWEST})
        await self._stack.start_services(second)
        assert await self.lacking(), "the run ended before the versions were swapped"
        await self.inject({})
        await asyncio.gather(*(self._stack.scale(process.name, 0) for process in first if process not in stay))
        self._services = [*stay, *second]


@pytest.fixture(scope="module")
async def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of the previous version. On PYTHONPATH they shadow today's."""
    folder = unpack("code", tmp_path_factory.mktemp("previous"))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-c", "import services.planner.handler as module; print(module.__file__)"),
        env={"PYTHONPATH": str(folder)},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert Path(out.decode().strip()).is_relative_to(folder)
    return folder


async def test_services_of_two_versions_work_together_and_after_each_other(
    code: Path, stack: names.Stack, world: names.KafkaWorld
) -> None:
    plan = names.load_plan(FOLDER / "plan.factory.yaml").model_copy(update={"rows": ROWS, "name": "two-versions"})
    slow = {"faults": {"sim-verifier-b": SLOW}}
    async with TwoVersions(code, stack, world, plan, SEED, simulated=slow) as factory:
        await factory.grown(0.2)
        await factory.swap_versions()
        await factory.grown()
        await factory.rest()
        remains = await factory.remains()
    names.checks.check_everything(remains, plan, SEED)
    assert names.checks.repeated_calls(remains) == 0
    assert len(remains.events["plan.adopted"]) == 1


async def test_an_upgrade_brings_problems_under_way_into_the_second_round(
    code: Path, stack: names.Stack, world: names.KafkaWorld
) -> None:
    kit = names.second_round
    factory = TwoVersions(code, stack, world, kit.PLAN, kit.SEED, simulated=kit.WEAK, without=kit.OTHERS)
    factory.start_none()

    async def verified(number: int) -> bool:
        done = sum((await world.committed("panel", "problem.verified")).values())
        return done == number == await kit.count(world, "problem.verified")

    async def adjudicated() -> bool:
        given = {event.cause.parent for event in await world.events("evidence.given")}
        open_ = [event.role for event in await world.events("evidence.requested") if event.id not in given]
        return bool(given) and bool(open_) and set(open_) <= set(names.flow.VERIFIERS)

    async with factory:
        await factory.inject({})
        await factory.start("panel", "verifier-a", previous=True)
        await world.publish(kit.screened(world))
        await names.until(lambda: verified(kit.PROBLEMS), "a first verdict on each problem", within_s=120)
        await factory.stop("panel")
        await factory.start("panel", "adjudicator", previous=False)
        await factory.start("verifier-b", previous=True)
        await names.until(lambda: verified(2 * kit.PROBLEMS), "the other verdict on each problem", within_s=120)
        await names.until(adjudicated, "requests that wait for newer verifiers", within_s=120)
        await factory.stop("verifier")
        await factory.start("verifier-a", "verifier-b", previous=False)
        await names.until(lambda: kit.all_decided(world), "a decision on every problem", within_s=120)
    await kit.check_each_was_decided_once(world)
