"""`--json` documents and exports about a recorded folder have the same names, numbers and columns as before."""

import json
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet
from typer.testing import CliRunner

from services.cli.stack.status import NOTHING_RUNS
from tests.compatibility import names
from tests.compatibility.recordings import FOLDER, contains, load_json, unpack

RECORDED = load_json("documents")


@pytest.fixture(scope="module")
def stack_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack("factory", tmp_path_factory.mktemp("previous")) / "stack"


@pytest.mark.parametrize("recorded", RECORDED["documents"], ids=lambda recorded: "-".join(recorded["command"][:2]))
def test_a_document_keeps_its_names_and_numbers(recorded: dict[str, Any], stack_folder: Path) -> None:
    command = [str(FOLDER / "plan.factory.yaml") if word == "PLAN" else word for word in recorded["command"]]
    assert contains(shape(run(stack_folder, *command)), recorded["shape"])


@pytest.mark.parametrize("name", RECORDED["exports"])
def test_an_export_keeps_its_files_and_columns(name: str, stack_folder: Path, tmp_path: Path) -> None:
    recorded, out = RECORDED["exports"][name], tmp_path / name
    document = run(stack_folder, "dataset", "export", "--format", name, "--out", str(out))
    assert contains(shape(document), recorded["shape"])
    assert document["files"] == recorded["files"]
    for file, before in zip(document["files"], recorded["columns"], strict=True):
        assert [column for column in before if not kept(column, columns(out / file))] == []


def kept(column: str, columns: list[str]) -> bool:
    """Whether a column is there with its type; a struct may have gained fields at its end."""
    return any(one == column or one.startswith(column.removesuffix(">") + ", ") for one in columns)


def run(stack_folder: Path, *command: str) -> Any:
    result = CliRunner().invoke(names.command_line, [*command, "--dir", str(stack_folder), "--json"])
    assert result.exit_code == (NOTHING_RUNS if command[0] == "status" else 0), result.output
    return json.loads(result.stdout)


def shape(document: Any) -> Any:
    """A document with "text" in place of every text, and 0 for what differs between machines."""
    if isinstance(document, dict):
        return {name: 0 if name == "bytes" else shape(value) for name, value in document.items()}
    if isinstance(document, list):
        return [shape(value) for value in document]
    return "text" if isinstance(document, str) else document


def columns(file: Path) -> list[str]:
    """The columns of an exported file."""
    if file.suffix == ".parquet":
        return [f"{column.name}: {column.type}" for column in parquet.read_schema(file)]
    return list(json.loads(file.read_text().splitlines()[0]))
