"""Does it land on the key, is the trace sound, and is more wanted?"""

import pytest

from schemas.events import AuditJudged, Event, ProblemRejected, SolutionChecked, SolutionRequested, SolutionSynthesized
from schemas.item import Attempt, Item, Verdict, Vote
from services.answer_checker.handler import CheckAnswer
from services.answer_checker.judge_audit import AuditJudge
from services.answer_checker.trace import find_flaws, repetition_share
from services.simulator.api.request import ChatRequest
from services.simulator.bank import SUBJECTS, Bank
from services.simulator.roles.registry import reply_to
from services.simulator.roles.reply import TaskInput
from services.simulator.settings import Settings
from shared.answers.extract import final_answer
from shared.answers.grade import Graders
from shared.answers.judge import Judge
from shared.ports import TaggedEvent
from shared.stats.belief_model import JudgeRates, Parameters, Solving
from shared.stats.item_belief import DEFAULTS, item_belief
from tests.support.fake_models import GRADER, PROBLEM, ScriptedModel, event, item, provenance

THINKING = "The lens space has homotopy classes of self-maps, and those of degree one are counted by its torsion."


def attempt(
    answer: str | None, *flaws: str, index: int = 0, reasoning: str = THINKING, solution: str = "So."
) -> Attempt:
    return Attempt(
        index=index, reasoning=reasoning, solution=solution, answer=answer, flaws=flaws, provenance=provenance()
    )


async def check(
    new: Attempt,
    *earlier: Attempt,
    traces: int = 1,
    retries: int = 1,
    verdicts: tuple[Verdict, ...] = (),
    policy: str = "evidence",
) -> list[Event]:
    output = event(SolutionSynthesized, item().with_(attempts=earlier, verdicts=verdicts), attempt=new)
    events = list(await CheckAnswer(GRADER, traces, retries, policy)(output))
    assert all(isinstance(one, Event) for one in events)
    return [one for one in events if isinstance(one, Event)]


@pytest.mark.parametrize(
    ("new", "agrees", "method", "flaws"),
    [
        (attempt("8,128"), "yes", "numeric", ()),
        (attempt("8129"), "no", "numeric", ()),
        (attempt("about eight thousand"), "unsure", "none", ()),
        (attempt(None), "unsure", "no_answer", ("no_answer",)),
        (attempt("8128", "too_long"), "unsure", "too_long", ("too_long",)),
        (attempt("8128", reasoning="", solution=THINKING), "yes", "normal_form", ("no_thinking",)),
        (attempt("8128", reasoning=f"{THINKING} So again: " * 50), "yes", "normal_form", ("repetition",)),
        (attempt("8128", solution="Wait, 8129.</think>"), "yes", "normal_form", ("unclosed",)),
        (attempt("8128", reasoning=f"{THINKING}<|endoftext|> Again."), "yes", "normal_form", ("control_token",)),
        (attempt("8128", reasoning=f"{THINKING} </think> Wait."), "yes", "normal_form", ("control_token",)),
        (attempt("8128", solution="It is 8128.<|im_end|>"), "yes", "normal_form", ("control_token",)),
        (attempt("8128", solution="It is 8128.</s>"), "yes", "normal_form", ("control_token",)),
        (attempt("8128", solution="<|eot_id|><|im_start|>user"), "yes", "normal_form", ("control_token",)),
        (
            attempt("8128", reasoning=f"{THINKING} 让我再想一想这个问题的答案是多少"),
            "yes",
            "normal_form",
            ("foreign_script",),
        ),
        (attempt("8128", reasoning=f"{THINKING} $\\pi_1 = ℤ_7, 𝔽_2, ∀ω$"), "yes", "normal_form", ()),
        (attempt("8128", reasoning="A sonnet has fourteen lines."), "yes", "normal_form", ("off_topic",)),
        (attempt("8128", reasoning=f"{THINKING} The Reference Answer is 8128."), "yes", "normal_form", ("told",)),
    ],
)
async def test_outcomes(new: Attempt, agrees: str, method: str, flaws: tuple[str, ...]) -> None:
    [checked, *_] = await check(new)
    assert isinstance(checked, SolutionChecked)
    last = checked.item.attempts[-1]
    assert (last.agrees, last.method, last.flaws) == (agrees, method, flaws)


