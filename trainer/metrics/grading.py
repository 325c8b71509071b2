"""Samples of a model, graded: problem by problem in a file, so that whoever comes again goes on where it stopped."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from shared.answers.grade import standard
from shared.answers.judge import open_judge
from shared.answers.symbolic import SymbolicWorker
from shared.errors import Refusal
from shared.llm import Models, load_models_config
from shared.ports import Comparison, Grader
from trainer.data import Example
from trainer.metrics.multiple_choice import MultipleChoiceGrader
from trainer.metrics.rewards import Reward
from trainer.models.sampling import Sample, Sampler
from trainer.run.call_file import CallFile, whole_lines
from trainer.run.run_folder import Run

JUDGE_WITHIN_S = 600.0
"""How long a judge that cannot be reached is waited for."""


@dataclass(frozen=True, slots=True)
class Graded:
    """What a model made of one problem."""

    id: str
    samples: int
    right: int
    unsure: int
    truncated: int
    tokens: int | None
    """Of all samples; None when any is unknown."""
    cost: float | None


@dataclass(frozen=True, slots=True)
class JudgeWithRetries:
    """A grader whose judge may be away for a while, but not for ever."""

    grader: Grader

    async def compare(self, key: str, answer: str, answer_type: str, question: str = "") -> Comparison:
        try:
            async with asyncio.timeout(JUDGE_WITHIN_S):
                return await self.grader.compare(key, answer, answer_type, question)
        except TimeoutError:
            raise Refusal(
                f"the judge has not answered for {JUDGE_WITHIN_S:.0f} s",
                "See to its endpoint, then run this again: it goes on from the last checkpoint",
            ) from None


def grader(run: Run, worker: SymbolicWorker) -> Grader:
    """The graders of the factory; with a judge when the run has a models file that names one."""
    return _grader(worker, _judges(run))


def _grader(worker: SymbolicWorker, judges: Models | None) -> Grader:
    return JudgeWithRetries(MultipleChoiceGrader(standard(worker, open_judge(judges, "trainer") if judges else None)))


def _judges(run: Run) -> Models | None:
    return Models(load_models_config(run.models), "trainer") if run.models else None


def graded(run: Run, sampler: Sampler, examples: Sequence[Example], samples: int, file: Path) -> list[Graded]:
    """Sample and grade what the file does not hold yet. Calls to models lie beside it: none is paid for twice."""
    return asyncio.run(_all_graded(run, sampler, examples, samples, file))


async def _all_graded(
    run: Run, sampler: Sampler, examples: Sequence[Example], samples: int, file: Path
) -> list[Graded]:
    file.parent.mkdir(parents=True, exist_ok=True)
    known = {one.id: one for one in (Graded(**json.loads(line)) for line in whole_lines(file))}
    missing = [example for example in examples if example.id not in known]
    calls = CallFile.kept(file.with_suffix(".calls.jsonl"))
    async with _reward(run) as reward, calls, aclosing(sampler.answers(missing, samples)) as answers:
        with file.open("a") as log:
            async for example, found in answers:
                one = await _graded(reward, example, found)
                log.write(json.dumps(asdict(one)) + "\n")
                log.flush()
                known[example.id] = one
    return [known[example.id] for example in examples]


@asynccontextmanager
async def _reward(run: Run) -> AsyncIterator[Reward]:
    worker, judges = SymbolicWorker(), _judges(run)
    try:
        yield Reward(_grader(worker, judges))
    finally:
        await worker.aclose()
        if judges:
            await judges.aclose()


async def _graded(reward: Reward, example: Example, samples: Sequence[Sample]) -> Graded:
    texts = ("" if one.truncated else one.text for one in samples)
    asked = (reward.grade(text, example.answer, example.answer_type, example.problem) for text in texts)
    rewards = await asyncio.gather(*asked)
    tokens, costs = [one.tokens for one in samples], [one.cost for one in samples]
    return Graded(
        id=example.id,
        samples=len(samples),
        right=rewards.count(1.0),
        unsure=rewards.count(None),
        truncated=sum(one.truncated for one in samples),
        tokens=None if None in tokens else sum(filter(None, tokens)),
        cost=None if None in costs else sum(filter(None, costs)),
    )
