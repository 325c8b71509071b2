from pathlib import Path

from services.problem_writer.handler import WriteProblem
from services.problem_writer.settings import Settings
from shared.llm import Models, Prompt, Roles
from shared.runtime import Service, run

PROMPTS = Path(__file__).parent / "prompts"


def build(settings: Settings) -> Service:
    models = Models(Roles.load(settings.models))
    writer = models.model("writer", Prompt.load(PROMPTS / "draft.md"), settings.service)
    return Service(handle=WriteProblem(writer), close=(models.aclose,))


if __name__ == "__main__":
    run(build, Settings())
