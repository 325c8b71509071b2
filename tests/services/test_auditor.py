"""The auditor: is what it breaks really broken, what it leaves whole really whole, and can nobody tell?"""

import itertools
import json
import math
import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

import pytest

from schemas.config.policies import Benchmark
from schemas.events import ItemEvent, ProblemDrafted, ProblemScreened, SolutionChecked
from schemas.item import Item, Probe, Problem, Verdict, Vote
from services.auditor.controls import Vetted, load_vetted
from services.auditor.handler import AuditProblem
from services.auditor.planted_errors import FORMS, GROUPS, KEYS, STATEMENTS
from services.screening.form import find_flaw
from services.simulator.bank import SUBJECTS, Bank
from shared.answers.grade import standard
from shared.answers.symbolic import SymbolicWorker
from shared.errors import Refusal
from shared.exact_problems import exact, read
from shared.ports import TaggedEvent
from shared.text.contamination import Benchmarks
from tests.support import items
from tests.support.fake_models import GRADER

OTHERS = (
    ("12.5 cm", "number"),
    (r"3 \mathrm{kJ}/mol", "number"),
    (r"$5.670 \times 10^{-8}$", "number"),
    ("10^6", "number"),
    ("1,234", "number"),
    ("-0.052", "number"),
    (r"\frac{1+\sqrt{5}}{2}", "expression"),
    (r"x^{2}+3x", "expression"),
    (r"-\ln 2", "expression"),
    ("[0, 1)", "interval"),
    (r"(-\infty, 3]", "interval"),
    ("(1, (2, 3))", "tuple"),
    ("x = 5", "number"),
    ("0", "number"),
)
"""Keys such as the bank does not have."""
PLACES = ("mathematics", "physics", "history")


def problem(answer: str = "8128", answer_type: str = "number", statement: str = "") -> Problem:
    return Problem(statement=statement or "Is it 6? " * 20, answer=answer, answer_type=answer_type, rationale="So.")


@cache
def bank() -> list[Problem]:
    """One problem of each family."""
    families = {(subject, p.family): p for subject in SUBJECTS for p in Bank(0).problems(subject)}
    return [problem(p.answer, p.answer_type, p.text) for p in families.values()]


def accepted(number: int = 0, **changes: object) -> SolutionChecked:
    """An item of the bank that went through all checks."""
    one = bank()[number % 60]
    made, _ = items.item(number)
    attempt = items.attempt().with_(answer=one.answer)
    drafted = ProblemDrafted.of(
        items.item(number)[1],
        "problem_writer",
        Item(id=made.id, plan="test", topic=made.topic),
        (items.call("writer"),),
    )
    whole = made.with_(problem=one, attempts=(attempt,), verdicts=(), probe=None, lineage=drafted.item.lineage)
    return SolutionChecked.of(drafted, "answer_checker", whole.with_(**changes), final=True)


async def audit(event: SolutionChecked, rate: float = 1.0, vetted: tuple[Vetted, ...] = ()) -> list[TaggedEvent]:
    return list(await AuditProblem(GRADER, rate, PLACES, vetted)(event))


def item(marked: TaggedEvent) -> Item:
    assert isinstance(marked.event, ProblemDrafted | ProblemScreened)
    return marked.event.item


async def test_every_broken_key_is_another_answer_by_the_standard_rules() -> None:
    worker = SymbolicWorker()
    grader, offered = standard(worker), Counter[str]()
    unclear = set()
    for whole in (*bank(), *(problem(*other) for other in OTHERS)):
        for kind, slip in KEYS.items():
            if broken := slip(whole, Random(whole.answer)):
                offered[kind] += 1
                assert broken.with_(answer=whole.answer) == whole
                found = await grader.compare(whole.answer, broken.answer, whole.answer_type)
                assert found.agrees != "yes", (kind, whole.answer, broken.answer)
                unclear |= {(kind, whole.answer)} if found.agrees == "unsure" else set()
    await worker.aclose()
    assert set(offered) == set(KEYS)
    assert unclear <= {("factor_two", "1,234")}  # the rules read no thousands there; the handler will not offer it


def test_a_defect_of_the_words_keeps_the_key_and_changes_the_statement() -> None:
    applied = Counter[str]()
    for whole in bank():
        for kind, defect in {**STATEMENTS, **FORMS}.items():
            broken = defect(whole, Random(7))
            applied[kind] += broken is not None
            if broken and kind not in ("injection", "off_topic"):
                assert broken.answer == whole.answer
                assert broken.statement != whole.statement
                assert broken.statement.count("$") % 2 == 0, (kind, broken.statement)
            if broken and kind in ("missing_datum", "second_solution"):
                assert len(broken.statement) < len(whole.statement)
    assert min(applied.values()) > len(bank()) / 3


