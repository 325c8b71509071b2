"""A release: a version of the dataset for people, described in `releases/N.json`.

Everything in a manifest can be counted again from the two table versions that it pins.
"""

import hashlib
import json
import os
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from shared.dataset.reader import Dataset
from shared.dataset.schema import SCHEMA_VERSION


@dataclass(frozen=True, slots=True)
class Release:
    """What a release pins."""

    number: int
    """1, 2, 3, …"""
    plan: str
    plan_hash: str
    rows: int
    """Rows admitted, in the whole dataset."""
    table_version: int
    ledger_version: int


def manifest(folder: Path, release: Release) -> dict[str, Any]:
    """What is in a release: rows by subject, tier and admission, what became of the rest, a hash over all rows."""
    dataset = Dataset.open(folder, release.table_version, release.ledger_version)
    hashes = sorted(dataset.rows.table("row_hash")["row_hash"].to_pylist())
    return {
        **asdict(release),
        "schema_version": SCHEMA_VERSION,
        "rows_by_subject": _named(dataset.rows.counts("subject", "admission")),
        "rows_by_tier": _named(dataset.rows.counts("tier", "admission")),
        "funnel": {"curated": len(hashes), **_named(dataset.ledger.counts("kind", "reason"))},
        "sha256": hashlib.sha256("\n".join(hashes).encode()).hexdigest(),
    }


def describe(folder: Path, release: Release) -> Path:
    """The manifest's file; written whole or not at all, and not again when it is there."""
    path = folder / "releases" / f"{release.number}.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        draft.write_text(json.dumps(manifest(folder, release), indent=2, ensure_ascii=False) + "\n")
        draft.replace(path)
    return path


def _named(counts: Counter[tuple[Any, ...]]) -> dict[str, dict[str, int]]:
    """{first: {second: rows}}, in the order of the names."""
    named: dict[str, dict[str, int]] = {}
    for (first, second), number in sorted(counts.items(), key=lambda pair: str(pair[0])):
        named.setdefault(first, {})[second or "none"] = number
    return named
