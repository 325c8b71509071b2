"""The loop is closed: what the trainer's evaluation finds changes what the planner requests."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml

from schemas.config.plan import Subject
from schemas.events import EvaluationCompleted, ProblemRequested, TrainingTriggered
from schemas.item import Topic
from services.planner.ability import read_ability, topic_weight
from services.planner.handler import Planner
from tests.support.fixed_endpoint import as_json, endpoint
from tests.support.planning import Factory, a_plan
from tests.trainer import clock
from tests.trainer.models.test_served import alongside
from tests.trainer.studies import loop_models
from tests.trainer.studies.loop_models import SUBJECT, WORDS
from trainer.handler import completed_events
from trainer.phases.evaluate import evaluate
from trainer.recipe import load_recipe
from trainer.run.run_folder import Run, write_json

MASTERED, HALFWAY = "2 steps", "5 steps"


def solves_short_ones(body: dict[str, Any]) -> bytes:
    """Answer as the rule does, but wrong for every second try of a long problem."""
    prompt = body["messages"][-1]
    long = loop_models.steps_in(prompt["content"]) > 2
    altered = {**prompt, "content": "none"} if long and body["seed"] % 2 else prompt
    return loop_models.answer({**body, "messages": [altered]})


def evaluated(folder: Path) -> EvaluationCompleted:
    """Evaluate a served model on held-out rows of both subfields; return the service's event."""
    rows = [*clock.rows(12, (2,), seed=1), *clock.rows(12, (5,), seed=2, start=100)]
    held_out = [replace(row, problem=WORDS + row.problem, split="held_out") for row in rows]
    clock.grow(folder / "data", [*held_out, *clock.rows(3, (3,), seed=3, start=1000)])
    nothing = {"topics": 0, "clusters": 0, "validation": 0}
    recipe = clock.recipe(folder, "base", held_out=nothing, evaluate={"samples": 4, "ks": [1], "max_tokens": 100})
    with alongside(endpoint(solves_short_ones, as_json({"data": [{"id": "m"}]}))) as url:
        model = {"endpoint": "here", "model": "m"}
        served = {"endpoints": {"here": {"base_url": url}}, "models": {"base": model, "sft": model}}
        (folder / "served.yaml").write_text(yaml.safe_dump(served))
        run = Run(folder, load_recipe(recipe), folder / "data", None, served=folder / "served.yaml")
        write_json(run.path("evaluate.json"), evaluate(run))
    write_json(run.path("sft.json"), {"model": "m"})
    event = TrainingTriggered.root(UUID(int=1), "aggregator", plan="test", release=1, table_version=1, rows=27)
    _, found = completed_events(event, folder, {"plan": "test", "release": 1, "run": UUID(int=2)})
    assert isinstance(found, EvaluationCompleted)
    return found


def test_an_evaluation_shifts_demand_to_what_is_solved_half_the_time(tmp_path: Path) -> None:
    event = evaluated(tmp_path)
    own = [Topic(subject=SUBJECT, field="ten", subfield=name, name=name) for name in (MASTERED, HALFWAY)]
    weights = [topic_weight(read_ability(event), topic) for topic in own]
    assert weights[1] >= 1.2 * weights[0]

    def requested(*inbox: EvaluationCompleted) -> Counter[str]:
        plan = a_plan(rows=80, in_progress=8).model_copy(
            update={"subjects": {SUBJECT: Subject(topics=2, about="steps")}}
        )
        factory = Factory(plan, seed=1, good=0.8)
        factory.planner = Planner(plan, "test", own)
        factory.inbox = list(inbox)
        factory.run()
        requests = [one for one in factory.published.values() if isinstance(one, ProblemRequested)]
        return Counter(request.topic.subfield for request in requests)

    before, after = requested(), requested(event)
    assert before[HALFWAY] < 1.1 * before[MASTERED]
    assert after[HALFWAY] >= 1.2 * after[MASTERED]
