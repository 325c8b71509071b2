"""What the previous version wrote is read, and written again byte for byte."""

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
from tests.compatibility.recordings import FACTORY, FOLDER, load_json, unpack

ROOT = FOLDER.parents[2]


NEW_EVENTS = {
    "problem.reverified",
    "problem.resolved",
    "problem.reprobed",
    "problem.reviewed",
    "evidence.requested",
    "evidence.given",
    "belief.estimated",
}
"""Events that the version before did not have."""


def test_each_event_is_read_and_written_byte_for_byte() -> None:
    recorded = load_json("events")
    assert {record["topic"] for record in recorded["events"]} == {flow.name for flow in names.flow.FLOW} - NEW_EVENTS
    for record in (*recorded["events"], recorded["marked"]):
        event, tag = decode(record), names.audit_tag_of(headers(record))
        source = dict(headers(record))["ce_source"].decode().removeprefix("/")
        assert to_record(names.encode(event, source, tag)) == record, record["topic"]
    text = dict(headers(recorded["marked"]))["ce_audit"]
    assert names.AuditTag.model_validate_json(text).model_dump_json().encode() == text


def test_a_dead_letter_has_the_same_bytes_and_headers() -> None:
    recorded = load_json("events")
    failure = names.Failure(FACTORY, "verifier-a", ValueError("broken"), 5)
    (screened,) = (record for record in recorded["events"] if record["topic"] == "problem.screened")
    for record, expected in (
        (screened, recorded["dead_letter"]),
        (recorded["marked"], recorded["dead_letter_of_an_audit"]),
    ):
        source = names.SourceRecord(
            "problem.screened", 5, 17, 0, record["key"].encode(), record["value"].encode(), headers(record)
        )
        assert list(map(to_record, names.to_dead_letter("problem.screened", source, failure))) == expected


def test_states_on_the_log_are_read_and_written_byte_for_byte() -> None:
    filled, recorded = load_json("state"), load_json("factory")
    snapshot = names.Snapshot.model_validate_json(recorded["planner-state"])
    assert snapshot.model_dump_json() == recorded["planner-state"]
    assert names.pack(names.unpack(snapshot.outbox.encode())).decode() == snapshot.outbox
    for state in (json.loads(filled["planner-state"]), snapshot.state):
        written = names.PlannerState.model_validate(state).model_dump(mode="json")
        assert json.dumps(written) == json.dumps(state)
    assert recorded["waiting"]
    for text in (filled["panel-cases-changelog"], *recorded["panel-cases-changelog"].values()):
        is_tombstone = json.loads(text).keys() == {"problem_hash", "published"}
        assert names.JoinState.model_validate_json(text).model_dump_json(exclude_unset=is_tombstone) == text
    cursor = recorded["aggregator-published"]
    table, _, version = cursor.rpartition("@")
    assert names.outbox.published_version(cursor, table, 99) == int(version)
    assert names.outbox.format_cursor(table, int(version)) == cursor


def test_a_note_of_a_commit_is_read_and_written_byte_for_byte() -> None:
    notes = [note for note in (*load_json("factory")["commit_notes"], load_json("state")["commit_note"]) if note]
    assert any("chimera.release" in note for note in notes)
    for note in notes:
        assert names.outbox.to_metadata(names.outbox.events(note), names.outbox.release(note)) == note


def test_an_answered_call_is_read_and_written_byte_for_byte() -> None:
    results = [result for calls in load_json("factory")["journal"].values() for result in calls.values()]
    assert results
    for result in results:
        assert names.REPLY.dump_json(names.REPLY.validate_json(result)).decode() == result


def test_plans_and_a_models_file_keep_their_meaning() -> None:
    recorded = with_folder(load_json("files"))
    assert json.loads(names.load_models_config(FOLDER / "models.yaml").model_dump_json()) == recorded["models"]
    for file, expected in recorded["plans"].items():
        plan = names.load_plan(FOLDER / file)
        assert expected == {
            "plan": json.loads(plan.model_dump_json()),
            "quotas": None if plan.endless else plan.quotas(),
            "limits": None if plan.endless else plan.limits(),
            "mix": plan.mix,
            "budget": {model: limit.model_dump() for model, limit in plan.budget.limits().items()},
        }
        assert plan.hash == recorded["hashes"].get(file, plan.hash)