@pytest.mark.parametrize(
    ("answers", "traces", "retries", "more"),
    [
        (["8128"], 1, 3, False),
        (["6"], 1, 0, False),
        (["6"], 1, 1, True),
        (["6", "6"], 1, 1, False),
        (["8128"], 2, 0, True),
        (["8128", "6"], 2, 1, False),
    ],
)
async def test_asks_for_more_while_it_is_worth_it(answers: list[str], traces: int, retries: int, more: bool) -> None:
    *earlier, last = [attempt(answer, index=index) for index, answer in enumerate(answers)]
    done = tuple(one.with_(agrees="yes" if one.answer == "8128" else "no") for one in earlier)
    checked, *requests = await check(last, *done, traces=traces, retries=retries)
    assert isinstance(checked, SolutionChecked)
    assert checked.final is not more
    assert [type(request) for request in requests] == [SolutionRequested] * more
    for request in requests:
        assert isinstance(request, SolutionRequested)
        assert request.item.attempts == checked.item.attempts
        assert [step.type for step in request.item.lineage][-2:] == ["solution.checked", "solution.requested"]


def test_a_long_text_of_its_own_words_is_no_loop() -> None:
    text = " ".join(f"step {n} uses lemma {n * 7 % 101} of the paper" for n in range(1000))
    assert repetition_share(text) == 0
    assert repetition_share(f"{text} {'wait, let me redo this ' * 1000}") > 0.3


async def test_what_a_judge_was_paid_for_stands_in_the_lineage() -> None:
    grade = '{"agrees": "yes", "reason": "Two to the 13th, less 64."}'
    judge = ScriptedModel("../shared/answers", "same_answer", grade, grade)
    output = event(SolutionSynthesized, item(), attempt=attempt("about eight thousand"))
    [checked] = await CheckAnswer(Graders(None, Judge(judge, "answer_checker")), traces=1, retries=1)(output)
    assert isinstance(checked, SolutionChecked)
    assert (checked.item.attempts[-1].agrees, checked.item.attempts[-1].method) == ("yes", "judge")
    assert [call.seed for call in checked.item.lineage[-1].calls] == judge.seeds
    assert PROBLEM.rationale not in judge.asked[0]


async def test_a_share_of_the_items_measures_the_judge_on_a_decided_pair() -> None:
    audits: list[AuditJudged] = []
    for index in range(24):
        grade = '{"agrees": "no", "reason": "Other words."}'
        model = ScriptedModel("../shared/answers", "same_answer", grade, grade)
        audit = AuditJudge(Judge(model, "answer_checker"), rate=1.0)
        made = event(SolutionSynthesized, item(index=index), attempt=attempt("8128"))
        last, tagged = await CheckAnswer(GRADER, traces=1, retries=1, audit_judge=audit)(made)
        assert isinstance(last, SolutionChecked)
        assert isinstance(tagged, TaggedEvent)
        found = tagged.event
        assert isinstance(found, AuditJudged)
        assert tagged.tag == found.mark
        assert last.item.id != found.item.id
        assert len(found.item.calls) == 2
        audits.append(found)
    assert {(found.mark.kind, found.accepted, found.found["judge"]) for found in audits} == {
        ("control-judge-equal", False, "noticed"),
        ("judge-different", False, "noticed"),
    }
    assert len({found.item.id for found in audits}) == len(audits)
    none = AuditJudge(Judge(ScriptedModel("../shared/answers", "same_answer"), "answer_checker"), rate=0.0)
    assert await none(made, item()) is None


def test_no_trace_of_the_simulator_is_called_unsound() -> None:
    bank, traces = Bank(0), 0
    for subject in SUBJECTS:
        for problem in bank.problems(subject)[::12]:
            for seed in range(2):
                asked = {"model": "sim-base", "messages": [{"role": "user", "content": problem.text}], "seed": seed}
                reply = reply_to(TaskInput(ChatRequest.model_validate(asked), bank, Settings()))
                found = attempt(final_answer(reply.content), reasoning=reply.reasoning, solution=reply.content)
                assert find_flaws(found, problem.text) == (), problem.text
                traces += 1
    assert traces == 1800


def test_a_problem_in_another_script_may_be_thought_about_in_it() -> None:
    problem = "设 L(7,2) 为透镜空间。它有多少个度为一的自映射同伦类?"
    found = attempt("8128", reasoning="透镜空间的自映射同伦类由度决定,因此我们计算度为一的类。")
    assert find_flaws(found, problem) == ()
    assert find_flaws(found, PROBLEM.statement) == ("foreign_script", "off_topic")


def blind(*answers: str) -> Verdict:
    votes = tuple(Vote(answer=one, agrees="yes" if one == "8128" else "no", method="numeric") for one in answers)
    return Verdict(role="verifier-a", model="m", problem_hash="h", votes=votes)


