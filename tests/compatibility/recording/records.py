"""Records events, states, files and names: every JSON document but those of a factory and of Valkey."""

import contextlib
import importlib
import json
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

import shared.metrics  # noqa: F401 - registers them
import typer
import yaml
from prometheus_client import REGISTRY
from pydantic import BaseModel
from pydantic_settings import BaseSettings
from schemas.audit import Mark
from schemas.plan import Plan
from shared.kafka.dead import Failure, Origin, dead_letter
from shared.plan import load_plan

import services
from schemas import flow
from schemas.events import Event
from schemas.identity import content_hash
from services.aggregator import outbox
from services.cli.__main__ import app
from services.panel.handler import Case
from services.planner.state import State as PlannerState
from shared.dataset.releases import Release
from shared.kafka.admin import wanted
from shared.kafka.codec import Message, encode
from shared.llm import load_cast

OUT = Path(__file__).parents[1] / "recorded"
FACTORY = "chimera"


def write(name: str, content: object) -> None:
    text = json.dumps(content, indent=1, ensure_ascii=False, default=lambda value: value.decode())
    (OUT / name).write_text(text + "\n")


def files() -> None:
    """Write what the plans and the models file mean."""
    cast = load_cast(OUT / "models.yaml")
    plans = {path.name: load_plan(path) for path in sorted(OUT.glob("plan*.yaml"))}
    plans_meaning = {
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
        {"models": models, "plans": json.loads(json.dumps(plans_meaning).replace(folder, "FOLDER")), "hashes": hashes},
    )


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
    curated_and_released = [event(one.event) for one in flow.FLOW if one.name in ("sample.curated", "dataset.released")]
    release = Release(number=2, plan="recorded", plan_hash="ab" * 32, rows=4, table_version=7, ledger_version=3)
    write(
        "state.json",
        {
            "panel-cases-changelog": case.model_dump_json(),
            "planner-state": planner.model_dump_json(),
            "commit_note": outbox.note(curated_and_released, release),
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


if __name__ == "__main__":
    files()
    events()
    state()
    surface()
