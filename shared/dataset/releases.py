"""A release: a version of the dataset for people, described in `releases/N.json`.

Everything in a manifest can be counted again from the two table versions that it pins.

A person names a release by its number; `latest` is the last one, `now` the dataset as it is.
"""

import hashlib
import json
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from shared.dataset.failures import translate_errors
from shared.dataset.reader import Dataset
from shared.dataset.schema import SCHEMA_VERSION, Row
from shared.dataset.storage import Location, has, names, read, write
from shared.dataset.table import TABLES
from shared.errors import Refusal

NOW, LATEST = "now", "latest"

FOLDER = "releases"


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


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the policy of releases stands. Kept in the table as marks, so that it is decided with the rows."""

    releases: int = 0
    """Releases made."""
    unreleased: int = 0
    """Rows admitted since the last one."""
    untrained: int = 0
    """Rows admitted since training was last triggered."""
    target: int = 0
    """Highest target whose reaching has been released."""
    training_since: int = 0
    """When training was last triggered, or else the first row admitted, in seconds since 1970; 0: there is no row."""


def manifest(folder: Location, release: Release) -> dict[str, Any]:
    """What is in a release: rows by subject, tier and admission, what became of the rest, a hash over all rows."""
    dataset = Dataset.open(folder, release.table_version, release.ledger_version)
    lines = list(dataset.rows.columns("row_hash", "curated_at"))
    hashes = sorted(line["row_hash"] for line in lines)
    return {
        **asdict(release),
        "until": max(line["curated_at"] for line in lines).isoformat(),
        "schema_version": SCHEMA_VERSION,
        "rows_by_subject": _named(dataset.rows.counts("subject", "admission")),
        "rows_by_tier": _named(dataset.rows.counts("tier", "admission")),
        "funnel": {"curated": len(hashes), **_named(dataset.ledger.counts("kind", "reason"))},
        "sha256": hashlib.sha256("\n".join(hashes).encode()).hexdigest(),
    }


def describe(folder: Location, release: Release) -> None:
    """Write the manifest, whole or not at all, and not again when it is there. Raises Transient when it cannot."""
    file = f"{FOLDER}/{release.number}.json"
    with translate_errors("cannot write the release's manifest"):
        if not has(folder, file):
            told = json.dumps(manifest(folder, release), indent=2, ensure_ascii=False) + "\n"
            write(folder, file, told.encode())


def manifests(folder: Location) -> list[dict[str, Any]]:
    """Every release that was made, the oldest first. Raises Transient when they cannot be read."""
    with translate_errors("cannot read the releases"):
        files = [name for name in names(folder, FOLDER) if name.endswith(".json")]
        found = [json.loads(read(folder, f"{FOLDER}/{name}")) for name in files]
    return sorted(found, key=lambda one: int(one["number"]))


def opened(folder: Location, version: str) -> tuple[Dataset, dict[str, Any] | None]:
    """The dataset at a release, and the release's manifest; `None` for `now`.

    Raises Refusal when there is no such release, or it cannot be read any more.
    """
    present = Dataset.open(folder)
    if version == NOW:
        return present, None
    made = manifests(folder)
    wanted = made[-1:] if version == LATEST else [one for one in made if str(one["number"]) == version]
    if not wanted:
        there = ", ".join(str(one["number"]) for one in made) or "none"
        raise Refusal(f"{folder} has no release {version} (there are: {there})", f"Take one of these, or `{NOW}`")
    release = Dataset.open(folder, wanted[0]["table_version"], wanted[0]["ledger_version"])
    if not {uri.rpartition("/")[2] for uri in release.rows.delta.file_uris()} <= {*names(folder, TABLES[Row])}:
        raise Refusal(f"release {wanted[0]['number']} was purged: some of its rows are gone", "Take a later one")
    return release, wanted[0]


def _named(counts: Counter[tuple[Any, ...]]) -> dict[str, dict[str, int]]:
    """{first: {second: rows}}, in the order of the names."""
    named: dict[str, dict[str, int]] = {}
    for (first, second), number in sorted(counts.items(), key=lambda pair: str(pair[0])):
        named.setdefault(first, {})[second or "none"] = number
    return named