@pytest.mark.parametrize(
    ("answers", "verdict", "policy", "disputed"),
    [
        (["1/2", "7"], blind("0.5", "8128"), "evidence", True),
        (["7", "1/2"], blind("0.5", "8128"), "evidence", True),
        (["1/2", "8128"], blind("0.5", "8128"), "evidence", False),
        (["1/2", "7"], blind("9", "8128"), "evidence", False),
        (["1/2", "7"], blind("0.5", "8128"), "paper", False),
    ],
)
async def test_a_solver_that_only_ever_finds_a_blind_rival_disputes_the_key(
    answers: list[str], verdict: Verdict, policy: str, disputed: bool
) -> None:
    first, last = (attempt(answer, index=index) for index, answer in enumerate(answers))
    [early, _] = await check(first, verdicts=(verdict,), policy=policy)
    assert isinstance(early, SolutionChecked)
    [end] = await check(last, *early.item.attempts, verdicts=(verdict,), policy=policy)
    assert isinstance(end, ProblemRejected if disputed else SolutionChecked)
    assert len(end.item.attempts) == 2
    if isinstance(end, ProblemRejected):
        assert (end.reason, end.item.tier, end.item.tier_reason) == ("key_disputed", "disputed", end.detail)


def believed(parameters: Parameters) -> Item:
    """An item as the panel accepted it by belief."""
    verdicts = tuple(blind("8128").with_(role=f"verifier-{name}") for name in "ab")
    belief = item_belief(verdicts, PROBLEM, parameters, {"sft": 0.97, "rl": 0.96})
    return item().with_(verdicts=verdicts, tier="verified", belief=belief)


@pytest.mark.parametrize(
    "parameters",
    [
        DEFAULTS,
        Parameters(wrong_keys=0.3, judge_by_sight=(("hit", JudgeRates(0.4, 0.02)),)),
        Parameters(solving=Solving(abilities=(0.0, -1.0), dependence=0.2)),
    ],
)
async def test_belief_counts_the_solver_by_the_parameters_of_the_decision(parameters: Parameters) -> None:
    before = believed(parameters)
    assert before.belief is not None
    for answer, sign in (("8128", 1), ("9", -1), ("about nine", 0)):
        made = event(SolutionSynthesized, before, attempt=attempt(answer))
        [end] = await CheckAnswer(GRADER, traces=1, retries=0)(made)
        assert isinstance(end, SolutionChecked)
        after = end.item.belief
        assert after is not None
        assert (after.key > before.belief.key) - (after.key < before.belief.key) == sign
        assert after.key + sum(after.rivals.values()) + after.unseen == pytest.approx(1)
        assert (after.parameters, after.thresholds) == (before.belief.parameters, before.belief.thresholds)
        assert (end.item.lineage[-1].belief == after) is bool(sign)


async def test_belief_stays_for_unknown_parameters_and_for_a_flawed_trace() -> None:
    known = believed(DEFAULTS)
    assert known.belief is not None
    unknown = known.with_(belief=known.belief.with_(parameters="of another version"))
    for made, flaw in ((unknown, ""), (known, " The reference answer is 9.")):
        synthesized = event(SolutionSynthesized, made, attempt=attempt("9", reasoning=THINKING + flaw))
        [end] = await CheckAnswer(GRADER, traces=1, retries=0)(synthesized)
        assert isinstance(end, SolutionChecked)
        assert end.item.belief == made.belief


async def test_an_unsound_trace_disputes_nothing() -> None:
    copied = attempt("0.5", reasoning=f"{THINKING} The provided answer is wrong.")
    [end] = await check(copied, retries=0, verdicts=(blind("1/2", "8128"),))
    assert isinstance(end, SolutionChecked)
    assert end.final


async def test_an_imported_solution_is_checked_but_is_no_evidence() -> None:
    imported = attempt("8128").with_(provenance=provenance().with_(role="import"))
    [checked, request] = await check(attempt("8129", index=1), imported)
    assert isinstance(checked, SolutionChecked)
    assert isinstance(request, SolutionRequested)  # the solver missed, so it tries again
    assert [one.agrees for one in checked.item.attempts] == ["yes", "no"]
    votes = (Vote(answer="8129", agrees="no", method="numeric"),)
    verdicts = tuple(Verdict(role=f"verifier-{x}", model="m", problem_hash="h", votes=votes) for x in "ab")
    [rejected] = await check(attempt("8129", index=1), imported, retries=0, verdicts=verdicts)
    assert isinstance(rejected, ProblemRejected)
    assert rejected.reason == "key_disputed"
