"""`chimera check models` against the simulator, and against a server whose models fail, each in its own way."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from typer.testing import CliRunner

from schemas.config.models_config import CHAT_ROLES, Endpoint, ModelsConfig, Price, RoleModel, Roles
from services.cli.__main__ import app
from services.cli.check.model_check import WIDTH, describe
from services.cli.check.model_probe import ProbeResult, probe_models
from services.cli.check.trials import trials
from services.simulator.api.server import serve
from services.simulator.settings import Settings

CALLS = 4
"""Most calls of a model that fails: an answer, and three attempts at a structured one."""
FREE_TEXT = ("solver", "base", "embedder")
"""Roles whose own services take free text, or vectors."""
KEY = "sk-very-secret-0123"
BOXED = "It is \\boxed{144}."
Answer = tuple[dict[str, str], str] | tuple[int, str]
"""A delta and its finish reason, or a status and its message."""


def form(body: dict[str, Any]) -> str:
    """The requested format, with the word that the prompt tells the judge to repeat."""
    word = re.search(r"Repeat the word (\w+)", body["messages"][-1]["content"])
    return fixed(body).replace("tamarack", word[1] if word else "")


def fixed(body: dict[str, Any]) -> str:
    """The requested format, as JSON; empty for none."""
    text = body["messages"][-1]["content"]
    if requested := body.get("response_format"):
        schema = requested["json_schema"]["schema"]
    elif '"properties"' in text:
        schema, _ = json.JSONDecoder().raw_decode(text, text.index("{", text.index("JSON Schema:")))
    else:
        return ""
    return json.dumps(filled(schema, schema.get("$defs", {})))


def filled(schema: dict[str, Any], parts: dict[str, Any]) -> Any:
    """A value of a JSON Schema: true, the first choice, a word."""
    schema = parts.get(schema.get("$ref", "").rpartition("/")[2], schema)
    if "enum" in schema:
        return schema["enum"][0]
    match schema["type"]:
        case "object":
            named = {"canary": "tamarack"}
            return {name: named.get(name) or filled(part, parts) for name, part in schema["properties"].items()}
        case "array":
            return [filled(schema["items"], parts)]
        case "boolean":
            return True
        case _:
            return "so it is"


def good(body: dict[str, Any]) -> Answer:
    return {"reasoning": "Let me see.", "content": form(body) or BOXED}, "stop"


def old(body: dict[str, Any]) -> Answer:
    return (400, "response_format is not known") if "response_format" in body else good(body)


MODELS: dict[str, Callable[[dict[str, Any]], Answer]] = {
    "good": good,
    "old": old,
    "inline": lambda body: ({"content": f"<think>Let me see.</think>{form(body) or BOXED}"}, "stop"),
    "thoughtless": lambda body: ({"content": form(body) or BOXED}, "stop"),
    "prose": lambda body: ({"content": "I would rather not."}, "stop"),
    "forgetful": lambda body: ({"reasoning": "Let me see.", "content": fixed(body) or BOXED}, "stop"),
    "untopical": lambda body: ({"content": "No topics." if "topics" in form(body) else form(body)}, "stop"),
    "wordy": lambda body: ({"content": "It is \\boxed{a gross}."}, "stop"),
    "cut": lambda body: ({"reasoning": "And so on"}, "length"),
    "mute": lambda body: ({"content": ""}, "stop"),
    "keyless": lambda body: (401, f"wrong key {KEY}"),
    "busy": lambda body: (503, "overloaded"),
    "picky": lambda body: (400, "temperature is deprecated"),
}


NAMES = {"good": "good", "thoughtless": "other-8b"}
"""What they call themselves, where they do."""


async def chat(request: web.Request) -> web.StreamResponse:
    body = await request.json()
    request.app[CALLED].append(body)
    request.app[IN_FLIGHT].append(request.app[IN_FLIGHT][-1] + 1)
    try:
        return await answer(request, body)
    finally:
        request.app[IN_FLIGHT].append(request.app[IN_FLIGHT][-1] - 1)


async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    if body["model"] == "silent":
        await asyncio.Event().wait()
    await asyncio.sleep(0.05)
    match MODELS[body["model"]](body):
        case (int() as status, text):
            return web.json_response({"error": {"message": text}}, status=status)
        case (delta, finish):
            choice = {"choices": [{"delta": delta, "finish_reason": finish}], "model": NAMES.get(body["model"])}
            usage = {"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 20}}
            lines = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in (choice, usage))
            return web.Response(text=lines + "data: [DONE]\n\n", content_type="text/event-stream")
    raise AssertionError


async def listed(_: web.Request) -> web.Response:
    return web.json_response({"data": [{"id": name} for name in (*MODELS, "silent")]})


CALLED = web.AppKey("called", list[dict[str, Any]])
IN_FLIGHT = web.AppKey("in_flight", list[int])


@asynccontextmanager
async def endpoint(in_flight: list[int] | None = None) -> AsyncIterator[tuple[Endpoint, list[dict[str, Any]]]]:
    """Yields the place and the calls seen; fills the numbers of calls in flight."""
    server = web.Application()
    server[CALLED], server[IN_FLIGHT] = [], [] if in_flight is None else in_flight
    server[IN_FLIGHT].append(0)
    server.router.add_post("/v1/chat/completions", chat)
    server.router.add_get("/v1/models", listed)
    # Cancelled with its connection: an answer that nobody waits for would outlive its test.
    runner = web.AppRunner(server, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield Endpoint(base_url=f"http://127.0.0.1:{runner.addresses[0][1]}/v1", key_env="A_KEY"), server[CALLED]
    finally:
        await runner.cleanup()


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", KEY)


def cast(place: Endpoint, **models: Any) -> ModelsConfig:
    """Good models, but for those named."""
    parts = {role: RoleModel(model="good") for role in CHAT_ROLES}
    changed = {role: part if isinstance(part, RoleModel) else RoleModel(model=part) for role, part in models.items()}
    return ModelsConfig(endpoints={"default": place}, roles=Roles(**{**parts, **changed}), allow_shared=True)


async def tried(place: Endpoint, role: str, model: Any) -> tuple[ProbeResult, str]:
    """A role played by a model, and all that a person reads."""
    chosen = cast(place, **{role: model})
    found = await probe_models(chosen, 30.0, lambda _: None)
    assert [one.role for one in found if one.role != role and not one.works] == []
    return next(one for one in found if one.role == role), "\n".join(line for line, _ in describe(chosen, found))


async def test_the_simulator_plays_every_role() -> None:
    async with serve(Settings(port=0)) as url:
        place = Endpoint(base_url=url, simulated=True)
        roles = {name: RoleModel(model=f"sim-{name.replace('_', '-')}") for name in Roles.model_fields}
        roles["solver"] = RoleModel(model="sim-solver", price=Price(input=1, output=2))
        found = await probe_models(
            ModelsConfig(endpoints={"default": place}, roles=Roles(**roles)), 30.0, lambda _: None
        )
    assert {one.role: (one.works, one.structured) for one in found} == {
        name: (True, None if name in FREE_TEXT and len(trials(name)) == 1 else "schema") for name in Roles.model_fields
    }
    solver = next(one for one in found if one.role == "solver")
    assert (solver.thinking, solver.finish_reason, solver.price_known) == ("reasoning", "stop", True)
    assert solver.calls == len(trials("solver"))
    assert solver.tokens
    assert solver.cost
    assert next(one for one in found if one.role == "writer").cost is None


@pytest.mark.parametrize(
    ("role", "model", "fault", "next_step"),
    [
        ("writer", "keyless", "answers 401: wrong key ***", "check the key in A_KEY"),
        ("solver", "god", "it serves good, old, ", "name a model that it serves"),
        ("judge", "prose", "no grade as JSON", "use a model that can answer in JSON"),
        ("writer", "prose", "no draft as JSON", "use a model that can answer in JSON"),
        ("verifier_a", "prose", "no final answer in a \\boxed{}", "use a model that follows instructions"),
        ("solver", "thoughtless", "no thinking came with the answer", "--reasoning-parser"),
        ("solver", RoleModel(model="cut", max_tokens=20), "cut off after 20 tokens", "raise max_tokens (20 now)"),
        (
            "verifier_b",
            RoleModel(model="cut", max_tokens=20, ceiling=90),
            "cut off after 20 tokens",
            "raise max_tokens",
        ),
        ("base", "cut", "cut off after 20 tokens", "--max-model-len"),
        ("base", "mute", "no answer: empty", "use another model"),
        ("base", "picky", "temperature is deprecated", "change the parameter that it names"),
        ("base", "prose", "no final answer in a \\boxed{}", "use a model that follows instructions"),
        ("base", "wordy", "its answer cannot be compared with the key", "use a model that follows instructions"),
        ("writer", "untopical", "no topics as JSON", "use a model that can answer in JSON"),
        ("verifier_a", "forgetful", "the verdict does not repeat", "use a model that follows instructions"),
    ],
)
async def test_each_way_to_fail_has_its_reason_and_its_cure_within_a_few_calls(
    role: str, model: str | RoleModel, fault: str, next_step: str
) -> None:
    async with endpoint() as (place, called):
        place = place.model_copy(update={"structured": "prompt"})
        one, reported = await tried(place, role, model)
    assert not one.works
    assert f"problem  {role}: " in reported
    assert fault in one.faults[0].what
    assert next_step in one.faults[0].next_step
    assert KEY not in reported
    name = model if isinstance(model, str) else model.model
    assert sum(body["model"] == name for body in called) <= CALLS


@pytest.mark.parametrize(
    ("model", "fault", "next_step"),
    [
        ("busy", "accepted no call for 2 s: endpoint default answers 503", "less busy"),
        ("silent", "no answer for 2 s", "loaded"),
    ],
)
async def test_an_endpoint_that_takes_no_call_fails_with_the_last_reason(
    model: str, fault: str, next_step: str
) -> None:
    async with endpoint() as (place, _):
        found = await probe_models(cast(place, judge=model), 2.0, lambda _: None)
    one = next(one for one in found if one.role == "judge")
    assert fault in one.faults[0].what
    assert next_step in one.faults[0].next_step


async def test_a_server_without_response_format_works_with_a_hint() -> None:
    async with endpoint() as (place, _):
        one, reported = await tried(place, "writer", "old")
        wrong, _ = await tried(place, "writer", "prose")
        spared, _ = await tried(place.model_copy(update={"structured": "prompt"}), "writer", "old")
    assert (one.works, one.structured, one.calls) == (True, "prompt", len(trials("writer")))
    assert (wrong.structured, wrong.faults[0].next_step) == ("fails", "set `structured: prompt` for the endpoint")
    assert "note     writer: lacks response_format: set `structured: prompt`" in reported
    assert (spared.works, spared.structured, spared.notes) == (True, "prompt", [])


async def test_thinking_is_found_anywhere_and_another_model_name_is_reported() -> None:
    async with endpoint() as (place, _):
        inline, _ = await tried(place, "solver", "inline")
        none, reported = await tried(place, "base", "thoughtless")
    assert (inline.works, inline.thinking) == (True, "<think>")
    assert (none.works, none.thinking, none.served) == (True, None, "other-8b")
    assert "note     base: requested thoughtless, answered by other-8b" in reported


SERVICES = ("problem_writer", "expansion", "verifier", "synthesis", "probe")
PROMPTS = [path for service in SERVICES for path in Path(f"services/{service}/prompts").glob("[!h]*.md")]
"""All but `harder`, which follows the draft's prompt when a problem was too easy."""
LINES = {max((line for line in path.read_text().splitlines() if "$" not in line), key=len) for path in PROMPTS}
"""The longest line without fields of each prompt."""


