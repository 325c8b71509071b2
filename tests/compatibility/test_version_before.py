"""What the version before wrote is loaded, and written again as it was."""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from deltalake import DeltaTable
from prometheus_client import REGISTRY
from pydantic_settings import BaseSettings

from tests.compatibility import names
from tests.compatibility.recordings import FACTORY, FOLDER, recorded, unpacked

ROOT = FOLDER.parents[2]


def test_each_event_is_read_and_written_to_the_byte() -> None:
    made = recorded("events")
    kinds = {flow.name for flow in names.flow.FLOW}
    assert {one["topic"] for one in made["events"]} == kinds
    for one in (*made["events"], made["marked"]):
        event, mark = read(one), names.mark_of(headers(one))
        source = dict(headers(one))["ce_source"].decode().removeprefix("/")
        assert plain(names.encode(event, source, mark)) == one, one["topic"]
    tag = dict(headers(made["marked"]))["ce_audit"]
    assert names.AuditTag.model_validate_json(tag).model_dump_json().encode() == tag


def test_a_dead_letter_is_written_as_before() -> None:
    made = recorded("events")
    failure = names.Failure(FACTORY, "verifier-a", ValueError("broken"), 5)
    (screened,) = (one for one in made["events"] if one["topic"] == "problem.screened")
    for one, letter in ((screened, made["dead_letter"]), (made["marked"], made["dead_letter_of_an_audit"])):
        origin = names.SourceRecord(5, 17, one["key"].encode(), one["value"].encode(), headers(one))
        assert [plain(message) for message in names.to_dead_letter("problem.screened", origin, failure)] == letter


def test_states_on_the_log_are_read_and_written_to_the_byte() -> None:
    full, found = recorded("state"), recorded("factory")
    snapshot = names.Snapshot.model_validate_json(found["planner-state"])
    assert snapshot.model_dump_json() == found["planner-state"]
    assert names.pack(names.unpack(snapshot.outbox.encode())).decode() == snapshot.outbox
    for state in (json.loads(full["planner-state"]), snapshot.state):
        assert dumped(names.PlannerState.model_validate(state).model_dump(mode="json")) == dumped(state)
    cases = found["panel-cases-changelog"]
    assert found["waiting"]
    for text in (full["panel-cases-changelog"], *cases.values()):
        published = json.loads(text).get("published") and len(json.loads(text)) < 3
        assert names.JoinState.model_validate_json(text).model_dump_json(exclude_unset=bool(published)) == text
    table, _, version = found["aggregator-published"].rpartition("@")
    assert names.outbox.published(found["aggregator-published"], table, 99) == int(version)
    assert names.outbox.mark(table, int(version)) == found["aggregator-published"]


def test_a_note_of_a_commit_is_read_and_written_to_the_byte() -> None:
    notes = [note for note in (*recorded("factory")["commit_notes"], recorded("state")["commit_note"]) if note]
    assert any("chimera.release" in note for note in notes)
    for note in notes:
        assert names.outbox.note(names.outbox.events(note), names.outbox.release(note)) == note


def test_an_answered_call_is_read_and_written_to_the_byte() -> None:
    results = [result for calls in recorded("factory")["journal"].values() for result in calls.values()]
    assert results
    for result in results:
        assert names.REPLY.dump_json(names.REPLY.validate_json(result)).decode() == result


def test_a_plan_and_a_models_file_mean_what_they_meant() -> None:
    said = recorded("files")
    assert json.loads(names.load_models_config(FOLDER / "models.yaml").model_dump_json()) == placed(said["models"])
    for file, meant in said["plans"].items():
        plan = names.load_plan(FOLDER / file)
        assert json.loads(plan.model_dump_json()) == placed(meant["plan"])
        assert {
            "quotas": None if plan.endless else plan.quotas(),
            "limits": None if plan.endless else plan.limits(),
            "mix": plan.mix,
            "budget": {model: limit.model_dump() for model, limit in plan.budget.limits().items()},
        } == {name: value for name, value in meant.items() if name != "plan"}
        assert plan.hash == said["hashes"].get(file, plan.hash)


