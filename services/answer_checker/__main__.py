from services.answer_checker.handler import CheckAnswer
from services.answer_checker.settings import Settings
from shared.answers.grade import standard
from shared.answers.judge import open_judge
from shared.answers.symbolic import SymbolicWorker
from shared.llm import Models
from shared.plan import load_plan
from shared.runtime import Service, run


def build(settings: Settings) -> Service:
    solving, models, worker = load_plan(settings.plan).solving, Models.of(settings), SymbolicWorker()
    return Service(
        handle=CheckAnswer(standard(worker, open_judge(models, settings.service)), solving.traces, solving.retries),
        close=(models.aclose, worker.aclose),
    )


if __name__ == "__main__":
    run(build, Settings())
