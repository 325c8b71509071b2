from services.screening.handler import ScreenProblem
from services.screening.settings import Settings
from shared.cache.register import ValkeyRegister
from shared.runtime import Service, run


def build(settings: Settings) -> Service:
    register = ValkeyRegister(settings.valkey_access, settings.factory, "fingerprints")
    return Service(handle=ScreenProblem(register), close=(register.close,))


if __name__ == "__main__":
    run(build, Settings())
