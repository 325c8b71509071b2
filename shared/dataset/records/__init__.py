"""Files of records that a person brings: topics, controls, benchmarks, problems. One reader for all of them.

files.py   JSON lines, JSON, CSV and Parquet as records with their lines
chat.py    the text of a prompt that has the shape of a chat
solved.py  solved problems in the forms in which datasets are published
"""

from shared.dataset.records.chat import as_text
from shared.dataset.records.files import KINDS, Flaw, Record, read_records
from shared.dataset.records.solved import parse_solved

__all__ = ["KINDS", "Flaw", "Record", "as_text", "parse_solved", "read_records"]
