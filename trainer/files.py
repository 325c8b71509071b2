"""Rows of files: a factory's exports, and datasets published by others (`shared.dataset.records`), also on the hub."""

import re
from collections import Counter
from dataclasses import fields
from pathlib import Path
from typing import Any

from huggingface_hub import snapshot_download
from pydantic import TypeAdapter, ValidationError

from schemas.identity import content_hash, normal_form
from shared.dataset.records import HELD_OUT_FILES, Record, parse_solved, read_records
from shared.dataset.records.solved import SolvedProblem
from shared.dataset.storage import Location
from shared.errors import Refusal
from trainer.example import HELD_OUT, TRAIN, Example

FORMATS = (".jsonl", ".parquet")
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_COLUMNS = {field.name for field in fields(Example)}
_EXAMPLE = TypeAdapter(Example)


def list_files(dataset: Location) -> list[Path]:
    """Return the files of records of a dataset: a file, or a folder with some, in its `data` if it has that.

    A name that is not a path is one on the hub, `owner/name`, and is downloaded once. Raises Refusal when it cannot be.
    """
    path = Path(dataset)
    if not path.exists() and _HUB_NAME.fullmatch(str(dataset)):
        path = _download(str(dataset))
    if path.is_file():
        return [path]
    folder = path / "data" if (path / "data").is_dir() else path
    return sorted(file for file in folder.glob("*") if file.suffix in FORMATS)


def _download(name: str) -> Path:
    """Return the folder of a dataset of the hub; its name is the commit."""
    patterns = [f"{place}*{suffix}" for place in ("", "data/") for suffix in FORMATS]
    try:
        return Path(snapshot_download(name, repo_type="dataset", allow_patterns=patterns))
    except (OSError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise Refusal(
            f"there is no folder {name}, and no dataset of that name can be had from the hub: {reason}",
            "Correct --dataset, or download the dataset and name its folder",
        ) from error


def read_files(files: list[Path]) -> tuple[list[Example], Counter[str]]:
    """Return the examples of all files, and how many records were left out, by reason.

    Raises Refusal for a file that cannot be read.
    """
    examples: dict[str, Example] = {}
    left_out: Counter[str] = Counter()
    for file in files:
        split = HELD_OUT[0] if file.name.startswith(HELD_OUT_FILES) else TRAIN
        for record in read_records(file):
            found = _parse(record.fields, split) if isinstance(record, Record) else "not a record"
            if isinstance(found, str):
                left_out[found] += 1
            elif found.id in examples:
                left_out["the same problem again"] += 1
            else:
                examples[found.id] = found
    return list(examples.values()), left_out


def _parse(record: dict[str, Any], split: str) -> Example | str:
    """Return the example of a record, or the reason why it is none."""
    if record.keys() >= _COLUMNS:
        try:
            return _EXAMPLE.validate_python({name: record[name] for name in _COLUMNS})
        except ValidationError as error:
            return f"column {error.errors()[0]['loc'][0]} has a wrong type"
    solved = parse_solved(record)
    return solved if isinstance(solved, str) else _to_example(solved, split)


def _to_example(one: SolvedProblem, split: str) -> Example:
    return Example(
        id=content_hash(normal_form(one.problem))[:16],
        subject=one.subject,
        field="",
        subfield="",
        topic=one.topic,
        problem=one.problem,
        answer=one.answer,
        answer_type="",
        reasoning=one.reasoning,
        solution=one.solution,
        difficulty=None,
        views=["sft", "rl"] if one.correct else ["rl"],
        admission="in",
        split=split,
        row_hash=content_hash("\n".join((one.answer, one.reasoning, one.solution))),
        simulated=None,
    )
