from pathlib import Path

from services.problem_writer.handler import WriteProblem
from services.problem_writer.settings import Settings
from shared.llm import Models, Prompt
from shared.runtime import Service, run

PROMPTS = Path(__file__).parent / "prompts"


def build(settings: Settings) -> Service:
    models = Models.of(settings)
    handler = WriteProblem(
        draft=models.model("writer", Prompt.load(PROMPTS / "draft.md")),
        harder=models.model("writer", harder_prompt()),
    )
    return Service(handle=handler, close=(models.aclose,))


def harder_prompt() -> Prompt:
    """Return the prompt of every problem, followed by the easy problem to start from."""
    return Prompt.load(PROMPTS / "draft.md").with_section(Prompt.load(PROMPTS / "harder.md"))


if __name__ == "__main__":
    run(build, Settings)
