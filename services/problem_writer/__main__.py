from collections.abc import Callable
from pathlib import Path

from services.problem_writer.handler import WriteProblem
from services.problem_writer.settings import Settings
from shared.llm import Models, Prompt
from shared.runtime import Service, run

PROMPTS = Path(__file__).parent / "prompts"


def build(settings: Settings) -> Service:
    models = Models.of(settings)
    return Service(handle=build_handler(models), close=(models.aclose,))


def build_handler(models: Models) -> WriteProblem:
    """Return the handler with its prompts; `chimera check models` uses it too."""
    return WriteProblem(
        draft=models.model("writer", models.prompt(PROMPTS / "draft.md")),
        harder=models.model("writer", harder_prompt(models.prompt)),
    )


def harder_prompt(load: Callable[[Path], Prompt] = Prompt.load) -> Prompt:
    """Return the prompt of every problem, followed by the easy problem to start from."""
    return load(PROMPTS / "draft.md").with_section(load(PROMPTS / "harder.md"))


if __name__ == "__main__":
    run(build, Settings)
