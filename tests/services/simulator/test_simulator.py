"""The simulator over HTTP: does it speak the protocol, and does chance do what the settings declare?"""

import json
import math
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from httpx_aiohttp import AiohttpTransport

from services.simulator.answers import compare
from services.simulator.api.request import ChatRequest
from services.simulator.api.server import serve
from services.simulator.bank import SUBJECTS, Bank
from services.simulator.recognition import problem_in
from services.simulator.roles.registry import reply_to
from services.simulator.roles.reply import Reply, TaskInput
from services.simulator.roles.topics import hierarchy
from services.simulator.sampling import logistic, seeded_random
from services.simulator.settings import Settings

BANK = Bank(0)
PROBLEM = BANK.problems("physics")[0]


def body(model: str, text: str, schema: str | None = None, **more: Any) -> dict[str, Any]:
    form = {"response_format": {"type": "json_schema", "json_schema": {"name": schema}}} if schema else {}
    return {"model": model, "messages": [{"role": "user", "content": text}], **form, **more}


def played(model: str, text: str, schema: str | None = None, settings: Settings | None = None, **more: Any) -> Reply:
    request = ChatRequest.model_validate(body(model, text, schema, **more))
    return reply_to(TaskInput(request, BANK, settings or Settings()))


def holds(hits: int, chances: Iterable[float]) -> bool:
    """Tell whether a sum of independent trials lies within four standard deviations of its mean."""
    chances = list(chances)
    return abs(hits - sum(chances)) <= 4 * math.sqrt(sum(p * (1 - p) for p in chances))


@pytest_asyncio.fixture(loop_scope="session")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with (
        serve(Settings(port=0)) as url,
        httpx.AsyncClient(base_url=url, transport=AiohttpTransport()) as client,
    ):
        yield client


async def streamed(client: httpx.AsyncClient, request: dict[str, Any]) -> tuple[str, str, str, Any]:
    reasoning, content, finish, usage = "", "", "", None
    async with client.stream("POST", "/chat/completions", json=request) as response:
        lines = [line.removeprefix("data: ") async for line in response.aiter_lines() if line]
    assert lines[-1] == "[DONE]"
    for chunk in map(json.loads, lines[:-1]):
        usage = chunk.get("usage") or usage
        for choice in chunk["choices"]:
            reasoning += choice["delta"].get("reasoning", "")
            content += choice["delta"].get("content", "")
            finish = choice["finish_reason"] or finish
    return reasoning, content, finish, usage


