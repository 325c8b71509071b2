"""`make loop-demo`: a factory grows the tiny world, trains a model, evaluates it, and then requests other problems.

More are requested of what the model solves half the time. Rules play the factory's models (`loop_models`); the factory,
the trainer and the planner are the real ones. Run it again to resume.
"""

import asyncio
import csv
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any

import datasets
import yaml

from deploy.local.state_file import StateFile
from schemas.events import EvaluationCompleted, Event, ProblemRequested, TrainingFailed
from schemas.item import Topic
from services.planner.ability import read_ability, topic_weight
from shared.config.connections import KafkaAccess
from shared.kafka.codec import decode
from shared.kafka.read.records import partitions_in_use, read_records
from shared.parent_death import die_with_parent
from tests.trainer import clock
from tests.trainer.studies import loop_models
from tests.trainer.studies.loop_models import SUBJECT, WORDS
from trainer.run.log import log_line

ROOT = Path(__file__).parents[3]
FACTORY = "chimera"
STEPS, TOPICS = (2, 4, 6, 8), 15
"""Steps of the subfields, and topics of each."""
ROWS, MORE = 480, 120
"""Rows before the training, and further rows after the evaluation."""
RECIPE: dict[str, Any] = {
    "max_length": 120,
    "held_out": {"topics": 0.25, "clusters": 0, "validation": 0},
    "sft": {**clock.TAUGHT, "epochs": 10, "checkpoint_steps": 1000},
    "rl": None,
    "evaluate": {"samples": 4, "ks": [1], "max_tokens": 80, "batch": 512, "problems": 160},
}
POLL_S, REPORT_S = 2.0, 10.0


async def main(folder: Path) -> None:
    """Run the loop once round."""
    datasets.disable_progress_bars()
    base, plan = prepare(folder)
    async with loop_models.serve() as models:
        (folder / "models.yaml").write_text(yaml.safe_dump(models))
        async with factory(folder, plan) as access:
            async with trainer(folder, base):
                evaluated, at = await wait_for_evaluation(access, folder)
            before = await count_requests(access, before=at)
            await chimera("plan", "apply", str(plan), "--rows", str(ROWS + MORE), "--dir", str(folder / "factory"))
            after = await wait_for_requests(access, at)
    report(evaluated, before, after)


def prepare(folder: Path) -> tuple[Path, Path]:
    """Train the base model and write recipe, topics and plan, if they are missing; return recipe and plan."""
    recipe, topics, plan = (folder / name for name in ("recipe.yaml", "topics.csv", "plan.yaml"))
    folder.mkdir(parents=True, exist_ok=True)
    if not recipe.exists():
        log_line("a base model is trained on problems of one and two steps")
        clock.recipe(folder, clock.base(folder / "base", WORDS), **RECIPE)
    with topics.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(("subject", "field", "subfield", "topic"))
        lines.writerows(
            (SUBJECT, "ten", f"{steps} steps", f"{steps} steps, {at}") for at in range(TOPICS) for steps in STEPS
        )
    about = {"about": "chains of sums, differences and products modulo ten", "topics": 0}
    content = {"name": "clock", "rows": ROWS, "subjects": {SUBJECT: about}, "topics": str(topics.resolve())}
    content |= {"answer_types": ["number"], "in_progress": 32, "variants": 1_000_000, "audits": {"rate": 0}}
    content["releases"] = {"every_rows": ROWS, "train_after_rows": ROWS}
    plan.write_text(yaml.safe_dump(content))
    return recipe, plan


@asynccontextmanager
async def factory(folder: Path, plan: Path) -> AsyncIterator[KafkaAccess]:
    """Run `chimera up` until the end of the block."""
    place = ("--dir", str(folder / "factory"))
    await chimera("down", *place, check=False)  # of an earlier call that was killed
    try:
        await chimera("up", "--plan", str(plan), "--models", str(folder / "models.yaml"), *place)
        bootstrap = StateFile.read(folder / "factory").bootstrap
        assert bootstrap
        yield KafkaAccess(bootstrap)
    finally:
        await chimera("down", *place, check=False)


