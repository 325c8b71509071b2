"""A problem_writer that makes three calls, one after the other, to the solver of the models file."""

from collections.abc import Iterable

from schemas.events import Event, ProblemDrafted, ProblemRequested
from schemas.identity import seed
from schemas.item import Problem
from shared.config.settings import Settings
from shared.llm import Models, Prompt
from shared.runtime import Service, run


def build(settings: Settings) -> Service:
    models = Models.of(settings)
    model = models.model("solver", Prompt("solve", "$problem"))

    async def handle(request: ProblemRequested) -> Iterable[Event]:
        output = [await model.complete({"problem": "What is it?"}, seed=seed(request.id, n)) for n in range(3)]
        calls = tuple(reply.provenance for reply in output)
        problem = Problem(statement=output[-1].text, answer="1", answer_type="number", rationale="")
        return [ProblemDrafted.of(request, "problem_writer", item=request.item.with_(problem=problem), calls=calls)]

    return Service(handle=handle, close=(models.aclose,))


if __name__ == "__main__":
    run(build, Settings)
