"""The curated dataset: rows, ledger and audits, Delta tables in one folder, and the manifests of its releases."""

from shared.dataset.failures import Conflict
from shared.dataset.maintenance import purge
from shared.dataset.reader import Dataset, Found, Part, audits
from shared.dataset.releases import LATEST, NOW, Progress, Release, describe, manifest, manifests, opened
from shared.dataset.schema import SCHEMA_VERSION, Audit, Entry, Row
from shared.dataset.table import Table

__all__ = [
    "LATEST",
    "NOW",
    "SCHEMA_VERSION",
    "Audit",
    "Conflict",
    "Dataset",
    "Entry",
    "Found",
    "Part",
    "Progress",
    "Release",
    "Row",
    "Table",
    "audits",
    "describe",
    "manifest",
    "manifests",
    "opened",
    "purge",
]