async def test_the_check_uses_the_services_prompts_and_keeps_max_concurrency() -> None:
    in_flight: list[int] = []
    async with endpoint(in_flight) as (place, called):
        results = await probe_models(cast(place.model_copy(update={"max_concurrency": 1})), 30.0, lambda _: None)
    assert [one.role for one in results if not one.works] == []
    assert max(in_flight) == 1
    messages = "\n".join(message["content"] for body in called for message in body["messages"])
    assert [line for line in LINES if line not in messages] == []


async def chimera(folder: Path, *arguments: str) -> tuple[int, str, str]:
    command = (sys.executable, "-m", "services.cli", "check", "models", *arguments)
    env = {**os.environ, "PYTHONPATH": str(Path.cwd())}  # noqa: TID251 - for a child process
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, env=env, stdout=pipe, stderr=pipe)
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_the_command_prints_a_table_or_json_and_its_status_is_the_result(tmp_path: Path) -> None:
    async with endpoint() as (place, _):
        (tmp_path / "models.yaml").write_text(cast(place, judge="keyless").model_dump_json())
        status, out, err = await chimera(tmp_path, "--models", "models.yaml")
        assert status == 1
        assert f"{len(CHAT_ROLES) - 1} of {len(CHAT_ROLES)} roles work" in out
        assert max(map(len, out.splitlines()[:7])) <= WIDTH
        assert "judge: does not work" in err
        assert KEY not in out + err
        status, out, err = await chimera(tmp_path, "--base-url", place.base_url, "--model", "good", "--json")
    document = json.loads(out)
    assert status == 0, err
    assert document["ok"]
    assert [role["works"] for role in document["roles"]] == [True] * len(CHAT_ROLES)
    further = sum(len(trials(role)) for role in CHAT_ROLES) - 8
    assert (document["tokens"], document["cost"]) == (20 * (11 + further), None)  # eight trials make eleven calls
    assert document["dependence"] == [
        "One model writes, verifies and solves: its verdicts on its own work are worth less."
    ]


def test_without_models_the_command_asks_for_them(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["check", "models", "--dir", str(tmp_path)])
    assert result.exit_code == 2
    assert "--models FILE" in result.output
