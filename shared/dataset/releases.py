"""Releases: numbered versions of the dataset, described by the manifests `releases/N.json`.

All numbers of a manifest can be counted again from the two table versions that it pins. On the command line, `latest`
is the last release and `now` the present dataset.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from shared.dataset.failures import translate_errors
from shared.dataset.reader import Dataset, find_audits
from shared.dataset.reports.wrong_keys import estimate_parameters
from shared.dataset.schema import SCHEMA_VERSION, Row
from shared.dataset.storage import Location, file_exists, list_files, read_file, write_file
from shared.dataset.table import TABLES
from shared.errors import Refusal

NOW, LATEST = "now", "latest"

FOLDER = "releases"


@dataclass(frozen=True, slots=True)
class Release:
    """The plan and the table versions of a release."""

    number: int
    """1, 2, 3, …"""
    plan: str
    plan_hash: str
    rows: int
    """Admitted rows of the whole dataset."""
    table_version: int
    ledger_version: int

    @classmethod
    def of_manifest(cls, manifest: Mapping[str, Any]) -> "Release":
        """Return the release that a manifest describes."""
        return cls(**{field.name: manifest[field.name] for field in fields(cls)})


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of the release policy, committed as marks of the table together with the rows."""

    releases: int = 0
    """Number of releases."""
    unreleased: int = 0
    """Rows admitted since the last one."""
    untrained: int = 0
    """Rows admitted since training was last triggered."""
    target: int = 0
    """Highest target for whose completion a release was made."""
    training_since: int = 0
    """Unix time in seconds of the last training trigger, else of the first admitted row; 0 without a row."""
    released_since: int = 0
    """Unix time in seconds of the last release, else of the first new row, under a plan with `every_days`; else 0."""


def build_manifest(folder: Location, release: Release) -> dict[str, Any]:
    """Count a release: rows by subject, tier and admission, ledger lines by reason, a hash over all rows.

    `belief` has the parameters of belief, estimated with the audits of now; it is missing where nothing was judged.
    """
    dataset = Dataset.open(folder, release.table_version, release.ledger_version)
    lines = [*dataset.rows.columns("row_hash", "curated_at")]
    hashes = sorted(line["row_hash"] for line in lines)
    estimated = estimate_parameters(dataset, find_audits(folder))
    return {
        **asdict(release),
        "until": max(line["curated_at"] for line in lines).isoformat(),
        "schema_version": SCHEMA_VERSION,
        "rows_by_subject": _nested(dataset.rows.counts("subject", "admission")),
        "rows_by_tier": _nested(dataset.rows.counts("tier", "admission")),
        "funnel": {"curated": len(hashes), **_nested(dataset.ledger.counts("kind", "reason"))},
        "sha256": hashlib.sha256("\n".join(hashes).encode()).hexdigest(),
        **({"belief": estimated.model_dump(mode="json")} if estimated else {}),
    }


def write_manifest(folder: Location, release: Release) -> dict[str, Any]:
    """Write the manifest atomically unless it exists, and return what it says.

    Raises Transient when it cannot be written.
    """
    file = f"{FOLDER}/{release.number}.json"
    with translate_errors("cannot write the release's manifest"):
        if not file_exists(folder, file):
            text = json.dumps(build_manifest(folder, release), indent=2, ensure_ascii=False) + "\n"
            write_file(folder, file, text.encode())
        manifest: dict[str, Any] = json.loads(read_file(folder, file))
        return manifest


def list_manifests(folder: Location) -> list[dict[str, Any]]:
    """Return the manifest of every release, the oldest first. Raises Transient when one cannot be read."""
    with translate_errors("cannot read the releases"):
        files = [name for name in list_files(folder, FOLDER) if name.endswith(".json")]
        releases = [json.loads(read_file(folder, f"{FOLDER}/{name}")) for name in files]
    return sorted(releases, key=lambda one: int(one["number"]))


def open_release(folder: Location, version: str) -> tuple[Dataset, dict[str, Any] | None]:
    """Open the dataset at a release; return it and the manifest, which is `None` for `now`.

    Raises Refusal when there is no such release, or some of its files were purged.
    """
    present = Dataset.open(folder)
    if version == NOW:
        return present, None
    manifests = list_manifests(folder)
    matching = manifests[-1:] if version == LATEST else [one for one in manifests if str(one["number"]) == version]
    if not matching:
        numbers = ", ".join(str(one["number"]) for one in manifests) or "none"
        raise Refusal(f"{folder} has no release {version} (there are: {numbers})", f"Take one of these, or `{NOW}`")
    (manifest,) = matching
    release = Dataset.open(folder, manifest["table_version"], manifest["ledger_version"])
    if not {uri.rpartition("/")[2] for uri in release.rows.delta.file_uris()} <= {*list_files(folder, TABLES[Row])}:
        raise Refusal(f"release {manifest['number']} was purged: some of its rows are gone", "Take a later one")
    return release, manifest


def _nested(counts: Counter[tuple[Any, ...]]) -> dict[str, dict[str, int]]:
    """Nest as {first: {second: rows}}, sorted by name."""
    named: dict[str, dict[str, int]] = {}
    for (first, second), number in sorted(counts.items(), key=lambda pair: str(pair[0])):
        named.setdefault(first, {})[second or "none"] = number
    return named
