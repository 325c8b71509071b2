"""Model servers of other projects, run as processes, and what the services make of their answers."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from deploy.local.ports import Ports
from schemas.config.models_config import Endpoint, ModelsConfig, RoleModel
from schemas.events import ProblemProbed, ProblemScreened
from schemas.item import Attempt, Verdict
from services.problem_writer.__main__ import build_handler as build_writer
from services.synthesis.__main__ import build_handler as build_solver
from services.verifier.__main__ import build_handler as build_verifier
from services.verifier.settings import Settings
from shared.llm import Models
from tests.support.fake_models import GRADER, event, item, requested

START_S = 120.0


@asynccontextmanager
async def server(
    *command: str | Path, log: Path, folder: Path | None = None, env: dict[str, str] | None = None
) -> AsyncIterator[str]:
    """Start a server with `--port`, wait until it is ready, and stop it at the end. Yield its address."""
    port = Ports({}).take("server")
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *map(str, command),
            *("--port", str(port)),
            stdout=output,
            stderr=output,
            cwd=folder,
            env={**os.environ, **(env or {})},  # noqa: TID251 - of another project's process
        )
    try:
        async with asyncio.timeout(START_S):
            await _ready(process, port, log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _ready(process: asyncio.subprocess.Process, port: int, log: Path) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        while process.returncode is None:
            with suppress(httpx.TransportError):
                if (await client.get(f"http://127.0.0.1:{port}/health")).status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    return
            await asyncio.sleep(0.2)
    raise AssertionError(f"the server ended; its output is in {log}")


def config(url: str, model: str, **role: Any) -> ModelsConfig:
    """One model in every chat role."""
    one = ModelsConfig.one(Endpoint(base_url=url), model)
    roles = {name: RoleModel(model=model, **role) for name in one.assigned()}
    return one.model_copy(update={"roles": one.roles.model_copy(update=roles)})


async def outcomes(config: ModelsConfig, requests: int) -> Counter[str]:
    """Handle requests with writer, verifier and solver in turn. Return how often each outcome came."""
    models = Models(config, "test")
    settings = Settings(service="verifier-a", model_role="verifier_a")
    writer, solver = build_writer(models), build_solver(models)
    verifier = build_verifier(models, settings, GRADER, 1, ["mathematics"])
    found = Counter[str]()
    try:
        for number in range(requests):
            match number % 3:
                case 0:
                    [written] = await writer(requested(number))
                    found[f"writer: {getattr(written, 'reason', written.type)}"] += 1
                case 1:
                    [verified] = await verifier(event(ProblemScreened, item(index=number)))
                    verdict: Verdict = verified.verdict  # type: ignore[attr-defined]
                    found[f"verifier: {'unable' if verdict.unable else 'verdict'}"] += 1
                case _:
                    [solved] = await solver(event(ProblemProbed, item(index=number)))
                    attempt: Attempt = solved.attempt  # type: ignore[attr-defined]
                    found[f"solver: {', '.join(attempt.flaws) or 'attempt'}"] += 1
    finally:
        await models.aclose()
    return found
