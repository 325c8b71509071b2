"""Which answers agree. Each row is one that math-verify or a naive rule gets wrong, or that must stay decided."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator

import pytest

from shared.answers.extract import final_answer
from shared.answers.grade import Graders, standard
from shared.answers.symbolic import SymbolicWorker


@pytest.fixture(scope="session")
async def grader() -> AsyncIterator[Graders]:
    worker = SymbolicWorker(limit_s=3.0)
    yield standard(worker)
    await worker.aclose()


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"\boxed{1}, no: \boxed{\frac{1}{2}} it is", r"\frac{1}{2}"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\boxed{\left\{ x \}", None),
        (r"\boxed{}", None),
        ("The answer is 4.", None),
    ],
)
def test_final_answer(text: str, answer: str | None) -> None:
    assert final_answer(text) == answer


@pytest.mark.parametrize(
    ("key", "answer", "agrees"),
    [
        ("1234567", "1,234,567", "yes"),
        (r"1\,000", "1000", "yes"),
        ("1e6", r"10^6", "yes"),
        ("1e6", "1", "no"),
        (r"6.02 \times 10^{23}", "6.022e23", "yes"),
        (r"\frac{3}{4}", "0.75", "yes"),
        ("x = 5", "$5$.", "yes"),
        ("42", "41.97", "no"),
        ("3.14", "3.14159", "yes"),
        ("3.14159", "3.14", "unsure"),
        ("1/3", "0.333", "unsure"),
        ("0.5", "0.53", "unsure"),
        ("50%", "0.5", "unsure"),
        (r"50\%", "50 %", "yes"),
        (r"12 \text{ cm}", "12", "unsure"),
        (r"12 \text{ cm}", "13 cm", "no"),
        ("3 1/2", "3/2", "unsure"),
        ("2 n + 1", "1 + 2n", "yes"),
        ("4.2 m s^{-1}", "4.3 m s^{-1}", "no"),
        ("(1,2)", r"\{1,2\}", "unsure"),
        ("(1,2)", "(2,1)", "no"),
        (r"\{1,2\}", r"\{2, 1\}", "yes"),
        ("3 or 4", "3", "unsure"),
        ("x", "X", "unsure"),
        ("x^2+2x+1", "(x+1)^2", "yes"),
        ("2n+1", "2n-1", "no"),
        (r"\sqrt{2}", "1.414", "unsure"),
        (r"\sqrt{2}", "1.5", "no"),
        (r"n \log n", r"n \ln n", "unsure"),
        (r"e^{i\pi}", "-1", "unsure"),
        (r"\frac{\pi^2}{6}", r"\zeta(2)", "unsure"),
        ("C_2H_6", "C_2H_4", "unsure"),
        ("9" * 5000, "9" * 4999, "unsure"),
    ],
)
async def test_agreement(grader: Graders, key: str, answer: str, agrees: str) -> None:
    found = await grader.compare(key, answer, "expression")
    assert found.agrees == agrees, found


@pytest.mark.parametrize(
    ("key", "answer", "agrees"),
    [
        ("The Bronze Horseman", r"\text{bronze horseman}.", "yes"),
        ("Yes", "no", "no"),
        ("Pushkin", "A. Pushkin", "unsure"),
    ],
)
async def test_words(grader: Graders, key: str, answer: str, agrees: str) -> None:
    assert (await grader.compare(key, answer, "text")).agrees == agrees


async def test_an_endless_comparison_ends_and_the_next_one_is_answered() -> None:
    worker = SymbolicWorker(limit_s=0.5)
    assert (await worker.compare("x", "x")).agrees == "yes"
    started = time.monotonic()
    late = await worker.compare("10^{10^{10}}", "3")
    assert time.monotonic() - started < 5
    assert (late.agrees, late.reason) == ("unsure", "gave up after 0.5 s")
    assert (await worker.compare("x+y", "y+x")).agrees == "yes"
    await worker.aclose()


def test_no_worker_outlives_a_killed_parent() -> None:
    program = (
        "import asyncio, os, signal\n"
        "from shared.answers.symbolic import SymbolicWorker\n"
        "async def main():\n"
        "    worker = SymbolicWorker()\n"
        "    await worker.compare('x', 'y')\n"
        "    print(worker._process.pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    parent = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert parent.returncode == -signal.SIGKILL
    pid = int(parent.stdout)
    for _ in range(50):
        if not _runs(pid):
            return
        time.sleep(0.1)
    pytest.fail("the worker is still there")


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().split(")")[-1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
