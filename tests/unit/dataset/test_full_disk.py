"""A disk that is full in the middle of a commit: one clear line, nothing half visible, and on it goes with room."""

import subprocess
import sys
from pathlib import Path

LIFE = """
import resource, sys
from pathlib import Path
from shared.dataset import Row, Table
from shared.errors import Transient
from tests.unit.dataset.test_dataset import rows

folder = Path(sys.argv[1])
table = Table(folder, Row, "test")
table.append(rows(0), {"mine": 1}, {})
resource.setrlimit(resource.RLIMIT_FSIZE, (512, resource.RLIM_INFINITY))
try:
    table.append(rows(1, 2), {"mine": 2}, {})
except Transient as error:
    print(error)
assert Table(folder, Row, "test").mark("mine") == 1
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
table.append(rows(1, 2), {"mine": 2}, {})
again = Table(folder, Row, "test")
print(again.mark("mine"), len([*again.read(["id"])]))
"""


def test_a_file_that_cannot_be_written_whole_is_one_line_and_goes_in_later(tmp_path: Path) -> None:
    """A limit on the size of files stands for the full disk: the write breaks off in the same place."""
    command = [sys.executable, "-c", LIFE, str(tmp_path)]
    reported = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(reported) == 2
    assert reported[0].startswith("cannot write the table: ")
    assert "File too large" in reported[0]
    assert reported[1] == "2 3"
