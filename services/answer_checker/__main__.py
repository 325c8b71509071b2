from services.answer_checker.handler import CheckAnswer
from services.answer_checker.settings import Settings
from shared.answers.grade import standard
from shared.answers.symbolic import SymbolicWorker
from shared.plan import load_plan
from shared.runtime import Service, run


def build(settings: Settings) -> Service:
    solving, worker = load_plan(settings.plan).solving, SymbolicWorker()
    return Service(
        handle=CheckAnswer(standard(worker), solving.traces, solving.retries),
        close=(worker.aclose,),
    )


if __name__ == "__main__":
    run(build, Settings())
