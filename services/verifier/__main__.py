from collections.abc import Sequence
from pathlib import Path

from services.verifier.evidence import GiveEvidence
from services.verifier.handler import VerifyProblem
from services.verifier.settings import Settings
from shared.answers.grade import standard
from shared.answers.judge import open_judge
from shared.answers.symbolic import SymbolicWorker
from shared.config.plan_loader import load_plan
from shared.llm import Models
from shared.ports import Grader
from shared.runtime import Service, run

PROMPTS = Path(__file__).parent / "prompts"


def build(settings: Settings) -> Service:
    plan, models, worker = load_plan(settings.plan), Models.of(settings), SymbolicWorker()
    grader = standard(worker, open_judge(models, settings.service))
    verify = build_handler(models, settings, grader, plan.verification.first_attempts, plan.candidates())
    return Service(handle=GiveEvidence(verify), close=(models.aclose, worker.aclose))


def build_handler(
    models: Models, settings: Settings, grader: Grader, blind_attempts: int, subjects: Sequence[str]
) -> VerifyProblem:
    """Return the handler with its prompts; `chimera check models` uses it too."""
    return VerifyProblem(
        role=settings.service,
        blind=models.model(settings.model_role, models.prompt(PROMPTS / "blind.md")),
        judge=models.model(settings.model_role, models.prompt(PROMPTS / "judgement.md")),
        grader=grader,
        blind_attempts=blind_attempts,
        subjects=subjects,
    )


if __name__ == "__main__":
    run(build, Settings)
