from pathlib import Path

from services.auditor.controls import load_vetted
from services.auditor.handler import AuditProblem
from services.auditor.settings import Settings
from shared.answers.grade import standard
from shared.answers.symbolic import SymbolicWorker
from shared.config.plan_loader import load_plan
from shared.runtime import Service, run
from shared.text.benchmarks import read_questions


def build(settings: Settings) -> Service:
    plan, worker = load_plan(settings.plan), SymbolicWorker()
    audits, subjects = plan.audits, tuple(plan.subjects)
    vetted = load_vetted(Path(audits.controls), subjects) if audits.controls else ()
    known = [question for name, benchmark in plan.benchmarks.items() for question in read_questions(name, benchmark)]
    return Service(
        handle=AuditProblem(standard(worker), audits.rate, subjects, vetted, known),
        close=(worker.aclose,),
    )


if __name__ == "__main__":
    run(build, Settings)
