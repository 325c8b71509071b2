"""What becomes of a solution when the solver's server fails, in each way that servers fail, over real HTTP.

A named outcome at a bounded cost, and the next call is none the worse.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import pytest

from schemas.config.models_config import Endpoint, ModelsConfig, RoleModel, Roles
from schemas.events import ProblemProbed, SolutionSynthesized
from services.simulator.api.server import serve
from services.simulator.settings import Settings
from services.synthesis.handler import SynthesizeSolution
from shared.errors import Transient
from shared.llm import Models, Prompt
from tests.support.fake_models import event, item

PROMPT = Prompt.load(Path("services/synthesis/prompts/solve.md"))
QUICK = {"first_token_s": 1.0, "idle_s": 1.0, "call_s": 3.0}


@asynccontextmanager
async def solver(
    limits: Mapping[str, float] = MappingProxyType({}), **part: Any
) -> AsyncIterator[tuple[SynthesizeSolution, httpx.AsyncClient]]:
    """A solver at the simulator, and a client to change the simulator's faults with."""
    async with serve(Settings(port=0)) as url:
        role = RoleModel(model="sim-solver", **part)
        cast = ModelsConfig(
            endpoints={"default": Endpoint(base_url=url, **limits)},
            roles=Roles(writer=role, verifier_a=role, verifier_b=role, solver=role),
        )
        models = Models(cast, "synthesis")
        async with httpx.AsyncClient(base_url=url.removesuffix("/v1"), trust_env=False) as server:
            try:
                yield SynthesizeSolution(models.model("solver", PROMPT)), server
            finally:
                await models.aclose()


async def behave(server: httpx.AsyncClient, **faults: Any) -> None:
    (await server.put("/sim/faults", json={"*": faults} if faults else {})).raise_for_status()


async def solved(solve: SynthesizeSolution) -> SolutionSynthesized:
    [made] = await solve(event(ProblemProbed, item()))
    assert isinstance(made, SolutionSynthesized)
    return made


@pytest.mark.parametrize(
    ("fault", "flaws", "calls"),
    [
        ("refusal", ("refused",), 1),
        ("content_filter", ("refused",), 1),
        ("refusal_text", (), 1),
        ("empty", ("empty",), 1),
        ("truncated", ("too_long",), 3),
        ("runaway", ("runaway",), 1),
        ("other_model", (), 1),
    ],
)
async def test_an_answer_that_is_none_is_kept_with_its_name_and_its_calls(
    fault: str, flaws: tuple[str, ...], calls: int
) -> None:
    async with solver(max_tokens=50_000, ceiling=200_000) as (solve, server):
        await behave(server, rates={fault: 1})
        made = await solved(solve)
    assert made.attempt.flaws == flaws
    assert len(made.item.lineage[-1].calls) == calls
    assert made.attempt.answer is None
    assert (made.attempt.provenance.served is not None) == (fault == "other_model")


@pytest.mark.parametrize("fault", ["500", "hang", "garbage", "error_body", "stall", "cut", "unfinished", "trickle"])
async def test_a_broken_call_is_transient_and_the_next_one_works(fault: str) -> None:
    async with solver(QUICK) as (solve, server):
        await behave(server, rates={fault: 1}, trickle_s=0.5)
        with pytest.raises(Transient, match="default"):
            await asyncio.wait_for(solved(solve), 10)
        await behave(server)
        assert (await solved(solve)).attempt.flaws == ()


@pytest.mark.parametrize(
    "faults", [{"rates": {"429": 1}}, {"rates": {"503": 1}}, {"rates": {"reset": 1}}, {"outage": "reset"}]
)
async def test_a_server_that_takes_no_calls_is_waited_for(faults: dict[str, Any]) -> None:
    async with solver() as (solve, server):
        await behave(server, **faults)
        waiting = asyncio.create_task(solved(solve))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        await behave(server)
        assert (await asyncio.wait_for(waiting, 20)).attempt.flaws == ()
