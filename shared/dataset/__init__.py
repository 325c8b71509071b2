"""The curated dataset: rows and ledger, two Delta tables in one folder, and the manifests of its releases."""

from shared.dataset.reader import Dataset, Found, Part
from shared.dataset.releases import Release, describe, manifest
from shared.dataset.schema import SCHEMA_VERSION, Entry, Row
from shared.dataset.table import Conflict, Table

__all__ = [
    "SCHEMA_VERSION",
    "Conflict",
    "Dataset",
    "Entry",
    "Found",
    "Part",
    "Release",
    "Row",
    "Table",
    "describe",
    "manifest",
]
