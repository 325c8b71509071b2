"""A factory of two versions at a time, as it is while it is upgraded or rolled back."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.compatibility import names
from tests.compatibility.recordings import FOLDER, unpacked

OLD_AT_FIRST = ("planner", "screening", "verifier-a", "probe", "answer_checker", "auditor")
"""The others are new; then each is replaced by its other version: every edge of the flow joins both."""
ROWS, SEED = 20, 11


class TwoVersions(names.Line):
    """A factory whose services run in one version or the other."""

    def __init__(self, code: Path, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._code = code
        prefix = f"{self.world.factory}-"
        self._new = {process.name.removeprefix(prefix): process for process in self._services}
        self._services = [self._as(name, old=name in OLD_AT_FIRST) for name in self._new]

    def _as(self, name: str, *, old: bool) -> Any:
        process = self._new[name]
        if not old:
            return process
        argv = (sys.executable, "-P", "-m", process.module)
        env = {**process.env, "PYTHONPATH": str(self._code)}
        return replace(process, name=f"{process.name}-before", argv=argv, env=env)

    async def swap(self) -> None:
        """Start the other version of each service beside it, then stop the first."""
        first, others = self._services, [self._as(name, old=name not in OLD_AT_FIRST) for name in self._new]
        self._services = [*first, *others]
        await self._stack.start_services(others)
        await asyncio.gather(*(self._stack.scale(process.name, 0) for process in first))
        self._services = others


@pytest.fixture(scope="module")
async def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of the version before, which go before today's on PYTHONPATH."""
    folder = unpacked("code", tmp_path_factory.mktemp("before"))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-c", "import services.planner.handler as it; print(it.__file__)"),
        env={"PYTHONPATH": str(folder)},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert Path(out.decode().strip()).is_relative_to(folder)
    return folder


async def test_services_of_two_versions_work_beside_and_after_each_other(
    code: Path, stack: names.Stack, world: names.KafkaWorld
) -> None:
    plan = names.load_plan(FOLDER / "plan.factory.yaml").model_copy(update={"rows": ROWS, "name": "two-versions"})
    async with TwoVersions(code, stack, world, plan, SEED) as line:
        await line.grown(0.2)
        await line.swap()
        await line.grown()
        await line.rest()
        found = await line.remains()
    names.checks.check_everything(found, plan, SEED)
    assert names.checks.repeated_calls(found) == 0
    assert len(found.events["plan.adopted"]) == 1
