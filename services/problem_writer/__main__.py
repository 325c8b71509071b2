from pathlib import Path

from services.problem_writer.handler import WriteProblem
from services.problem_writer.settings import Settings
from shared.llm import Models, Prompt
from shared.runtime import Service, run

PROMPTS = Path(__file__).parent / "prompts"


def build(settings: Settings) -> Service:
    models = Models.of(settings)
    writer = models.model("writer", Prompt.load(PROMPTS / "draft.md"))
    return Service(handle=WriteProblem(writer), close=(models.aclose,))


if __name__ == "__main__":
    run(build, Settings())
