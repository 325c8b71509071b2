"""What a person asked for, checked before anything starts."""

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
from shared.text.benchmarks import questions


@dataclass(frozen=True, slots=True)
class RunConfig:
    """One run."""

    plan: Plan
    directory: Path
    cast: ModelsConfig | None = None
    """Who plays the roles; `None`: a simulator that is started for it."""
    seed: int = 0
    """Of the simulator."""

    @property
    def simulated(self) -> bool:
        return self.cast is None or self.cast.simulated

    @property
    def dataset(self) -> Location:
        return dataset_in(self.directory)

    def to_json(self) -> str:
        """For another process of ours. A key is not in it, only the name of its variable."""
        return TypeAdapter(RunConfig).dump_json(self).decode()

    @classmethod
    def from_json(cls, text: str) -> "RunConfig":
        """What `to_json` made."""
        return TypeAdapter(cls).validate_json(text)


def plan(path: Path, rows: int | None) -> Plan:
    """The plan in a file, for `rows` rows if given. Raises Refusal, for its files of topics and benchmarks too."""
    found = load_plan(path)
    load_topics(found)
    for name, benchmark in found.benchmarks.items():
        questions(name, benchmark)
    return found.model_copy(update={"rows": rows}) if rows else found


def one_model(base_url: str, model: str, api_key_env: str | None) -> ModelsConfig:
    """One real model in every role. Raises Refusal for an an address or variable that cannot be one."""
    try:
        return ModelsConfig.one(Endpoint(base_url=base_url, key_env=api_key_env), model)
    except ValidationError as error:
        options = {"base_url": "--base-url", "key_env": "--api-key-env"}
        first = error.errors()[0]
        option, why = options[str(first["loc"][0])], first["msg"].removeprefix("Value error, ")
        raise Refusal(f"what was given with {option} {why}", f"Correct {option} and run again") from None
