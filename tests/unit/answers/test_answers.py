"""Which answers agree. Each row is one that math-verify or a naive rule gets wrong, or that must stay decided."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator

import pytest

from shared.answers.extract import final_answer
from shared.answers.grade import Graders, standard
from shared.answers.judge import Judge
from shared.answers.symbolic import SymbolicWorker
from tests.support.answer_pairs import PAIRS, Pair
from tests.support.fake_models import GRADER, ScriptedModel

STOCK = ("", " ", ".", ",", ":", "Thought process:", "Solution", r"\text{Solution}", "解", "かいせつ", "Respuesta",
         "Let's solve this step by step", "Let’s solve this problem step by step.", "Here is the answer:")  # fmt: skip
"""Texts that make a judge approve anything (arXiv 2507.08794)."""
ENDLESS = [(f"(x+y+z+w+1)^{{{2 * n}}}", f"((x+y+z+w)^2+2(x+y+z+w)+1)^{{{n}}}") for n in (41, 42, 43)]
"""Equal at every point, and no machine expands them in time."""
GRADE = '{"agrees": "yes", "reason": "One person."}'


@pytest.fixture(scope="session")
async def grader() -> AsyncIterator[Graders]:
    worker = SymbolicWorker(limit_s=3.0)
    yield standard(worker)
    await worker.aclose()


@pytest.fixture(scope="session")
async def impatient() -> AsyncIterator[Graders]:
    worker = SymbolicWorker(limit_s=0.5)
    yield standard(worker)
    await worker.aclose()


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"\boxed{1}, no: \boxed{\frac{1}{2}} it is", r"\frac{1}{2}"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\boxed{\left\{ x \}", None),
        (r"\boxed{}", None),
        (r"So \boxed{7}. As told, I used \boxed{}.", "7"),
        (r"\boxed{42} or \boxed{?}", "42"),
        (r"\boxed{42}, then \boxed{", "42"),
        (r"\boxed 5", "5"),
        (r"\fbox{5}", "5"),
        (r"\boxed  {5}", "5"),
        (r"\boxed{\boxed{3}}", "3"),
        ("It follows.\n**Answer:** 8484", "8484"),
        ("Answer: 3\nbut let me check", None),
        (r"Answer: 3 and \boxed{4}", "4"),
        (r"<think>\boxed{3}", None),
        (r"<think>\boxed{3}</think> So \boxed{4}", "4"),
        (r"\boxed{4} <thinking> no: \boxed{5}", None),
        ("The answer is 4.", None),
    ],
)
def test_final_answer(text: str, answer: str | None) -> None:
    assert final_answer(text) == answer


def test_a_box_that_says_nothing_is_no_answer() -> None:
    assert [final_answer(rf"So \boxed{{{stock}}}") for stock in STOCK] == [None] * len(STOCK)
    assert [final_answer(rf"\boxed{{{real}}}") for real in ("0", "-", "B", r"\emptyset", "solvable", "step 2")] == [
        *("0", None, "B", r"\emptyset", "solvable", "step 2")
    ]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.type}: {pair.confusion}: {pair.answer[:30]!a}")
async def test_agreement(grader: Graders, pair: Pair) -> None:
    found = await grader.compare(pair.key, pair.answer, pair.type)
    assert found.agrees == pair.expected, found


@pytest.mark.parametrize("kind", ["number", "expression", "text", "set", "tuple", "interval", "matrix", "yes_no"])
@pytest.mark.parametrize(
    "answer",
    [*STOCK, "B", "(c)", "\x00"],
)
async def test_what_says_nothing_earns_no_yes_from_a_rule_nor_from_a_judge(kind: str, answer: str) -> None:
    judge = ScriptedModel("../shared/answers", "same_answer", *[GRADE] * 3)
    grader = Graders(None, Judge(judge, "verifier-a"))
    for key, given in ((answer, answer), ("42", answer), (answer, "42")):
        assert (await grader.compare(key, given, kind, "How many?")).agrees == "unsure"
    assert not judge.asked


async def test_a_bare_letter_counts_where_the_question_names_it() -> None:
    question = "Which reagent is used up first? (A) water (B) sodium"
    assert (await GRADER.compare("B", "(B)", "choice", question)).agrees == "yes"
    assert (await GRADER.compare("D", "D", "choice", question)).agrees == "unsure"
    assert (await GRADER.compare("a", "a", "text", "Is it a group?")).agrees == "unsure"


async def test_the_judge_is_called_only_where_no_rule_decides() -> None:
    judge = ScriptedModel("../shared/answers", "same_answer", *[GRADE] * 2)
    grader = Graders(None, Judge(judge, "verifier-a"))
    question = "Who wrote it?"
    assert (await grader.compare("1", "2", "number", question)).agrees == "no"
    assert (await grader.compare("Pushkin", "A. Pushkin", "text")).agrees == "unsure"
    assert not judge.asked
    found = await grader.compare("Pushkin", "A. Pushkin", "text", question)
    assert (found.agrees, found.method, found.reason, len(found.calls)) == ("yes", "judge", "One person.", 2)
    assert all(part in prompt for prompt in judge.asked for part in (question, ">Pushkin</", ">A. Pushkin</"))


@pytest.mark.parametrize("second", ["no", "unsure"])
async def test_a_judge_that_goes_by_the_order_of_the_answers_decides_nothing(second: str) -> None:
    swapped = f'{{"agrees": "{second}", "reason": "Two."}}'
    model = ScriptedModel("../shared/answers", "same_answer", GRADE, swapped)
    found = await Judge(model, "verifier-a")("Who wrote it?", "Pushkin", "A. Pushkin")
    assert (found.agrees, len(found.calls)) == ("unsure", 2)
    first, other = (prompt.index(">Pushkin</") < prompt.index(">A. Pushkin</") for prompt in model.asked)
    assert first is not other


async def test_a_judge_that_keeps_no_form_leaves_it_open_and_its_calls_on_record() -> None:
    grader = Graders(None, Judge(ScriptedModel("../shared/answers", "same_answer", "They agree."), "verifier-a"))
    found = await grader.compare("Pushkin", "A. Pushkin", "text", "Who wrote it?")
    assert (found.agrees, found.method, len(found.calls)) == ("unsure", "judge", 1)


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("3", "9**9**9**9"),
        ("3", "9^{9^{9^{9}}}"),
        ("3", "factorial(10**9)"),
        ("3", "(10^9)!"),
        ("3 km", "1 m^9999999999"),
        ("3", r"\frac{1}{" * 90 + "2" + "}" * 90),
        ("3", "(" * 400 + ")" * 400),
        (r"\{1, 2\}", r"\{" + ",".join(f"x_{n}" for n in range(150)) + r"\}"),
        (r"\{1, 2\}", r"\{" + ",".join(["9^{9^{9^{9}}}", "8^{8^{8^{8}}}"] * 9) + r"\}"),
        ("3 km", "1 " + "a " * 490 + "!"),
        ("3", "{" * 1_000_000),
        ("3", r"\frac{" * 10_000 + "1" + "}{2}" * 10_000),
        ("3", "1" * 100_000 + "x"),
        ("3", "$" + " " * 200_000 + "x"),
        ("3", "\x00" * 500),
        ("32", "\u202e3\u202d2"),
    ],
    ids=lambda value: value[:20].encode("unicode_escape").decode(),
)
async def test_a_hostile_answer_costs_only_its_time_limit(impatient: Graders, key: str, answer: str) -> None:
    started = time.monotonic()
    assert (await impatient.compare(key, answer, "expression")).agrees != "yes"
    assert time.monotonic() - started < 60
    assert (await impatient.compare("x + y", "y + x", "expression")).agrees == "yes"


async def test_an_endless_comparison_ends_and_the_next_one_is_answered() -> None:
    worker = SymbolicWorker(limit_s=0.5)
    assert (await worker.compare("x^2-1", "(x-1)(x+1)")).agrees == "yes"
    late = await worker.compare(*ENDLESS[0])
    assert (late.agrees, late.reason) == ("unsure", "gave up after 0.5 s of CPU time")
    assert (await worker.compare("2^x", "e^{x\\ln 2}")).agrees == "yes"
    await worker.aclose()


async def test_costly_pairs_delay_no_other_pair() -> None:
    worker = SymbolicWorker(limit_s=2.0)
    order: list[str] = []

    async def compare(key: str, answer: str) -> None:
        order.append((await worker.compare(key, answer)).agrees)

    await asyncio.gather(*(compare(*pair) for pair in ENDLESS), compare("(a+1)^2", "a^2+2a+1"))
    await worker.aclose()
    assert order == ["yes", *["unsure"] * len(ENDLESS)]


async def test_a_pair_is_compared_once() -> None:
    worker = SymbolicWorker(limit_s=0.3)
    first, second = [await worker.compare(*ENDLESS[0]) for _ in range(2)]
    await worker.aclose()
    assert first is second


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


async def test_each_service_has_its_own_fixed_judge_seeds() -> None:
    seeds = []
    for asker in ("verifier-a", "verifier-b", "verifier-a"):
        model = ScriptedModel("../shared/answers", "same_answer", *[GRADE] * 2)
        await Judge(model, asker)("Who wrote it?", "Pushkin", "A. Pushkin")
        seeds.append(model.seeds)
    a, b, again = seeds
    assert a == again != b