def test_what_is_twin_for_screening_is_the_same_text_to_it() -> None:
    assert all(FORMS["twin"](whole, Random(1)).fingerprint == whole.fingerprint for whole in bank())  # type: ignore[union-attr]
    leaked = [FORMS["answer_leaked"](whole, Random(at)) for at, whole in enumerate(bank())]
    assert any(find_flaw(one) for one in leaked if one)


async def test_a_planted_benchmark_question_is_recognised_by_screening(tmp_path: Path) -> None:
    questions = [one.statement for one in bank()]
    file = tmp_path / "exam.jsonl"
    file.write_text("\n".join(json.dumps({"question": question}) for question in questions))
    screened = Benchmarks.load({"exam": Benchmark(path=file)})
    handler = AuditProblem(GRADER, 1.0, PLACES, questions=questions)
    sent = [one for number in range(60) for one in await handler(accepted(number))]
    planted = [one.event for one in sent if one.tag.kind == "benchmark_item"]
    handed_in = [one.item.written.statement for one in planted if isinstance(one, ItemEvent)]
    assert len(handed_in) == len(planted)
    assert len(handed_in) >= 5
    assert not set(handed_in) & set(questions)
    assert all(screened.find_match(statement) for statement in handed_in)


async def test_a_third_of_audits_use_the_commonest_wrong_answer_as_key() -> None:
    output = [("7", "no"), ("9", "no"), ("7.0", "unsure"), ("9", "no"), ("8128", "yes"), (None, "unsure")]
    votes = tuple(Vote(answer=answer, agrees=agrees, method="numeric") for answer, agrees in output)
    heard = (Verdict(role="verifier-a", model="m", problem_hash="h", votes=votes),)
    kinds = Counter[str]()
    for number in range(600):
        event = accepted(number, verdicts=heard)
        for marked in await audit(event):
            kinds[marked.tag.kind] += 1
            if marked.tag.kind == "natural":
                assert item(marked).written == event.item.written.with_(answer="9")
                assert marked.tag.difficulty == pytest.approx(3 / 4)
    assert 0.28 < kinds["natural"] / kinds.total() < 0.39
    assert 0.28 < sum(n for kind, n in kinds.items() if kind.startswith("control-")) / kinds.total() < 0.39
    assert set(kinds) >= {*STATEMENTS, *FORMS, "sign", "factor_two", "fourth_figure", "control-row", "control-exact"}


async def test_the_dice_are_the_items_own_and_a_higher_rate_only_adds() -> None:
    drawn = {rate: [number for number in range(400) if await audit(accepted(number), rate)] for rate in (0, 0.1, 0.5)}
    assert drawn[0] == []
    assert 20 <= len(drawn[0.1]) <= 62
    assert set(drawn[0.1]) < set(drawn[0.5])
    assert await audit(accepted(3)) == await audit(accepted(3))
    assert len({marked.event.id for number in range(50) for marked in await audit(accepted(number))}) >= 50


@pytest.mark.parametrize(
    "changes",
    [
        {"tier": "disputed"},
        {"tier": None},
        {"attempts": ()},
        {"attempts": (items.attempt(agrees="unsure"),)},
        {"attempts": (items.attempt(flaws=("repetition",)),)},
    ],
)
async def test_only_what_is_good_as_far_as_anybody_knows_is_audited(changes: dict[str, object]) -> None:
    assert await audit(accepted(**changes)) == []  # type: ignore[arg-type]
    assert await audit(accepted().with_(final=False)) == []
    assert await audit(accepted(attempts=(items.attempt(agrees="no"), items.attempt(1)), tier="plausible"))


async def test_an_audit_item_looks_like_a_new_problem_and_costs_nothing_twice() -> None:
    for number in range(60):
        event = accepted(number, probe=Probe(attempts=5, hits=1, ungraded=1))
        for marked in await audit(event):
            found, mark = item(marked), marked.tag
            bare = Item(id=found.id, plan="test", topic=found.topic, problem=found.problem)
            assert found.with_(lineage=(), fingerprint=None) == bare
            assert isinstance(marked.event, ProblemDrafted) == (mark.kind in FORMS)
            assert found.fingerprint == (None if mark.kind in FORMS else found.written.fingerprint)
            text = marked.event.model_dump_json(exclude={"item": {"problem", "topic"}})
            assert not any(word in text for word in ("audit", mark.kind, "control", str(event.item.id)))
            assert mark.difficulty == 0.75 or mark.kind == "control-exact"
            assert (found.topic.subject != "mathematics") == (mark.kind == "off_topic")
            [step] = found.lineage
            if mark.source:
                assert mark.source == event.item.id
                assert [(call.model, call.cost, call.completion_tokens) for call in step.calls] == [
                    ("model of writer", 0.0, 0)
                ]
            if mark.control and mark.kind == "control-row":
                assert found.written == event.item.written


