"""How a trained model's scores change what is requested."""

from collections import Counter
from uuid import UUID

from schemas.events import EvaluationCompleted, ProblemRequested
from schemas.events.evaluation import Score
from schemas.item import Topic
from services.planner.handler import Planner
from tests.support.planning import Factory, a_plan


def evaluated(**shrunk: float) -> EvaluationCompleted:
    """How a model does that was trained on this plan's rows, by subfield of mathematics."""
    reported = {"k": 1, "value": 0.0, "low": 0.0, "high": 1.0, "problems": 50, "samples": 8}
    scores = [
        Score(model=stage, part=f"mathematics › {part}", shrunk=0.5 if stage == "base" else value, **reported)
        for stage in ("base", "sft")
        for part, value in shrunk.items()
    ]
    return EvaluationCompleted.root(UUID(int=1), "trainer", plan="test", release=1, run=UUID(int=2), scores=scores)


def test_more_is_requested_where_the_trained_model_is_weak_not_hopeless() -> None:
    ability = {"mastered": 1.0, "halfway": 0.5, "hopeless": 0.0}
    own = [Topic(subject="mathematics", field="field", subfield=part, name=part) for part in ability]

    def requested(event: EvaluationCompleted | None) -> Counter[str]:
        factory = Factory(a_plan(rows=80, mathematics=1.0), seed=1, good=0.8)
        factory.planner = Planner(factory.planner.plan, "test", own)
        factory.inbox = [event] if event else []
        factory.run()
        requests = [event for event in factory.published.values() if isinstance(event, ProblemRequested)]
        return Counter(request.topic.subfield for request in requests)

    for nothing_learnt in (requested(None), requested(evaluated(**ability).with_(plan="another"))):
        assert max(nothing_learnt.values()) < 1.3 * min(nothing_learnt.values())
    after = requested(evaluated(**ability))
    assert after["halfway"] > 1.6 * max(after["mastered"], after["hopeless"])
