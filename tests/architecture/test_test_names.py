"""A test's name is a sentence that says what must hold, and fits on a screen."""

import re
from pathlib import Path

LONGEST = 70


def test_every_test_name_has_at_most_70_letters() -> None:
    names = [
        (name, str(path))
        for path in Path("tests").rglob("test_*.py")
        for name in re.findall(r"^\s*(?:async )?def (test_\w+)", path.read_text(), re.M)
    ]
    assert len(names) > 600
    assert [one for one in names if len(one[0]) > LONGEST] == []
