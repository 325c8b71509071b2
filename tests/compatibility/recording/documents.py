"""Records what `--json` prints about the recorded folder, and the columns of exports. Run it after `factory.py`."""

import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from pyarrow import parquet
from typer.testing import CliRunner

from services.cli.__main__ import app

OUT = Path(__file__).parents[1] / "recorded"
PLAN = str(OUT / "plan.factory.yaml")
COMMANDS = (
    ["dataset", "stats"],
    ["dataset", "versions"],
    ["dataset", "diff", "1", "2"],
    ["dataset", "rejects"],
    ["dataset", "show", "ROW"],
    ["dataset", "show", "REJECTED"],
    ["audit"],
    ["status"],
    ["check", "plan", PLAN],
)
FORMATS = ("jsonl", "chimera", "verl", "hf", "parquet")


def main(folder: Path) -> None:
    """Write commands with the shapes of their documents."""
    with tarfile.open(OUT / "factory.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    stack = folder / "stack"
    ids = {"ROW": printed(stack, "dataset", "diff", "1", "2")["ids"]["in"][0]}
    ids["REJECTED"] = printed(stack, "dataset", "rejects")["rejects"][0]["id"]
    commands = [[ids.get(word, word) for word in command] for command in COMMANDS]
    documents = [
        {"command": [word.replace(PLAN, "PLAN") for word in command], "shape": shape(printed(stack, *command))}
        for command in commands
    ]
    exports = {}
    for name in FORMATS:
        exported = printed(stack, "dataset", "export", "--format", name, "--out", str(folder / name))
        files = [folder / name / file for file in exported["files"]]
        exports[name] = {
            "shape": shape(exported),
            "files": exported["files"],
            "columns": [columns(file) for file in files],
        }
    text = json.dumps({"documents": documents, "exports": exports}, indent=1)
    (OUT / "documents.json").write_text(text + "\n")


def printed(stack: Path, *command: str) -> Any:
    result = CliRunner().invoke(app, [*command, "--dir", str(stack), "--json"])
    assert result.exit_code == 0, result.output
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


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder))
