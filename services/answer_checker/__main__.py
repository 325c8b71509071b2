from services.answer_checker.handler import CheckAnswer
from services.answer_checker.judge_audit import AuditJudge
from services.answer_checker.settings import Settings
from shared.answers.grade import standard
from shared.answers.judge import open_judge
from shared.answers.symbolic import SymbolicWorker
from shared.config.plan_loader import load_plan
from shared.llm import Models
from shared.runtime import Service, run


def build(settings: Settings) -> Service:
    plan, models, worker = load_plan(settings.plan), Models.of(settings), SymbolicWorker()
    judge = open_judge(models, settings.service)
    handler = CheckAnswer(
        grader=standard(worker, judge),
        traces=plan.solving.traces,
        retries=plan.solving.retries,
        policy=plan.verification.policy,
        audit_judge=AuditJudge(judge, plan.audits.rate) if judge and plan.audits.rate else None,
    )
    return Service(handle=handler, close=(models.aclose, worker.aclose))


if __name__ == "__main__":
    run(build, Settings)
