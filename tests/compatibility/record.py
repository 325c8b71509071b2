"""Records what the version before left behind, with its own code: `recorded/` beside this file.

    git worktree add /tmp/before 863caff
    PYTHONPATH=/tmp/before .venv/bin/python -P tests/compatibility/record.py /tmp/before [part ...]
    PYTHONPATH=/tmp/before .venv/trainer/bin/python -P tests/compatibility/record_trainer.py

The imports below are those of that commit and stay so. The plans and the models file in `recorded/` are written by
hand. What is made here:

code.tar.xz       services, shared and schemas of that commit, for a factory of two versions
factory.tar.xz    a folder of `chimera run` that was killed, and the simulator's log of answered calls: verdicts wait at
                  the panel, calls are answered whose events are not finished. Nothing of it expires.
factory.json      what a reader of the log found in it just before: snapshots, waiting verdicts, calls, commit notes
events.json       one record of each event type with every field set, and a dead letter
state.json        the panel's cases and the planner's state with every field set
valkey.json       keys and values after fixed steps, as text to compare and as Valkey's own dump to load
files.json        the plans and the models file as that code understood them
surface.json      names that users and other programs hold: variables, options, metrics, Kafka topics, columns
"""

import asyncio
import base64
import contextlib
import importlib
import json
import os
import pkgutil
import re
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

import httpx
import typer
import yaml
from deltalake import DeltaTable
from deploy.local.record import Record
from deploy.local.supervisor import Stack
from prometheus_client import REGISTRY
from pydantic import BaseModel
from pydantic_settings import BaseSettings
from redis.asyncio import Redis
import services
import shared.metrics  # noqa: F401 - registers them
from schemas import flow
from schemas.audit import Mark
from schemas.events import Event
from schemas.identity import content_hash
from schemas.item import Problem
from schemas.plan import Plan
from services.aggregator import outbox
from services.aggregator.state import State as AggregatorState
from services.cli.__main__ import app
from services.panel.handler import Case
from services.planner.state import State as PlannerState
from services.screening.sketch import FEATURES, sketch
from shared.access import ValkeyAccess
from shared.cache.budget import Amount, Treasury
from shared.cache.client import connect
from shared.cache.outcomes import Outcomes
from shared.cache.twins import ValkeyTwins
from shared.dataset import Entry, Row, Table
from shared.dataset.releases import Release
from shared.kafka.admin import wanted
from shared.kafka.codec import Message, encode
from shared.kafka.dead import Failure, Origin, dead_letter
from shared.llm import load_cast
from shared.plan import load_plan
from tests.e2e.factory import RATES
from tests.world import World

OUT = Path(__file__).parent / "recorded"
FACTORY, SEED = "chimera", 7
FOREVER_DAYS = 36500
"""So long Valkey keeps what it is given: the recording must not run out."""
MODELS = ("sim-writer", "sim-verifier-a", "sim-verifier-b", "sim-solver", "sim-judge", "sim-base")
MADE_ANEW = ("logs", "cli.log", "control.sock", "lock", "stack.json.new")
"""What a start makes again, and what tells of this machine."""