def test_the_files_of_a_folder_are_written_byte_for_byte(tmp_path: Path) -> None:
    previous, today = unpack("factory", tmp_path) / "stack", tmp_path / "today"
    models = names.load_models_config(previous / "models.json")
    names.write_files(today, names.load_plan(previous / "plan.yaml"), models)
    names.StateFile.read(previous).write(today)
    for file in ("plan.yaml", "models.json", "stack.json"):
        assert (today / file).read_text() == (previous / file).read_text(), file
    assert names.StateFile.read(previous).ports["kafka"]


def test_tables_keep_their_columns_and_marks(tmp_path: Path) -> None:
    kinds, recorded = {"rows": names.Row, "ledger": names.Entry, "audits": names.Audit}, load_json("factory")
    for name, kind in kinds.items():
        names.Table(tmp_path / "today", kind, FACTORY)
        fields = DeltaTable(tmp_path / "today" / name).schema().fields
        assert [[field.name, str(field.type), field.nullable] for field in fields] == recorded["columns"][name]
    previous = unpack("factory", tmp_path) / "stack" / "dataset"
    rows, ledger = (names.Table(previous, kinds[name], FACTORY) for name in ("rows", "ledger"))
    progress = names.AggregatorState.load(rows, ledger).progress
    since = {"released_since": 0}  # the version before did not release by time
    assert {name: getattr(progress, name) for name in progress.__slots__} == recorded["progress"] | since


def test_public_names_are_kept() -> None:
    recorded = load_json("surface")
    assert set(recorded["variables"]) <= set(list_variables())
    assert set(recorded["options"]) <= set(list_options(typer.main.get_command(names.command_line), "chimera"))
    assert set(recorded["metrics"]) <= {metric.name for metric in REGISTRY.collect()}
    topics = {name: topic.num_partitions for name, topic in names.topic_settings(FACTORY, 1).items()}
    assert recorded["kafka_topics"].items() <= topics.items()
    assert set(recorded["groups"]) <= {f"{group}<{flow.name}" for flow in names.flow.FLOW for group in flow.consumers}
    prompts = {path.name for path in ROOT.glob("s*/**/prompts/*.md")}
    of_services = [path for path in recorded["prompts"] if not path.startswith("services/cli/")]
    assert {path.rpartition("/")[2] for path in of_services} <= prompts


MODULES = (
    *(f"services.{name}" for name in sorted(set(load_json("surface")["services"].values()))),
    *(f"services.{name}" for name in ("simulator", "exporter", "grader", "cli")),
    *(f"trainer.{name}" for name in ("sft", "rl_set", "rl", "control", "evaluate", "card", "all")),
    *("schemas.export", "shared.kafka.create", "shared.kafka.acls", "tests.bench"),
)


@pytest.mark.parametrize("module", MODULES)
def test_a_documented_module_keeps_its_name(module: str) -> None:
    assert importlib.util.find_spec(module)


def list_variables() -> Iterator[str]:
    """Environment variables that are settings."""
    folders = [path.parent.name for path in ROOT.glob("services/*/settings.py")]
    for name in (names.SETTINGS, *(f"services.{folder}.settings" for folder in folders)):
        for kind in vars(importlib.import_module(name)).values():
            if isinstance(kind, type) and issubclass(kind, BaseSettings) and kind is not BaseSettings:
                yield from (f"{kind.model_config.get('env_prefix')}{field}".upper() for field in kind.model_fields)


def list_options(command: Any, path: str) -> Iterator[str]:
    """Commands with their options and arguments."""
    yield path
    for one in command.params:
        yield from (f"{path} {name}" for name in (one.opts if one.param_type_name == "option" else [one.name]))
    for name, inner in getattr(command, "commands", {}).items():
        yield from list_options(inner, f"{path} {name}")


def headers(record: dict[str, Any]) -> list[tuple[str, bytes]]:
    return [(name, value.encode()) for name, value in record["headers"]]


def decode(record: dict[str, Any]) -> names.Event:
    return names.decode(record["topic"], record["key"].encode(), record["value"].encode(), headers(record))


def to_record(message: names.Message) -> dict[str, Any]:
    """A message in the form of the recording."""
    key, value = (part and part.decode() for part in (message.key, message.value))
    names_and_values = [[name, content.decode()] for name, content in message.headers]
    return {"topic": message.name, "key": key, "value": value, "headers": names_and_values}


def with_folder(document: Any) -> Any:
    """A document with the present folder of the recordings in its paths."""
    return json.loads(json.dumps(document).replace("FOLDER", str(FOLDER)))
