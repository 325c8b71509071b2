from pathlib import Path

from services.expansion.handler import ExpandSubject
from services.expansion.settings import Settings
from shared.llm import Models, Prompt, Roles
from shared.runtime import Service, run

PROMPTS = Path(__file__).parent / "prompts"


def build(settings: Settings) -> Service:
    models = Models(Roles.load(settings.models))
    writer = models.model("writer", Prompt.load(PROMPTS / "topics.md"), settings.service)
    return Service(handle=ExpandSubject(writer), close=(models.aclose,))


if __name__ == "__main__":
    run(build, Settings())
