"""Grades answers over HTTP, so that any trainer gets the rewards that the factory's own would give.

POST /grade   {"key": …, "answer": … | "completion": …, "answer_type": "", "problem": ""}   → a grade
              {"items": [those, …]}                                                         → {"grades": [grades]}
GET /livez    200

A grade is {"agrees": "yes" | "no" | "unsure", "how": method, "why": reason, "answer": what was compared}. What the
caller did wrong is a 400 with the place, too large a body 413, a judge that cannot be reached 503.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Self

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.grader.settings import Settings
from shared.answers.extract import completed_answer
from shared.answers.grade import standard
from shared.answers.judge import open_judge
from shared.answers.symbolic import SymbolicWorker
from shared.errors import Transient
from shared.llm import Models, load_models_config
from shared.ports import Grader

BODY = 32 * 1024**2
"""Bytes of a request."""


class Item(BaseModel):
    """One answer to grade."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(min_length=1)
    answer: str | None = None
    completion: str | None = None
    """All that a model wrote, its thinking closed by `</think>`: what counts is the last box after it."""
    thinking: bool = True
    """False for a completion of a model that does not think: its last box counts, wherever it stands."""
    answer_type: str = ""
    problem: str = ""
    """A judge decides only when it is given."""

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.answer is None) == (self.completion is None):
            raise ValueError("give either answer or completion")
        return self

    @property
    def given(self) -> str | None:
        """What is compared; None where a completion ends without an answer."""
        if self.completion is None:
            return self.answer
        return completed_answer(self.completion, self.thinking)


class Batch(BaseModel):
    """Several items in one request."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    items: Annotated[list[Item], Field(min_length=1, max_length=4096)]


@dataclass(frozen=True, slots=True)
class Grading:
    """The handlers."""

    grader: Grader
    judge_s: float

    async def grade(self, request: web.Request) -> web.Response:
        """Grade one, or many."""
        try:
            body = await request.json()
            form = Batch if isinstance(body, dict) and "items" in body else Item
            request_body = form.model_validate(body)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            location = ".".join(map(str, first["loc"])) or "body"
            return _refused(400, f"{location}: {first['msg'].removeprefix('Value error, ')}")
        except ValueError:
            return _refused(400, "body: not JSON")
        try:
            async with asyncio.timeout(self.judge_s):
                if isinstance(request_body, Item):
                    return web.json_response(await self._graded(request_body))
                grades = await asyncio.gather(*map(self._graded, request_body.items))
                return web.json_response({"grades": grades})
        except (TimeoutError, Transient) as error:
            return _refused(503, f"the judge cannot be reached: {error or 'no answer in time'}")

    async def _graded(self, item: Item) -> dict[str, Any]:
        if (given := item.given) is None:
            return {"agrees": "no", "how": "no_answer", "why": "no box after the thinking", "answer": None}
        found = await self.grader.compare(item.key, given, item.answer_type, item.problem)
        return {"agrees": found.agrees, "how": found.method, "why": found.reason, "answer": given}


def _refused(status: int, message: str) -> web.Response:
    return web.json_response({"error": message}, status=status, headers={"Retry-After": "5"} if status == 503 else None)


async def _alive(_: web.Request) -> web.Response:
    return web.Response(text="alive\n")


@asynccontextmanager
async def serve(settings: Settings) -> AsyncIterator[str]:
    """Listen, and yield the address; stop at the end of the block. Raises Refusal for a models file that is wrong."""
    models = Models(load_models_config(settings.models), "grader") if settings.models else None
    worker = SymbolicWorker()
    grading = Grading(standard(worker, open_judge(models, "grader") if models else None), settings.judge_s)
    app = web.Application(client_max_size=BODY)
    app.add_routes([web.post("/grade", grading.grade), web.get("/livez", _alive)])
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=5.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()
        await worker.aclose()
        if models:
            await models.aclose()