def main(checkout: Path, parts: Sequence[str]) -> None:
    """Record everything, or the parts that are named."""

    def isolated(work: Callable[[Path], None]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            work(Path(folder))

    every: dict[str, Callable[[], None]] = {
        "code": lambda: code(checkout),
        "files": files,
        "events": events,
        "state": state,
        "surface": surface,
        "valkey": lambda: isolated(lambda folder: asyncio.run(valkey(folder / "stack"))),
        "factory": lambda: isolated(factory),
    }
    for part in parts or every:
        every[part]()


def write(name: str, content: object) -> None:
    (OUT / name).write_text(json.dumps(content, indent=1, ensure_ascii=False, default=_text) + "\n")


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def packed(name: str, paths: Sequence[tuple[Path, str]], chosen: Any = lambda info: info) -> None:
    """Pack files and folders under the names given."""

    def nobodys(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
        info.uid = info.gid = 0
        info.uname = info.gname = ""
        return chosen(info)

    with tarfile.open(OUT / name, "w:xz", preset=9) as archive:
        for path, as_ in paths:
            archive.add(path, as_, filter=nobodys)


def code(checkout: Path) -> None:
    """The packages that a service needs."""

    def chosen(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
        left_out = ("services/simulator", "services/cli", "schemas/generated", "schemas/released")
        skip = info.name.startswith(left_out) or "__pycache__" in info.name or info.name.endswith("README.md")
        return None if skip else info

    packed("code.tar.xz", [(checkout / name, name) for name in ("services", "shared", "schemas")], chosen)


def files() -> None:
    """What the plans and the models file mean."""
    cast = load_cast(OUT / "models.yaml")
    plans = {path.name: load_plan(path) for path in sorted(OUT.glob("plan*.yaml"))}
    said = {
        name: {
            "plan": json.loads(plan.model_dump_json()),
            "quotas": None if plan.endless else plan.quotas(),
            "limits": None if plan.endless else plan.limits(),
            "mix": plan.mix,
            "budget": {model: limit.model_dump() for model, limit in plan.budget.limits().items()},
        }
        for name, plan in plans.items()
    }
    hashes = {name: plan.hash for name, plan in plans.items() if not plan.benchmarks}
    folder = str(OUT)
    models = json.loads(cast.model_dump_json().replace(folder, "FOLDER"))
    write(
        "files.json",
        {"models": models, "plans": json.loads(json.dumps(said).replace(folder, "FOLDER")), "hashes": hashes},
    )


# --- every field set ---------------------------------------------------------------------------------------------------


def filled(kind: Any) -> Any:
    """A value of a type in which nothing has its default, as plain JSON."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return filled(args[0])
    if origin in (Union, UnionType):
        return filled(next(one for one in args if one is not NoneType))
    if origin is Literal:
        return args[-1]
    if origin is tuple and args[-1] is not ...:
        return [filled(one) for one in args]
    if origin in (tuple, frozenset, list):
        return [filled(args[0])]
    if origin is dict:
        return {str(filled(args[0])): filled(args[1])}
    if kind is Plan:
        return Plan.model_validate(yaml.safe_load((OUT / "plan.yaml").read_text())).model_dump(mode="json")
    if isinstance(kind, type) and issubclass(kind, Event):
        return event(kind).model_dump(mode="json")
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {name: filled(field.annotation) for name, field in kind.model_fields.items()}
    return {str: "words", int: 3, float: 0.25, bool: True, UUID: str(UUID(int=7)), Any: "anything"}[kind]


def event(kind: type[Event]) -> Event:
    """An event with every field set, whose id follows from its cause."""
    fields = {
        name: filled(field.annotation) for name, field in kind.model_fields.items() if name not in ("id", "cause")
    }
    cause = {"parent": str(UUID(int=1)), "parent_hash": "ab" * 32, "role": "planner", "index": 2}
    made = kind.model_validate({"id": str(UUID(int=0)), "cause": cause, **fields})
    return kind.model_validate({**made.model_dump(mode="json"), "id": str(kind.derive_id(made.cause))})


def record(message: Message) -> dict[str, Any]:
    return {"topic": message.name, "key": message.key, "value": message.value, "headers": message.headers}


def events() -> None:
    """One record a type, one with an audit's mark, a dead letter."""
    mark = Mark.model_validate(filled(Mark))
    made = [encode(event(one.event), f"{FACTORY}/planner") for one in flow.FLOW]
    screened = next(one.event for one in flow.FLOW if one.name == "problem.screened")
    marked = encode(event(screened), f"{FACTORY}/auditor", mark)
    origin = Origin(5, 17, marked.key, marked.value, marked.headers)
    unmarked = next(one for one in made if one.name == "problem.screened")
    letter = dead_letter(
        "problem.screened",
        Origin(5, 17, unmarked.key, unmarked.value, unmarked.headers),
        Failure(FACTORY, "verifier-a", ValueError("broken"), 5),
    )
    of_audit = dead_letter("problem.screened", origin, Failure(FACTORY, "verifier-a", ValueError("broken"), 5))
    write(
        "events.json",
        {
            "events": [record(one) for one in made],
            "marked": record(marked),
            "dead_letter": [record(one) for one in letter],
            "dead_letter_of_an_audit": [record(one) for one in of_audit],
        },
    )


def state() -> None:
    """States with every field set, as they are written."""
    case = Case.model_validate(filled(Case))
    planner = PlannerState.model_validate(filled(PlannerState))
    said = [event(one.event) for one in flow.FLOW if one.name in ("sample.curated", "dataset.released")]
    release = Release(number=2, plan="recorded", plan_hash="ab" * 32, rows=4, table_version=7, ledger_version=3)
    write(
        "state.json",
        {
            "panel-cases-changelog": case.model_dump_json(),
            "planner-state": planner.model_dump_json(),
            "commit_note": outbox.note(said, release),
            "aggregator-published": outbox.mark("table", 7),
        },
    )


def surface() -> None:
    """Names that must stay."""
    write(
        "surface.json",
        {
            "variables": sorted(variables()),
            "options": sorted(options(typer.main.get_command(app), "chimera")),
            "metrics": sorted({one.name for one in REGISTRY.collect() if one.name.startswith("chimera_")}),
            "kafka_topics": {name: one.num_partitions for name, one in wanted(FACTORY, 1).items()},
            "groups": sorted(f"{service}<{one.name}" for one in flow.FLOW for service in one.consumers),
            "services": {one.name: one.module for one in flow.SERVICES},
            "prompts": {
                str(path.relative_to(Path(services.__path__[0]).parent)): content_hash(path.read_text())
                for path in sorted(Path(services.__path__[0]).parent.glob("s*/*/prompts/*.md"))
            },
        },
    )


def variables() -> Iterator[str]:
    """Environment variables that are settings."""
    names = ["shared.settings", *(f"services.{one.name}.settings" for one in pkgutil.iter_modules(services.__path__))]
    for name in names:
        with contextlib.suppress(ModuleNotFoundError):
            module = importlib.import_module(name)
            for kind in vars(module).values():
                if isinstance(kind, type) and issubclass(kind, BaseSettings) and kind is not BaseSettings:
                    prefix = kind.model_config.get("env_prefix") or ""
                    yield from {f"{prefix}{field}".upper() for field in kind.model_fields}


def options(command: Any, path: str) -> Iterator[str]:
    """Commands with their options and arguments."""
    yield path
    for one in command.params:
        yield from (f"{path} {name}" for name in (one.opts if one.param_type_name == "option" else [one.name]))
    for name, inner in getattr(command, "commands", {}).items():
        yield from options(inner, f"{path} {name}")


# --- Valkey ------------------------------------------------------------------------------------------------------------

UNFINISHED, RECORDED, DONE, CLAIMED = (UUID(int=number) for number in range(1, 5))
COST = ("sim-writer", "problem_writer/draft/sim-writer", Amount(30, 7))


async def valkey(directory: Path) -> None:
    """Fixed steps on an empty Valkey, then all of its keys."""
    async with Stack(directory) as stack:
        await stack.start_infrastructure()
        client = connect(ValkeyAccess(stack.valkey_url))
        outcomes = Outcomes(client, FACTORY, "verifier-a", FOREVER_DAYS, 3600.0)
        for one in (UNFINISHED, RECORDED, DONE, CLAIMED):
            known = await outcomes.claim(one)
            assert known.lease
            if one == CLAIMED:
                continue
            first = await outcomes.begin(one)
            if one == UNFINISHED:
                await outcomes.survived(one, first)
                await outcomes.begin(one)
                async with outcomes.at_work(one, known.lease, {}) as calls:
                    calls.keep("a call", b"its result")
                    await calls.save()
            if one in (RECORDED, DONE):
                await outcomes.record(one, b"an outcome")
            if one == DONE:
                await outcomes.done(one)
        treasury = Treasury(client, FACTORY, {}, 3600.0)
        assert await treasury.open([COST, COST])
        settled = await treasury.reserve("sim-writer", COST[1], Amount(50, 0))
        await treasury.settle(settled, Amount(40, 9), measured=True)
        await treasury.reserve("sim-solver", "synthesis/solve/sim-solver", Amount(70, 5))
        twins = ValkeyTwins(ValkeyAccess(stack.valkey_url), FACTORY, FEATURES, 3, FOREVER_DAYS, 3600.0)
        nothing = _none()
        assert await twins.rebuild(nothing) == 0
        for number, (statement, answer) in enumerate(STATEMENTS):
            problem = Problem(statement=statement, answer=answer, answer_type="number", rationale="")
            await twins.place(sketch(problem), UUID(int=20 + number))
        await twins.close()
        write("valkey.json", await dumped(client))
        await client.aclose()


STATEMENTS = (
    ("A train of 120 m passes a mast in 6 s. How fast is it, in metres per second?", "20"),
    ("A train of 150 m passes a mast in 5 s. How fast is it, in metres per second?", "30"),
    ("A train of 120 m passes a mast in 6 s. How fast is it, in metres per second?", "20"),
)


async def _none() -> Any:
    for nothing in ():
        yield nothing


async def dumped(client: Redis) -> list[dict[str, Any]]:
    """Every key: what kind, whether it expires, its content as far as it is text, and Valkey's own dump."""
    found = []
    for key in sorted([key async for key in client.scan_iter("*")]):
        kind = (await client.type(key)).decode()
        reads: dict[str, Any] = {
            "string": client.get,
            "hash": client.hgetall,
            "set": client.smembers,
            "zset": lambda key: client.zrange(key, 0, -1),
        }
        found.append(
            {
                "key": key.decode(),
                "type": kind,
                "expires": await client.pttl(key) > 0,
                "value": plain(await reads[kind](key)),
                "dump": base64.b64encode(await client.dump(key)).decode(),
            }
        )
    return found


def plain(value: Any) -> Any:
    """Bytes as hexadecimal, in an order of their own."""
    if isinstance(value, dict):
        return {plain(key): plain(one) for key, one in sorted(value.items())}
    if isinstance(value, set | list):
        return sorted(plain(one) for one in value)
    return value.decode() if value.isascii() and value.decode().isprintable() else value.hex()


# --- a factory that was killed -----------------------------------------------------------------------------------------


def factory(base: Path) -> None:
    """Run, let one verifier and then every model go away, kill."""
    directory, calls = base / "stack", base / "calls.jsonl"
    slow = {"sim-verifier-b": {"first_token_ms": 400}}
    env = {
        "CHIMERA_SIM_CALL_LOG": calls,
        "CHIMERA_SIM_FAULTS": json.dumps(slow),
        "CHIMERA_MARKER_DAYS": FOREVER_DAYS,
        "CHIMERA_SESSION_S": 6,  # so long the next start waits for the members that were killed
    }
    command = ["run", "--dir", directory, "--plan", OUT / "plan.factory.yaml", "--seed", SEED, "--json"]
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "services.cli", *map(str, command)],
        env={**os.environ, **RATES, **{name: str(value) for name, value in env.items()}},
    )
    while len(list(directory.glob("dataset/releases/*.json"))) < 2:
        assert process.poll() is None
        time.sleep(0.05)
    models = json.loads((directory / "models.json").read_text())
    simulator = models["endpoints"]["simulator"]["base_url"].removesuffix("/v1")
    away(simulator, "sim-verifier-b")
    while not (found := asyncio.run(left(directory)))["waiting"] or not journalled(found, "verifier-b"):
        assert process.poll() is None
        time.sleep(0.1)
    away(simulator, *MODELS)
    time.sleep(4)  # what was answered is kept before the next call is tried
    found = asyncio.run(left(directory))
    running = Record.read(directory)
    process.send_signal(signal.SIGKILL)
    process.wait()
    while any(one.id.alive() for one in running.processes):
        time.sleep(0.1)
    rows = Table(directory / "dataset", Row, FACTORY)
    progress = AggregatorState.load(rows, Table(directory / "dataset", Entry, FACTORY)).progress
    found["progress"] = asdict(progress)
    found["commit_notes"] = [
        {name: value for name, value in commit.items() if name.startswith("chimera.")} for commit in rows.notes(-1)
    ]
    found["columns"] = {
        name: [
            [field.name, str(field.type), field.nullable]
            for field in DeltaTable(directory / "dataset" / name).schema().fields
        ]
        for name in ("rows", "ledger", "audits")
    }
    assert found["waiting"]
    assert journalled(found, "verifier-b")
    write("factory.json", found)

    def chosen(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
        return None if info.name.removeprefix("stack/").split("/")[0] in MADE_ANEW else trimmed(info)

    packed("factory.tar.xz", [(directory, "stack"), (calls, "calls.jsonl")], chosen)
    print({name: len(one) for name, one in found.items()})


def trimmed(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Without Kafka's indexes that were reserved and not filled: it makes them again."""
    return None if info.name.endswith((".index", ".timeindex")) and info.size > 1_000_000 else info


def journalled(found: dict[str, Any], service: str) -> bool:
    return any(f":{service}:calls:" in key for key in found["journal"])


def away(simulator: str, *models: str) -> None:
    """These models take no call any more."""
    faults = {model: {"outage": "503"} for model in models}
    httpx.put(f"{simulator}/sim/faults", json=faults, trust_env=False).raise_for_status()


async def left(directory: Path) -> dict[str, Any]:
    """What the log and Valkey hold at this moment."""
    running = Record.read(directory)
    assert running.bootstrap
    assert running.valkey_url
    async with World(running.bootstrap, running.valkey_url, FACTORY, directory) as world:
        cases = {one.key: one.value for one in await world.records("panel-cases-changelog")}
        states = [one.value for one in await world.records("planner-state")]
        published = [one.value for one in await world.records("aggregator-published")]
        incarnations = {one.key: one.value for one in await world.records("incarnations")}
    client = Redis.from_url(running.valkey_url)
    journal = {
        key.decode(): {name.decode(): result.decode() for name, result in (await client.hgetall(key)).items()}
        async for key in client.scan_iter(f"{FACTORY}:*:calls:*")
    }
    keys = sorted({re.sub(r"[0-9a-f-]{32,36}", "ID", key.decode()) async for key in client.scan_iter("*")})
    await client.aclose()
    return {
        "planner-state": states[-1].decode(),
        "panel-cases-changelog": {key.decode(): value.decode() for key, value in cases.items()},
        "waiting": [key.decode() for key, value in cases.items() if json.loads(value).get("heard")],
        "aggregator-published": published[-1].decode() if published else None,
        "incarnations": {key.decode(): value.decode() for key, value in incarnations.items()},
        "journal": journal,
        "keys": keys,
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
