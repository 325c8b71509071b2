from pathlib import Path

from services.adjudicator.handler import Adjudicate
from services.adjudicator.settings import Settings
from shared.llm import Models
from shared.runtime import Service, run

PROMPTS = Path(__file__).parent / "prompts"


def build(settings: Settings) -> Service:
    models = Models.of(settings)
    return Service(handle=build_handler(models), close=(models.aclose,))


def build_handler(models: Models) -> Adjudicate:
    """Return the handler with its prompt; `chimera check models` uses it too."""
    if not models.is_assigned("adjudicator"):
        return Adjudicate(None)
    return Adjudicate(models.model("adjudicator", models.prompt(PROMPTS / "adjudication.md")))


if __name__ == "__main__":
    run(build, Settings)
