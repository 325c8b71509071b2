"""Solved blind, then judged."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from schemas.config.models_config import Endpoint, ModelsConfig, RoleModel, Roles
from schemas.events import ProblemScreened, ProblemVerified
from schemas.item import Item, Problem, Step, Verdict, Vote
from services.panel.tiers import by_evidence
from services.verifier.__main__ import PROMPTS
from services.verifier.handler import VerifyProblem
from shared.answers.grade import Graders, standard
from shared.answers.symbolic import SymbolicWorker
from shared.llm import Models, Prompt
from shared.ports import Comparison, Reply
from tests.support.fake_models import GRADER, PROBLEM, TOPIC, ScriptedModel, event, item, provenance
from tests.support.items import attempt

POINTS = ("well_posed", "self_contained", "unique_answer", "correct", "hard_enough", "established")
SUBJECTS = ("mathematics", "physics", "history")


def output(subjects: tuple[str, ...] = ("mathematics",), canary: str = "CANARY", **points: bool) -> str:
    good = {**dict.fromkeys(POINTS, True), **points}
    reasons = {point: f"about {point}" for point in POINTS}
    return json.dumps({"reasons": reasons, **good, "subjects": subjects, "reason": "It holds.", "canary": canary})


def canary_of(prompt: str) -> str:
    reported = re.search(r"Repeat the word (\w+)", prompt)
    assert reported
    return reported[1]


class Judge(ScriptedModel):
    """Repeats the canary of its prompt where its line has CANARY."""

    async def complete(self, fields: Mapping[str, str], *, seed: int) -> Reply:
        prompt = "\n".join(message["content"] for message in self.prompt.messages(fields, seed))
        self.lines[0] = self.lines[0].replace("CANARY", canary_of(prompt))
        return await super().complete(fields, seed=seed)


def blind(*lines: str) -> ScriptedModel:
    return ScriptedModel("verifier", "blind", *lines)


def judge(line: str = "") -> ScriptedModel:
    return Judge("verifier", "judgement", line or output())


async def verify(
    blind: ScriptedModel, judge: ScriptedModel, role: str = "verifier-a", about: Item | None = None
) -> ProblemVerified:
    screened = event(ProblemScreened, about or item())
    [verified] = await VerifyProblem(role, blind, judge, GRADER, 3, SUBJECTS)(screened)
    assert isinstance(verified, ProblemVerified)
    return verified


async def test_a_hit_ends_the_attempts() -> None:
    verified = await verify(blind(r"So \boxed{8128}"), judge())
    assert [vote.agrees for vote in verified.verdict.votes] == ["yes"]
    assert verified.verdict.judgement is not None
    assert verified.verdict.judgement.good
    assert verified.verdict.judgement.reasons["correct"] == "about correct"
    assert verified.verdict.problem_hash == PROBLEM.hash
    assert len(verified.item.calls) == 2


async def test_misses_lead_to_more_attempts_and_all_are_on_record() -> None:
    asked = judge()
    verified = await verify(blind(r"\boxed{6}", ScriptedModel.CUT + r"\boxed{8128}", "I do not know."), asked)
    votes = [(vote.answer, vote.agrees, vote.method) for vote in verified.verdict.votes]
    assert votes == [("6", "no", "numeric"), (None, "unsure", "too_long"), (None, "unsure", "no_answer")]
    assert verified.verdict.hits == 0
    lines = [re.sub("</?data-.*?>", "", line) for line in asked.asked[0].splitlines()]
    assert "Proposed answer: 8128" in lines
    assert "Answers found without knowing the proposed one: 6" in lines


async def test_a_hit_that_may_be_chance_does_not_end_the_attempts() -> None:
    yes = item(Problem(statement="Is every such group, as was defined above, soluble?", answer="yes",
                       answer_type="text", rationale=""))  # fmt: skip
    verified = await verify(blind(*[r"\boxed{yes}"] * 3), judge(), about=yes)
    assert verified.verdict.hits == 3


async def test_the_writers_own_model_is_requested_until_it_hits_twice() -> None:
    drafted = item().with_(lineage=(Step(service="problem_writer", event=item().id, type="problem.drafted",
                           calls=(provenance(),)),))  # fmt: skip
    lines = (r"\boxed{8128}", r"\boxed{6}", r"\boxed{8128}")
    for writer, asked in (("scripted", 3), ("another", 1)):
        solver = blind(*lines)
        solver.name = writer
        assert len((await verify(solver, judge(), about=drafted)).verdict.votes) == asked


SECRETS = {"key": "8128", "rationale": "secret reason", "writer": "the-writers-model"}


def stated_everywhere() -> Item:
    """The key, the rationale and the writer's name wherever an item has room for a text, and where it has none."""
    every = " ".join(SECRETS.values())
    problem = Problem.model_validate({**PROBLEM.model_dump(), "hint": every})
    call = provenance().with_(model=SECRETS["writer"], served=SECRETS["writer"], extra={"note": every})
    return Item.model_validate(
        item(problem).model_dump()
        | {
            "topic": TOPIC.with_(name=every, field=every, subfield=every).model_dump(),
            "plan": every,
            "tier_reason": every,
            "verdicts": [Verdict(role=every, model=every, problem_hash="h", votes=(Vote(answer="8128", agrees="yes",
                                 method=every),), unable=every).model_dump()],
            "attempts": [attempt(text=every).with_(answer="8128").model_dump()],
            "lineage": [Step(service=every, event=item().id, type="problem.drafted", calls=(call,)).model_dump()],
            "unknown_to_this_version": {"answer": "8128"},
        }
    )  # fmt: skip