def test_the_files_of_a_folder_are_written_to_the_byte(tmp_path: Path) -> None:
    before, now = unpacked("factory", tmp_path) / "stack", tmp_path / "now"
    names.write_files(now, names.load_plan(before / "plan.yaml"), names.load_models_config(before / "models.json"))
    names.StateFile.read(before).write(now)
    for file in ("plan.yaml", "models.json", "stack.json"):
        assert (now / file).read_text() == (before / file).read_text(), file
    assert names.StateFile.read(before).ports["kafka"]


def test_tables_have_the_same_columns_and_their_marks_are_understood(tmp_path: Path) -> None:
    kinds, found = {"rows": names.Row, "ledger": names.Entry, "audits": names.Audit}, recorded("factory")
    for name, kind in kinds.items():
        names.Table(tmp_path / "new", kind, FACTORY)
        fields = DeltaTable(tmp_path / "new" / name).schema().fields
        assert [[field.name, str(field.type), field.nullable] for field in fields] == found["columns"][name]
    before = unpacked("factory", tmp_path) / "stack" / "dataset"
    tables = (names.Table(before, kinds[name], FACTORY) for name in ("rows", "ledger"))
    progress = names.AggregatorState.load(*tables).progress
    assert {name: getattr(progress, name) for name in progress.__slots__} == found["progress"]


def test_names_that_others_hold_are_still_there() -> None:
    meant = recorded("surface")
    assert set(meant["variables"]) <= set(variables())
    assert set(meant["options"]) <= set(options(typer.main.get_command(names.command_line), "chimera"))
    assert set(meant["metrics"]) <= {metric.name for metric in REGISTRY.collect()}
    topics = {name: topic.num_partitions for name, topic in names.topic_settings(FACTORY, 1).items()}
    assert meant["kafka_topics"].items() <= topics.items()
    groups = {f"{service}<{flow.name}" for flow in names.flow.FLOW for service in flow.consumers}
    assert set(meant["groups"]) <= groups
    prompts = {names.content_hash(path.read_text()) for path in ROOT.glob("s*/**/prompts/*.md")}
    assert {path for path, hash_ in meant["prompts"].items() if hash_ not in prompts} == set()


MODULES = (
    *(
        f"services.{name}"
        for name in sorted({*recorded("surface")["services"].values(), "simulator", "exporter", "cli"})
    ),
    *(f"trainer.{name}" for name in ("sft", "rl_set", "rl", "control", "evaluate", "card", "all")),
    *("schemas.export", "shared.kafka.create", "shared.kafka.acls", "tests.bench"),
)


@pytest.mark.parametrize("module", MODULES)
def test_a_documented_module_is_still_run_by_its_name(module: str) -> None:
    assert importlib.util.find_spec(module)


def variables() -> Iterator[str]:
    """Environment variables that are settings."""
    folders = [path.parent.name for path in ROOT.glob("services/*/settings.py")]
    for name in (names.SETTINGS, *(f"services.{folder}.settings" for folder in folders)):
        for kind in vars(importlib.import_module(name)).values():
            if isinstance(kind, type) and issubclass(kind, BaseSettings) and kind is not BaseSettings:
                yield from (f"{kind.model_config.get('env_prefix')}{field}".upper() for field in kind.model_fields)


def options(command: Any, path: str) -> Iterator[str]:
    """Commands with their options and arguments."""
    yield path
    for one in command.params:
        yield from (f"{path} {name}" for name in (one.opts if one.param_type_name == "option" else [one.name]))
    for name, inner in getattr(command, "commands", {}).items():
        yield from options(inner, f"{path} {name}")


def dumped(document: Any) -> str:
    """Fields in their order."""
    return json.dumps(document)


def headers(one: dict[str, Any]) -> list[tuple[str, bytes]]:
    return [(name, value.encode()) for name, value in one["headers"]]


def read(one: dict[str, Any]) -> Any:
    return names.decode(one["topic"], one["key"].encode(), one["value"].encode(), headers(one))


def plain(message: Any) -> dict[str, Any]:
    """A message as it was recorded."""
    said = [[name, value.decode()] for name, value in message.headers]
    return {"topic": message.name, "key": message.key.decode(), "value": message.value.decode(), "headers": said}


def placed(document: Any) -> Any:
    """With the folder in which the recordings are now."""
    return json.loads(json.dumps(document).replace("FOLDER", str(FOLDER)))