@pytest.mark.parametrize("limit", [None, 40, 100_000])
async def test_streaming_and_not_streaming_say_the_same(client: httpx.AsyncClient, limit: int | None) -> None:
    request = body("sim-solver", PROBLEM.text, seed=3, max_tokens=limit)
    whole = (await client.post("/chat/completions", json=request)).json()
    parts = await streamed(client, {**request, "stream": True, "stream_options": {"include_usage": True}})
    (choice,) = whole["choices"]
    message = choice["message"]
    assert parts == (message["reasoning"], message["content"] or "", choice["finish_reason"], whole["usage"])
    assert whole["system_fingerprint"] == "chimera-simulator seed=0"
    assert choice["finish_reason"] == ("length" if limit == 40 else "stop")
    assert whole["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0
    if limit == 40:
        assert whole["usage"]["completion_tokens"] == 40
        assert message["content"] is None


async def test_errors_speak_as_openai_does(client: httpx.AsyncClient) -> None:
    async with (
        serve(Settings.model_validate({"port": 0, "api_key": "right"})) as url,
        httpx.AsyncClient(base_url=url, transport=AiohttpTransport(), headers={"Authorization": "Bearer no"}) as locked,
    ):
        replies = {
            (404, "model_not_found"): await client.post("/chat/completions", json=body("gpt-5", "hello")),
            (400, "invalid_request"): await client.post("/chat/completions", content=b"{not json"),
            (401, "invalid_api_key"): await locked.post("/chat/completions", json=body("sim-all", "hello")),
            (400, "unplayable"): await client.post("/chat/completions", json=body("sim-all", "hello", "poem")),
        }
        right = {"Authorization": "Bearer right"}
        assert (await locked.get("/models", headers=right)).status_code == 200
        assert (await locked.get(url.replace("/v1", "/readyz"))).status_code == 200
    for (status, code), reply in replies.items():
        assert reply.status_code == status
        assert reply.json()["error"]["code"] == code
        assert set(reply.json()["error"]) == {"message", "type", "param", "code"}


async def test_same_seed_same_words_in_any_order_and_after_a_restart(tmp_path: Path) -> None:
    texts = [BANK.problems(subject)[k].text for subject in SUBJECTS for k in (0, 50)]
    requests = [body(model, text, seed=seed) for text in texts for model in ("sim-base", "sim-all") for seed in (1, 2)]
    requests += [body("sim-writer", f"Subject: {s}\nTopic: x", "draft", seed=k) for s in SUBJECTS for k in (1, 2)]
    runs = []
    for order in (1, 2):
        shuffled = seeded_random(order).sample(requests, len(requests))
        log = tmp_path / f"{order}.jsonl"
        async with (
            serve(Settings(port=0, call_log=log)) as url,
            httpx.AsyncClient(base_url=url, transport=AiohttpTransport()) as client,
        ):
            replies = {json.dumps(r): (await client.post("/chat/completions", json=r)).text for r in shuffled}
        runs.append(replies)
        records = [json.loads(line) for line in log.read_text().splitlines()]
        assert len(records) == len(requests)
        assert {r["task"] for r in records} == {"solve", "draft"}
    assert runs[0] == runs[1]


@pytest.mark.parametrize("model", ["sim-base", "sim-solver"])
def test_the_solve_rate_is_the_logistic_of_ability_minus_difficulty(model: str) -> None:
    sample = [p for subject in SUBJECTS for p in BANK.problems(subject)[::6]]
    ability = Settings().ability(model)
    for band in (sample, [p for p in sample if p.difficulty < 0], [p for p in sample if p.difficulty > 0.7]):
        hits = 0
        for p in band:
            content = played(model, p.text, seed=7).content
            boxed = content.rpartition("\\boxed{")[2][:-1]
            assert boxed in (p.answer, *p.slips)
            hits += boxed == p.answer
        assert holds(hits, [logistic(ability - p.difficulty) for p in band])


def test_attempts_are_independent_of_each_other_and_of_the_prompt() -> None:
    hard = min(BANK.problems("history"), key=lambda p: abs(p.difficulty))
    outcomes = [played("sim-base", hard.text, seed=k).outcome == "right" for k in range(400)]
    assert holds(sum(outcomes), [logistic(-hard.difficulty)] * 400)
    other = [played("sim-base", f"Solve.\n\n{hard.text}\n\nBox it.", seed=k).outcome == "right" for k in range(400)]
    assert outcomes == other


def test_drafts_are_wrong_malformed_and_of_bad_form_as_often_as_declared() -> None:
    settings = Settings(wrong_keys=0.3, key_overlap=0.4, malformed=0.1, bad_form=0.1)
    wrong = slips = malformed = misformed = valid = 0
    for k in range(1500):
        reply = played("sim-writer", f"Subject: {SUBJECTS[k % 8]}\nTopic: t{k % 5}", "draft", settings, seed=k)
        try:
            item = json.loads(reply.content)
        except ValueError:
            malformed += 1
            continue
        valid += 1
        p = BANK.find(item["problem"])
        if p is None:
            misformed += 1
            continue
        wrong += compare(p.answer, item["answer"]) == "no"
        slips += item["answer"] in p.slips
    sound = valid - misformed
    assert holds(malformed, [0.1] * 1500)
    assert holds(misformed, [0.1] * valid)
    assert holds(wrong, [0.3] * sound)
    assert holds(slips, [0.12] * sound)


def test_a_judge_refutes_wrong_keys_at_its_ability_and_no_right_key() -> None:
    sample = BANK.problems("chemistry")[::3]
    refuted = 0
    for p in sample:
        for key in (p.answer, p.slips[0]):
            text = f"Problem:\n{p.text}\nProposed answer: {key}\nTopic: kinetics"
            verdict = json.loads(played("sim-judge", text, "judgement", seed=1).content)
            assert verdict["well_posed"]
            assert verdict["correct"] or key != p.answer
            refuted += not verdict["correct"]
    ability = Settings().ability("sim-judge")
    assert holds(refuted, [logistic(ability - p.difficulty + 1) for p in sample])


@pytest.mark.parametrize(
    "wrap", ["{}", "  {}  ", "<problem>{}</problem>", "Problem: {}", "> {}", "**Problem.** \n{}\n"]
)
def test_a_problem_is_recognised_whatever_encloses_its_line(wrap: str) -> None:
    for subject in SUBJECTS:
        for p in BANK.problems(subject)[::40]:
            assert problem_in(f"Solve this.\n{wrap.format(p.text)}\nThink well.", BANK) is p
            assert problem_in(json.dumps({"task": "solve", "problem": p.text}), BANK) is p
            assert problem_in(json.dumps({"problem": p.text}, indent=2), BANK) is p


def test_an_unknown_problem_is_not_solved_by_chance() -> None:
    reply = played("sim-all", "Prove the Riemann hypothesis, please, and state the number of its exceptions exactly.")
    assert "\\boxed{unknown}" in reply.content
    assert reply.outcome == "unknown"


@pytest.mark.parametrize("subject", SUBJECTS)
def test_topics_keep_their_order_leave_out_what_is_there_and_run_dry(subject: str) -> None:
    def ask(count: int, had: list[str]) -> list[str]:
        text = f"Subject: {subject}\nCount: {count}\nAlready have: {'; '.join(had)}"
        return [t["topic"] for t in json.loads(played("sim-writer", text, "topics").content)["topics"]]

    every = ask(1000, [])
    assert len(set(every)) == len(every) == len(hierarchy(subject)) >= (60 if subject == "mathematics" else 24)
    assert ask(10, []) == every[:10]
    assert ask(10, every[:10]) == every[10:20]
    assert ask(5, every) == []


@pytest.mark.parametrize(
    ("key", "answer", "verdict"),
    [
        ("\\frac{3}{4}", "$0.75$", "yes"),
        ("12.30", "12.3", "yes"),
        ("12", "-12", "no"),
        ("Wednesday", "wednesday.", "yes"),
        ("\\{1, 2\\}", "(1, 2)", "no"),
        ("7", "", "unsure"),
        ("16", "exactly 16, no more and no less", "yes"),
        ("16", "the result is 17", "no"),
        ("16 (as the only answer)", "16", "yes"),
    ],
)
def test_grading_compares_values_not_letters(key: str, answer: str, verdict: str) -> None:
    reply = played("sim-judge", f"Key: {key}\nAnswer: {answer}\n", "grade")
    assert json.loads(reply.content)["agrees"] == verdict


def test_wrong_answers_agree_as_often_as_the_settings_say() -> None:
    settings, sample = Settings(error_agreement=0.3), BANK.problems("mathematics")[::3]
    errors = [
        (p, played("sim-base", p.text, settings=settings, seed=k)) for p in sample for k in range(8) if p.difficulty > 0
    ]
    answers = [(p, one.content.rpartition("\\boxed{")[2][:-1]) for p, one in errors if one.outcome == "wrong"]
    common = sum(answer == p.slips[0] for p, answer in answers)
    # Attempts at one problem have its rate in common, so the share scatters more than independent ones would.
    assert 0.15 < common / len(answers) < 0.45
    alone = [(p.id, answer) for p, answer in answers if answer != p.slips[0]]
    assert len(set(alone)) > 0.95 * len(alone)


def test_declared_solve_rates_hold_for_models_of_any_ability() -> None:
    settings, sample = (
        Settings(solve_rates=(0.6, 1.0)),
        [p for subject in SUBJECTS for p in BANK.problems(subject)[::6]],
    )
    for model in ("sim-base", "sim-solver"):
        solved = sum(played(model, p.text, settings=settings, seed=1).outcome == "right" for p in sample)
        assert holds(solved, [0.6 / 1.6] * len(sample))


def test_a_judge_catches_wrong_keys_at_the_declared_rate() -> None:
    settings, sample = Settings(judge_catch=0.5), [p for subject in SUBJECTS for p in BANK.problems(subject)[::6]]
    refused = {True: 0, False: 0}
    for p in sample:
        for key in (p.answer, p.slips[0]):
            text = f"Problem:\n{p.text}\nProposed answer: {key}\nTopic: kinetics"
            verdict = json.loads(played("sim-verifier-a", text, "judgement", settings, seed=1).content)
            refused[key == p.answer] += not verdict["correct"]
    assert holds(refused[False], [0.5] * len(sample))
    assert holds(refused[True], [0.05] * len(sample))


@pytest.mark.parametrize("shared", [0.0, 0.5, 1.0])
def test_dependent_models_make_one_draw_as_often_as_declared(shared: float) -> None:
    both = ("sim-verifier-a", "sim-verifier-b")
    settings = Settings(
        dependence=dict.fromkeys(both, shared), error_agreement=0.0, abilities=dict.fromkeys(both, -9.0)
    )
    sample = [p for p in BANK.problems("mathematics") if any(figure in p.answer for figure in "0123456789")]
    pairs = [[played(model, p.text, settings=settings, seed=k).content for k, model in enumerate(both)] for p in sample]
    assert holds(sum(one == other for one, other in pairs), [shared**2] * len(sample))