@asynccontextmanager
async def endpoint() -> AsyncIterator[tuple[str, list[bytes]]]:
    """Solves wrongly and judges well; keeps every byte that it was sent."""
    seen: list[bytes] = []

    async def chat(request: web.Request) -> web.Response:
        seen.append(str(request.rel_url).encode() + repr(request.raw_headers).encode() + await request.read())
        body = await request.json()
        judged = "response_format" in body
        text = output(canary=canary_of(body["messages"][-1]["content"])) if judged else r"\boxed{6}"
        message = {"role": "assistant", "content": text}
        return web.json_response({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})

    app = web.Application()
    app.router.add_post("/v1/chat/completions", chat)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1", seen
    finally:
        await runner.cleanup()


async def test_key_rationale_and_writer_are_not_sent_before_all_blind_votes() -> None:
    async with endpoint() as (url, seen):
        part: dict[str, Any] = {"endpoint": "here", "model": "m"}
        roles = Roles(writer=RoleModel(endpoint="here", model=SECRETS["writer"]), verifier_a=RoleModel(**part),
                      verifier_b=RoleModel(**part), solver=RoleModel(**part))  # fmt: skip
        models = Models(ModelsConfig(endpoints={"here": Endpoint(base_url=url)}, roles=roles), "verifier-a")
        ask = {name: models.model("verifier_a", Prompt.load(PROMPTS / f"{name}.md")) for name in ("blind", "judgement")}
        handler = VerifyProblem("verifier-a", ask["blind"], ask["judgement"], GRADER, 3, SUBJECTS)
        [verified] = await handler(event(ProblemScreened, stated_everywhere()))
        await models.aclose()
    *solved, judged = seen
    assert len(solved) == 3
    for sent in solved:
        assert b"homotopy classes of self-maps" in sent
        assert [name for name, secret in SECRETS.items() if secret.encode() in sent] == []
    assert [name for name, secret in SECRETS.items() if secret.encode() in judged] == ["key"]
    assert TOPIC.subject.encode() in judged  # among the candidates
    assert isinstance(verified, ProblemVerified)
    assert [vote.answer for vote in verified.verdict.votes] == ["6", "6", "6"]
    assert verified.verdict.judgement is not None
    assert verified.verdict.judgement.good


