"""Judge the pairs of a file by the project's own rules, both ways round, and print which verdicts are wrong.

PYTHONPATH=<project> <project>/.venv/bin/python run_answers.py answers.txt

Exits 1 if a verdict is wrong, or if more than a tenth of the yes/no verdicts are left open.
"""

import asyncio
import re
import sys
from pathlib import Path

from shared.answers.grade import standard
from shared.answers.symbolic import SymbolicWorker

OPEN = 46
"""Verdicts of the 466 that may be `unsure`."""


def unescaped(text: str) -> str:
    """An unseen character is written backslash, u and four digits."""
    return re.sub(r"\\u([0-9a-f]{4})(?![0-9a-z])", lambda found: chr(int(found[1], 16)), text)


async def main(lines: list[str]) -> bool:
    """Whether the verdicts fail."""
    worker, wrong, unsure, total = SymbolicWorker(5.0), 0, 0, 0
    grader = standard(worker)
    for line in lines:
        if not line.strip() or line.startswith("#"):
            continue
        key, answer, kind, right, note = (unescaped(part.strip()) for part in line.split(" ¦ "))
        for one, other in ((key, answer), (answer, key)):
            found = await grader.compare(one, other, kind)
            total += right != "unsure"
            unsure += found.agrees == "unsure" and right != "unsure"
            if found.agrees not in ("unsure", right):
                wrong += 1
                print(f"WRONG {found.agrees}, right is {right} ({found.method}): {one} | {other} | {kind} | {note}")  # noqa: T201
    print(f"{wrong} wrong, {unsure} unsure, of {total}")  # noqa: T201
    await worker.aclose()
    return wrong > 0 or unsure > OPEN


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]).read_text("utf-8").splitlines())))
