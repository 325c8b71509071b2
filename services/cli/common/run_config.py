"""The configuration of a run, checked before anything starts."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from schemas.config.models_config import Endpoint, ModelsConfig
from schemas.config.plan import Plan
from services.cli.common.dataset_location import dataset_in
from shared.config.plan_loader import load_plan
from shared.config.topics_loader import load_topics
from shared.dataset.storage import Location
from shared.errors import Refusal
from shared.text.benchmarks import read_questions


@dataclass(frozen=True, slots=True)
class RunConfig:
    """The configuration of one run."""

    plan: Plan
    directory: Path
    models: ModelsConfig | None = None
    """The models of the roles; `None` starts a simulator."""
    seed: int = 0
    """Of the simulator."""

    @property
    def simulated(self) -> bool:
        return self.models is None or self.models.simulated

    @property
    def dataset(self) -> Location:
        return dataset_in(self.directory)

    def to_json(self) -> str:
        """Return JSON for the supervisor's process. It contains the names of keys' variables, not the keys."""
        return TypeAdapter(RunConfig).dump_json(self).decode()

    @classmethod
    def from_json(cls, text: str) -> "RunConfig":
        """Parse the result of `to_json`."""
        return TypeAdapter(cls).validate_json(text)


def load(path: Path, rows: int | None) -> Plan:
    """Load a plan, and check its files of topics and benchmarks. `rows` overrides the plan's. Raises Refusal."""
    plan = load_plan(path)
    load_topics(plan)
    for name, benchmark in plan.benchmarks.items():
        read_questions(name, benchmark)
    return plan.model_copy(update={"rows": rows}) if rows else plan


def one_model(base_url: str, model: str, api_key_env: str | None) -> ModelsConfig:
    """Return one real model in every role. Raises Refusal for an invalid address or variable."""
    try:
        return ModelsConfig.one(Endpoint(base_url=base_url, key_env=api_key_env), model)
    except ValidationError as error:
        options = {"base_url": "--base-url", "key_env": "--api-key-env"}
        first = error.errors()[0]
        option, why = options[str(first["loc"][0])], first["msg"].removeprefix("Value error, ")
        raise Refusal(f"the value of {option} {why}", f"Correct {option} and run again") from None
