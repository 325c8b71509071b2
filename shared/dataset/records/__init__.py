"""Files of records that a person brings: topics, controls, benchmarks, problems. One reader for all of them.

files.py   JSON lines, JSON, CSV and Parquet as records with their lines
chat.py    the text of a prompt that has the shape of a chat
"""

from shared.dataset.records.chat import as_text
from shared.dataset.records.files import KINDS, Flaw, Record, read_records

__all__ = ["KINDS", "Flaw", "Record", "as_text", "read_records"]