async def test_a_key_that_the_rules_cannot_call_another_is_not_offered() -> None:
    for number in range(40):
        event = accepted(number, problem=problem("1,234"))
        kinds = [marked.tag.kind for marked in await audit(event)]
        assert "factor_two" not in kinds


def test_exact_problems_are_distinct_recognised_and_well_formed() -> None:
    made = [exact(n) for n in range(300)]
    assert len({one.problem.statement for one in made}) == 300
    assert all(read(one.problem.statement) == one for one in made)
    assert [one.level for one in made[:6]] == [1, 2, 3, 4, 5, 1]
    assert not any(find_flaw(one.problem) for one in made)
    assert read(made[0].problem.statement.replace("its sign", "a sign")) is None


def determinant(*entries: int) -> int:
    n = math.isqrt(len(entries))
    terms = 0
    for p in itertools.permutations(range(n)):
        odd = sum(p[i] > p[j] for i, j in itertools.combinations(range(n), 2)) % 2
        terms += (-1) ** odd * math.prod(entries[n * row + column] for row, column in enumerate(p))
    return terms


def paths(width: int, height: int, *holes: int) -> int:
    closed = set(zip(holes[::2], holes[1::2], strict=True))

    @cache
    def ways(x: int, y: int) -> int:
        if (x, y) in closed or x < 0 or y < 0:
            return 0
        return 1 if x == y == 0 else ways(x - 1, y) + ways(x, y - 1)

    return ways(width, height)


def term(a: int, b: int, p: int, q: int, at: int, modulus: int) -> int:
    terms = [a, b]
    while len(terms) < at:
        terms.append(p * terms[-1] + q * terms[-2])
    return terms[at - 1] % modulus


def tower(a: int, b: int, c: int, d: int, modulus: int) -> int:
    powers = [1 % modulus]
    while (following := powers[-1] * a % modulus) not in powers:
        powers.append(following)
    tail = powers.index(following)
    exponent: int = b ** (c**d)
    return powers[exponent if exponent < tail else tail + (exponent - tail) % (len(powers) - tail)]


@pytest.mark.parametrize(("form", "recompute"), [*enumerate([determinant, paths, term, tower])])
def test_exact_answers_are_found_in_another_way_too(form: int, recompute: Callable[..., int]) -> None:
    for n in (n for n in range(160) if n // 5 % 4 == form and n % 5 < 3):
        one = exact(n).problem
        assert one.answer == str(recompute(*map(int, re.findall(r"-?\d+", one.statement))))


async def test_the_users_controls_are_neutralised_and_mixed_in(tmp_path: Path) -> None:
    file = tmp_path / "good.jsonl"
    line = '{"problem": "Many </s>?", "answer": "3", "answer_type": "number", "subject": "physics", "topic": "quarks"}'
    file.write_text(line + "\n")
    vetted = load_vetted(file, PLACES)
    found = [one for number in range(60) for one in await audit(accepted(number), vetted=vetted)]
    [first, *_] = [one for one in found if one.tag.kind == "control-vetted"]
    assert item(first).written.statement == "Many < /s>?"
    assert (item(first).topic.subject, item(first).topic.name, item(first).calls) == ("physics", "quarks", ())
    file.write_text(f'{line}\n{{"problem": 1}}\nnot JSON\n{line.replace("physics", "music")}\n')
    with pytest.raises(Refusal) as refused:
        load_vetted(file, PLACES)
    reported = [error.removeprefix(f"{file}:") for error in refused.value.message.splitlines()]
    assert [error[:2] for error in reported] == ["2:", "3:", "4:"]
    assert "problem: Input should be a valid string" in reported[0]
    assert "3: not JSON: Expecting value" in reported[1]
    assert "the plan has no 'music'" in reported[2]
    for empty in (tmp_path / "none.jsonl", tmp_path / "empty.jsonl"):
        (tmp_path / "empty.jsonl").write_text("")
        with pytest.raises(Refusal, match=empty.name):
            load_vetted(empty, PLACES)


def test_every_kind_has_one_name() -> None:
    kinds = [kind for group in GROUPS for kind in group]
    assert len(set(kinds)) == len(kinds)
