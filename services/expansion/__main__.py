from pathlib import Path

from services.expansion.handler import ExpandSubject
from services.expansion.settings import Settings
from shared.llm import Models
from shared.runtime import Service, run

PROMPTS = Path(__file__).parent / "prompts"


def build(settings: Settings) -> Service:
    models = Models.of(settings)
    return Service(handle=build_handler(models), close=(models.aclose,))


def build_handler(models: Models) -> ExpandSubject:
    """Return the handler with its prompt; `chimera check models` uses it too."""
    return ExpandSubject(models.model("writer", models.prompt(PROMPTS / "topics.md")))


if __name__ == "__main__":
    run(build, Settings)
