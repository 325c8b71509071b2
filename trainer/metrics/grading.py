"""Samples a model and grades the completions, one problem a line in a file, so that a resumed phase continues there."""

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
from trainer.example import Example
from trainer.metrics.multiple_choice import MultipleChoiceGrader
from trainer.metrics.rewards import Reward
from trainer.models.sampling import Sample, Sampler
from trainer.run.call_file import CallFile, read_complete_lines
from trainer.run.run_folder import Run

JUDGE_TIMEOUT_S = 600.0
"""Seconds to wait for a judge that cannot be reached."""


@dataclass(frozen=True, slots=True)
class GradedProblem:
    """Graded completions of one problem."""

    id: str
    samples: int
    right: int
    unsure: int
    truncated: int
    tokens: int | None
    """Over all samples; None when any is unknown."""
    cost: float | None


@dataclass(frozen=True, slots=True)
class JudgeWithTimeout:
    """A grader that fails when its judge does not answer in time."""

    grader: Grader

    async def compare(self, key: str, answer: str, answer_type: str, question: str = "") -> Comparison:
        try:
            async with asyncio.timeout(JUDGE_TIMEOUT_S):
                return await self.grader.compare(key, answer, answer_type, question)
        except TimeoutError:
            raise Refusal(
                f"the judge has not answered for {JUDGE_TIMEOUT_S:.0f} s",
                "Check its endpoint, then run this again: it resumes at the last checkpoint",
            ) from None


def build_grader(run: Run, worker: SymbolicWorker) -> Grader:
    """Build the factory's grader, with a judge when the models file of the run names one."""
    return _build_grader(worker, _open_judges(run))


def _build_grader(worker: SymbolicWorker, judges: Models | None) -> Grader:
    return JudgeWithTimeout(MultipleChoiceGrader(standard(worker, open_judge(judges, "trainer") if judges else None)))


def _open_judges(run: Run) -> Models | None:
    return Models(load_models_config(run.models), "trainer") if run.models else None


def grade_problems(
    run: Run, sampler: Sampler, examples: Sequence[Example], samples: int, file: Path
) -> list[GradedProblem]:
    """Sample and grade the problems that the file lacks. Model calls are recorded beside it: none is paid for twice."""
    return asyncio.run(_grade_problems(run, sampler, examples, samples, file))


async def _grade_problems(
    run: Run, sampler: Sampler, examples: Sequence[Example], samples: int, file: Path
) -> list[GradedProblem]:
    file.parent.mkdir(parents=True, exist_ok=True)
    known = {one.id: one for one in (GradedProblem(**json.loads(line)) for line in read_complete_lines(file))}
    missing = [example for example in examples if example.id not in known]
    calls = CallFile.opened(file.with_suffix(".calls.jsonl"))
    async with _open_reward(run) as reward, calls, aclosing(sampler.sample(missing, samples)) as answers:
        with file.open("a") as log:
            async for example, found in answers:
                one = await _grade_problem(reward, example, found)
                log.write(json.dumps(asdict(one)) + "\n")
                log.flush()
                known[example.id] = one
    return [known[example.id] for example in examples]


@asynccontextmanager
async def _open_reward(run: Run) -> AsyncIterator[Reward]:
    worker, judges = SymbolicWorker(), _open_judges(run)
    try:
        yield Reward(_build_grader(worker, judges))
    finally:
        await worker.aclose()
        if judges:
            await judges.aclose()


async def _grade_problem(reward: Reward, example: Example, samples: Sequence[Sample]) -> GradedProblem:
    texts = ("" if one.truncated else one.text for one in samples)
    grading = (reward.grade(text, example.answer, example.answer_type, example.problem) for text in texts)
    rewards = await asyncio.gather(*grading)
    tokens, costs = [one.tokens for one in samples], [one.cost for one in samples]
    return GradedProblem(
        id=example.id,
        samples=len(samples),
        right=rewards.count(1.0),
        unsure=rewards.count(None),
        truncated=sum(one.truncated for one in samples),
        tokens=None if None in tokens else sum(filter(None, tokens)),
        cost=None if None in costs else sum(filter(None, costs)),
    )
