"""Services of two versions in one factory, as during an upgrade and a rollback."""

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.compatibility import names
from tests.compatibility.recordings import FOLDER, unpack

PREVIOUS_AT_START = ("planner", "screening", "verifier-a", "probe", "answer_checker", "auditor")
"""The other services start in today's version. Later each is replaced by its other version."""
ONLY_TODAY = ("adjudicator",)
"""Services that the previous version does not have."""
ROWS, SEED = 12, 11
SLOW: dict[str, object] = {"at_once": 1, "busy": "queue", "first_token_ms": 1500}
"""One call at a time: most rows are missing when the first are there."""
SLOWEST: dict[str, object] = {**SLOW, "first_token_ms": 5000}
"""No run ends under it."""


class TwoVersions(names.Line):
    """A factory in which each service runs in one of two versions."""

    def __init__(self, code: Path, stack: names.Stack, world: names.KafkaWorld, plan: names.Plan) -> None:
        super().__init__(stack, world, plan, SEED, {"faults": {"sim-verifier-b": SLOW}})
        self._code = code
        prefix = f"{world.factory}-"
        self._today = {process.name.removeprefix(prefix): process for process in self._services}
        self._services = [self._spec(name, previous=name in PREVIOUS_AT_START) for name in self._today]

    def _spec(self, name: str, *, previous: bool) -> names.ProcessSpec:
        process = self._today[name]
        if not previous:
            return process
        argv = (sys.executable, "-P", "-m", process.module)
        env = {**process.env, "PYTHONPATH": str(self._code), "CHIMERA_MODELS": str(self._models_before())}
        return replace(process, name=f"{process.name}-previous", argv=argv, env=env)

    def _models_before(self) -> Path:
        """Write the models file without roles that the previous version does not have."""
        models = json.loads(self._cast.model_dump_json())
        models["roles"] = {role: value for role, value in models["roles"].items() if role not in ONLY_TODAY}
        path = self.world.folder / "models-before.json"
        path.write_text(json.dumps(models))
        return path

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
    async with TwoVersions(code, stack, world, plan) as factory:
        await factory.grown(0.2)
        await factory.swap_versions()
        await factory.grown()
        await factory.rest()
        remains = await factory.remains()
    names.checks.check_everything(remains, plan, SEED)
    assert names.checks.repeated_calls(remains) == 0
    assert len(remains.events["plan.adopted"]) == 1
