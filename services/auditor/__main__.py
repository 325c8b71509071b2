from services.auditor.handler import AuditProblem
from services.auditor.settings import Settings
from shared.runtime import Service, run


def build(settings: Settings) -> Service:
    return Service(handle=AuditProblem())


if __name__ == "__main__":
    run(build, Settings())
