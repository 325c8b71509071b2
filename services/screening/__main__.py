from pathlib import Path

from services.screening.benchmark_judge import BenchmarkJudge
from services.screening.fingerprint import FEATURES, FEATURES_WITH_TEXT
from services.screening.handler import ScreenProblem
from services.screening.index_keeper import index_keeper
from services.screening.semantic_check import SemanticCheck
from services.screening.settings import Settings
from shared.cache.near_duplicates import ValkeyNearDuplicateIndex
from shared.config.plan_loader import load_plan
from shared.llm import Models
from shared.runtime import Service, run
from shared.text.contamination import Benchmarks

PROMPT = Path(__file__).parent / "prompts" / "same_problem.md"


def build(settings: Settings) -> Service:
    plan, models = load_plan(settings.plan), Models.of(settings)
    embedder, benchmarks = models.embedder(), Benchmarks.load(plan.benchmarks)
    features = FEATURES_WITH_TEXT if embedder else FEATURES
    index = ValkeyNearDuplicateIndex(
        settings.valkey_access, settings.factory, features, plan.variants, settings.marker_days, settings.lease_s
    )
    judge = BenchmarkJudge(models.model("judge", models.prompt(PROMPT)), benchmarks) if benchmarks.needs_judge else None
    check = SemanticCheck(embedder, index) if embedder else None
    handle = ScreenProblem(index, benchmarks, judge, check, plan.language)
    keeper = index_keeper(settings, index, with_text=embedder is not None)
    return Service(handle=handle, background=(keeper,), close=(index.close, models.aclose))


if __name__ == "__main__":
    run(build, Settings)
