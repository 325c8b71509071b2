"""Files of records that a person brings: topics, controls, benchmarks, problems. One reader for all of them.

files.py      JSON lines, JSON, CSV, Parquet and Arrow as records with their lines
chat.py       the text of a prompt that has the shape of a chat
forms.py      the forms in which datasets of solved problems are published
published.py  problems with keys, read from records in these forms
solved.py     solved problems in the forms that a trainer takes
"""

from shared.dataset.records.chat import as_text
from shared.dataset.records.files import HELD_OUT_FILES, KINDS, Flaw, Record, read_records, record_files
from shared.dataset.records.solved import parse_solved

__all__ = ["HELD_OUT_FILES", "KINDS", "Flaw", "Record", "as_text", "parse_solved", "read_records", "record_files"]