@asynccontextmanager
async def trainer(folder: Path, recipe: Path) -> AsyncIterator[None]:
    """Run `chimera train service` until the end of the block."""
    with (folder / "trainer.log").open("ab") as log:
        place = ("--dir", str(folder / "factory"))
        service = await start("train", "service", "--config", str(recipe), *place, stderr=log)
    try:
        yield
    finally:
        service.send_signal(signal.SIGTERM)
        await service.wait()


async def chimera(*arguments: str, check: bool = True) -> None:
    process = await start(*arguments)
    if await process.wait() and check:
        raise SystemExit(f"chimera {' '.join(arguments)} failed")


async def start(*arguments: str, stderr: IO[bytes] | None = None) -> asyncio.subprocess.Process:
    python = str(ROOT / ".venv" / "bin" / "python")
    env = {**os.environ, "PYTHONPATH": str(ROOT)}  # noqa: TID251 - passed on
    options: dict[str, Any] = {"start_new_session": True, "preexec_fn": die_with_parent(signal.SIGTERM)}
    return await asyncio.create_subprocess_exec(
        python, "-m", "services.cli", *arguments, env=env, stderr=stderr, **options
    )


async def read(access: KafkaAccess, name: str) -> list[tuple[Event, int]]:
    """Return the events of a Kafka topic with the times of their records, in milliseconds."""
    partitions, found = await partitions_in_use(access, FACTORY, [name]), list[tuple[Event, int]]()
    async for batch in read_records(access, partitions):
        records = (record for records in batch.values() for record in records)
        found += [(decode(name, one.key, one.value, one.headers), one.timestamp) for one in records]
    return found


async def wait_for_evaluation(access: KafkaAccess, folder: Path) -> tuple[EvaluationCompleted, int]:
    """Return the first evaluation and its time; meanwhile report rows, and what the trainer logs."""
    clock_, reported = asyncio.get_running_loop().time, 0.0
    while not (found := await read(access, "evaluation.completed")):
        for event, _ in await read(access, "training.failed"):
            assert isinstance(event, TrainingFailed)
            raise SystemExit(f"the training failed: {event.reason}")
        if clock_() - reported >= REPORT_S:
            reported = clock_()
            log_line(await progress(access, folder))
        await asyncio.sleep(POLL_S)
    event, at = found[0]
    assert isinstance(event, EvaluationCompleted)
    return event, at


async def progress(access: KafkaAccess, folder: Path) -> str:
    logs = sorted((folder / "factory" / "runs").glob("*/log.txt"))
    if logs and (lines := logs[-1].read_text().split("\n")[:-1]):
        return f"trainer: {lines[-1][-100:]}"
    return f"factory: {len(await read(access, 'sample.curated'))} of {ROWS} rows"


async def count_requests(access: KafkaAccess, *, before: int = sys.maxsize, after: int = 0) -> Counter[str]:
    """Count the requests for problems between two times, by subfield."""
    found = await read(access, "problem.requested")
    requests = [event for event, at in found if after <= at < before and isinstance(event, ProblemRequested)]
    return Counter(request.topic.subfield for request in requests)


async def wait_for_requests(access: KafkaAccess, since: int) -> Counter[str]:
    """Wait until as many problems were requested as rows are missing; return their numbers by subfield."""
    while (found := await count_requests(access, after=since)).total() < MORE:  # noqa: ASYNC110 - another process
        await asyncio.sleep(POLL_S)
    return found


def report(evaluated: EvaluationCompleted, before: Counter[str], after: Counter[str]) -> None:
    """Print what the model can do, what the planner makes of it, and what it requested."""
    ability = read_ability(evaluated)
    weights = {
        name: topic_weight(ability, Topic(subject=SUBJECT, field="ten", subfield=name, name=""))
        for name in (f"{steps} steps" for steps in STEPS)
    }
    log_line(f"\n{'':10}{'pass@1':>8}{'weight':>8}{'requested before':>18}{'after':>7}")
    for name, weight in weights.items():
        p = 100 * ability[f"{SUBJECT} › {name}"]
        log_line(f"{name:10}{p:6.1f} %{weight:8.2f}{before[name]:18}{after[name]:7}")
    least, most = min(weights, key=weights.__getitem__), max(weights, key=weights.__getitem__)
    log_line(f"\n{most} weigh {100 * (weights[most] / weights[least] - 1):.0f} % more than {least}")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
