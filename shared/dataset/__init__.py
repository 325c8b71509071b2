"""The curated dataset: rows, ledger and audits as Delta tables in one folder, and the manifests of its releases.

amend.py         rows that change after their curation
build.py         converts events to lines of the tables
compaction.py    joins small files in tiers
event_replay.py  admission decisions, replayed from the log
failures.py      translates errors of tables and stores
maintenance.py   deletes files and log entries of older versions
query.py         SQL queries on a table
reader.py        the dataset for reading
rebuild.py       rebuilds the dataset from the log
releases.py      releases and their manifests
schema.py        columns of the three tables
sketches.py      sketches of problems, which count different ones
split.py         assigns held-out rows
storage.py       local folders and object stores
table.py         a table for writing, with watermarks of the log
reports/         what the command line and the console show of a dataset
records/         files of records that a person brings: topics, controls, benchmarks, problems
"""

from shared.dataset.failures import Conflict, Vanished
from shared.dataset.reader import (
    Dataset,
    ItemRecords,
    TableSnapshot,
    open_audits,
    open_probings,
    open_resolutions,
    open_reverifications,
    open_reviews,
)
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
from shared.dataset.schema import SCHEMA_VERSION, Audit, Entry, Probing, Resolution, Reverification, ReviewLine, Row
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
    "Probing",
    "Progress",
    "Release",
    "Resolution",
    "Reverification",
    "ReviewLine",
    "Row",
    "Table",
    "TableSnapshot",
    "Vanished",
    "build_manifest",
    "list_manifests",
    "open_audits",
    "open_probings",
    "open_release",
    "open_resolutions",
    "open_reverifications",
    "open_reviews",
    "write_manifest",
]
