"""The curated dataset: rows, ledger and audits, Delta tables in one folder, and the manifests of its releases."""

from shared.dataset.failures import Conflict
from shared.dataset.maintenance import purge
from shared.dataset.reader import Dataset, ItemRecords, TableSnapshot, open_audits
from shared.dataset.releases import (
    LATEST,
    NOW,
    Progress,
    Release,
    build_manifest,
    list_manifests,
    open_release,
    write_manifest,
)
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
    "ItemRecords",
    "Progress",
    "Release",
    "Row",
    "Table",
    "TableSnapshot",
    "build_manifest",
    "list_manifests",
    "open_audits",
    "open_release",
    "purge",
    "write_manifest",
]
