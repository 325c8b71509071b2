from pathlib import Path

from schemas.config.policies import Solving
from services.probe.handler import ProbeDifficulty
from services.probe.settings import Settings
from shared.answers.grade import standard
from shared.answers.symbolic import SymbolicWorker
from shared.config.plan_loader import load_plan
from shared.llm import Models
from shared.ports import Grader
from shared.runtime import Service, run

PROMPTS = Path(__file__).parent / "prompts"


def build(settings: Settings) -> Service:
    solving = load_plan(settings.plan).solving
    models, worker = Models.of(settings), SymbolicWorker()
    handler = build_handler(models, standard(worker), solving)
    return Service(handle=handler, close=(models.aclose, worker.aclose))


def build_handler(models: Models, grader: Grader, solving: Solving) -> ProbeDifficulty:
    """Return the handler with its prompt; `chimera check models` uses it too."""
    base = models.model("base", models.prompt(PROMPTS / "probe.md")) if solving.probe_attempts else None
    return ProbeDifficulty(base, grader, solving.probe_attempts, solving.max_base_pass)


if __name__ == "__main__":
    run(build, Settings)
