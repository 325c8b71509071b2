"""How well the rules for comparing answers do, by kind, beside graders of others; and how fast.

Pairs: the developers' cases, the labelled pairs, and pairs drawn by kind with a fixed seed. A verdict is wrong if it
says yes to different answers or no to equal ones. Recall is the share of the equal pairs that a grader called equal.
The cases were collected for their traps; they are no sample of what models write.

Peers run in a throw-away environment that uv makes: math-verify alone, TRL's `accuracy_reward`, verl's `math_reward`.
Without a package index their columns are empty.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from shared.answers.grade import Graders, standard
from shared.answers.rules.decide import numeric
from shared.answers.symbolic import SymbolicWorker
from tests.cases.run_answers import unescaped
from tests.support.answer_draws import KINDS, SEED, draws
from tests.support.answer_pairs import PAIRS

DRAWN = 100
"""Pairs of each kind."""
NUMERIC_ROUNDS = 20_000
OURS = "rules"
PEERS = ("math-verify", "trl", "verl")
PACKAGES = (("math-verify[antlr4_13_2]==0.9.0",), ("--no-deps", "trl==1.16.0", "verl==0.9.1"))
_CASES = Path(__file__).parents[1] / "cases" / "answers.txt"
_PEERS = Path(__file__).parent / "peer_graders.py"
_UV = Path(sys.executable).parent / "uv"


@dataclass(frozen=True, slots=True)
class Labelled:
    """A pair with what is true of it."""

    kind: str
    type: str
    key: str
    answer: str
    equal: bool


async def measure() -> dict[str, Any]:
    """Verdicts of all graders on all pairs, by kind, and the pace of ours."""
    pairs = labelled()
    worker = SymbolicWorker()
    try:
        verdicts, seconds = await _ours(standard(worker), pairs)
    finally:
        await worker.aclose()
    graders = {OURS: verdicts, **await asyncio.to_thread(_peers, pairs)}
    kinds: defaultdict[str, list[int]] = defaultdict(list)
    for at, pair in enumerate(pairs):
        kinds[pair.kind].append(at)
    rows = {
        kind: {name: _figures(pairs, found, places) for name, found in graders.items()}
        for kind, places in kinds.items()
    }
    every = {name: _figures(pairs, found, range(len(pairs))) for name, found in graders.items()}
    return {"pairs_per_s": len(pairs) / seconds, "numeric_us": _numeric_us(), "kinds": rows, "all": every}


def labelled() -> list[Labelled]:
    """Cases, labelled pairs and drawn pairs, without those whose verdict is open."""
    lines = [line.split(" ¦ ") for line in _CASES.read_text("utf-8").splitlines() if " ¦ " in line and line[0] != "#"]
    cases = [[unescaped(part.strip()) for part in line] for line in lines]
    return [
        *(
            Labelled("cases", kind, key, answer, right == "yes")
            for key, answer, kind, right, _ in cases
            if right != "unsure"
        ),
        *(Labelled("labelled pairs", p.type, p.key, p.answer, p.truth == "yes") for p in PAIRS if p.truth != "unsure"),
        *(Labelled(p.kind, p.type, p.key, p.answer, p.equal) for p in draws(SEED, DRAWN * len(KINDS))),
    ]


async def _ours(grader: Graders, pairs: Sequence[Labelled]) -> tuple[list[bool | None], float]:
    await grader.compare("x^2-1", "(x-1)(x+1)", "expression")  # starts the worker
    started = time.perf_counter()
    found = [(await grader.compare(pair.key, pair.answer, pair.type)).agrees for pair in pairs]
    seconds = time.perf_counter() - started
    return [None if agrees == "unsure" else agrees == "yes" for agrees in found], seconds


def _peers(pairs: Sequence[Labelled]) -> dict[str, list[bool | None]]:
    """Verdicts of others; empty where they cannot be installed."""
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / "bin" / "python"
        try:
            subprocess.run([_UV, "venv", "--quiet", "--python", sys.executable, folder], check=True)
            for packages in PACKAGES:
                subprocess.run([_UV, "pip", "install", "--quiet", "--python", python, *packages], check=True)
            asked = json.dumps([(pair.key, pair.answer) for pair in pairs]).encode()
            done = subprocess.run([python, _PEERS], input=asked, capture_output=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return {}
    found: dict[str, list[bool | None]] = json.loads(done.stdout)
    return found


def _figures(pairs: Sequence[Labelled], verdicts: Sequence[bool | None], places: Sequence[int]) -> dict[str, Any]:
    """Wrong verdicts, open ones, precision and recall of yes; None where there is nothing to divide by."""
    equal = [at for at in places if pairs[at].equal]
    yes = [at for at in places if verdicts[at]]
    right = [at for at in yes if pairs[at].equal]
    wrong = sum(verdicts[at] is not None and verdicts[at] != pairs[at].equal for at in places)
    return {
        "pairs": len(places),
        "wrong": wrong,
        "unsure": sum(verdicts[at] is None for at in places),
        "precision": len(right) / len(yes) if yes else None,
        "recall": len(right) / len(equal) if equal else None,
    }


def _numeric_us() -> float:
    """CPU time of a plain numeric comparison in microseconds."""
    started = time.process_time()
    for _ in range(NUMERIC_ROUNDS):
        numeric("6.02e23", r"6.02 \times 10^{23}")
    return (time.process_time() - started) / NUMERIC_ROUNDS * 1e6


def show(console: Console, figures: dict[str, Any]) -> None:
    """Print as a table: wrong verdicts, then precision and recall of yes, by grader."""
    pace = f"{figures['pairs_per_s']:.0f} pairs/s, one at a time; {figures['numeric_us']:.0f} µs of CPU a numeric pair"
    title = f"answers: {pace}\nwrong verdicts · precision · recall of yes"
    table = Table("kind", "pairs", "unsure", OURS, *PEERS, title=title)
    for kind, row in (*figures["kinds"].items(), ("all", figures["all"])):
        cells = (_cell(row[name]) if name in row else "-" for name in (OURS, *PEERS))
        table.add_row(kind, str(row[OURS]["pairs"]), str(row[OURS]["unsure"]), *cells)
    console.print(table)


def _cell(row: dict[str, Any]) -> str:
    shares = ("-" if row[name] is None else f"{row[name]:.0%}" for name in ("precision", "recall"))
    return f"{row['wrong']} · {' · '.join(shares)}"
