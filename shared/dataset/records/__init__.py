"""Files of records that a person brings: topics, controls, benchmarks, problems. One reader for all of them.

files.py      JSON lines, JSON, CSV, Parquet and Arrow as records with their lines
chat.py       the text of a prompt that has the shape of a chat
published.py  problems with keys in the forms in which datasets are published
solved.py     solved problems in the forms that a trainer takes
"""

from shared.dataset.records.chat import as_text
from shared.dataset.records.files import HELD_OUT_FILES, KINDS, Flaw, Record, read_records, record_files
from shared.dataset.records.solved import parse_solved

__all__ = ["HELD_OUT_FILES", "KINDS", "Flaw", "Record", "as_text", "parse_solved", "read_records", "record_files"]