async def test_the_judge_finds_the_subject_without_knowing_the_topic() -> None:
    asked = {subjects: judge(output(subjects)) for subjects in [("mathematics",), ("physics", "mathematics"), (),
             ("history",), ("physics", "history", "mathematics")]}  # fmt: skip
    found = {}
    for subjects, model in asked.items():
        verified = await verify(blind(r"\boxed{8128}"), model)
        assert verified.verdict.judgement is not None
        found[subjects] = verified.verdict.judgement.on_topic
        assert "3-manifolds" not in model.asked[0]
        assert all(subject in model.asked[0] for subject in SUBJECTS)
    assert list(found.values()) == [True, True, False, False, False]


async def test_a_subject_that_the_judge_cannot_choose_is_not_examined() -> None:
    foreign = item().with_(topic=TOPIC.with_(subject="imported"))
    handler = VerifyProblem("verifier-a", blind(r"\boxed{8128}"), judge(output(("history",))), GRADER, 3, SUBJECTS)
    [verified] = await handler(event(ProblemScreened, foreign))
    assert isinstance(verified, ProblemVerified)
    assert verified.verdict.judgement is not None
    assert verified.verdict.judgement.on_topic


async def test_the_two_verifiers_roll_different_dice() -> None:
    solvers = {role: blind(*[r"\boxed{6}"] * 3) for role in ("verifier-a", "verifier-b")}
    for role, solver in solvers.items():
        await verify(solver, judge(), role)
    seeds = [seed for solver in solvers.values() for seed in solver.seeds]
    assert len(set(seeds)) == 6


async def test_a_judge_without_json_or_canary_is_unable_and_ends_nothing() -> None:
    for line in ("Looks fine to me.", output(canary="copied")):
        verified = await verify(blind(r"\boxed{8128}"), judge(line))
        assert verified.verdict.judgement is None
        assert verified.verdict.unable
        assert verified.verdict.hits == 1
        assert len(verified.item.calls) == 2


async def test_an_answer_that_was_given_before_is_not_compared_again() -> None:
    asked: list[str] = []

    async def judging(question: str, key: str, answer: str) -> Comparison:
        asked.append(answer)
        return Comparison("no", "judge")

    solver = blind(r"\boxed{Lermontov}", r"\boxed{Gogol}", r"\boxed{Lermontov}")
    grader = Graders(None, judging)
    problem = PROBLEM.with_(answer="Pushkin", answer_type="text")
    handler = VerifyProblem("verifier-a", solver, judge(), grader, 3, SUBJECTS)
    [verified] = await handler(event(ProblemScreened, item(problem)))
    assert isinstance(verified, ProblemVerified)
    assert [vote.answer for vote in verified.verdict.votes] == ["Lermontov", "Gogol", "Lermontov"]
    assert asked == ["Lermontov", "Gogol"]


@pytest.mark.parametrize(
    ("key", "answer", "answer_type"),
    [
        (r"\gcd(a,b)", r"\gcd(a,c)", "expression"),
        (r"(1\ 2\ 3)", r"(1\ 3\ 2)", "expression"),
        (r"u\cdot v", r"u\times v", "expression"),
        (r"\frac{\partial u}{\partial x}", r"\frac{\partial u}{\partial t}", "expression"),
        ("5 km", "5 m;", "number"),
    ],
)
async def test_two_verifiers_that_find_another_answer_never_verify_the_key(
    key: str, answer: str, answer_type: str
) -> None:
    worker = SymbolicWorker()
    problem = PROBLEM.with_(answer=key, answer_type=answer_type)
    verdicts = []
    for role in ("verifier-a", "verifier-b"):
        screened = event(ProblemScreened, item(problem))
        handler = VerifyProblem(role, blind(*[rf"\boxed{{{answer}}}"] * 3), judge(), standard(worker), 3, SUBJECTS)
        [verified] = await handler(screened)
        assert isinstance(verified, ProblemVerified)
        verdicts.append(verified.verdict)
    await worker.aclose()
    assert {vote.agrees for verdict in verdicts for vote in verdict.votes} <= {"no", "unsure"}
    assert by_evidence(verdicts, problem, ()).tier in ("disputed", "unsolved")
