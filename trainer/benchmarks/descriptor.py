"""Descriptor of a benchmark: the columns of its file, its sampling, and its grader."""

from functools import partial
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from shared.config import safe_yaml
from shared.errors import Refusal
from trainer.recipe import Evaluate

FOLDER = Path(__file__).parent


class ChoiceColumn(BaseModel):
    """Column and value that mark multiple-choice rows of a mixed benchmark, with the options in the question."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str
    value: str


class Benchmark(BaseModel):
    """Content of `trainer/benchmarks/NAME.yaml`. Columns are those of the user's file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    source: str
    """Where the file is published."""
    n: int = Field(ge=1)
    """Number of questions; a file with more or fewer is refused."""
    question: str
    answer: str
    wrong: tuple[str, ...] = ()
    """Columns of the wrong options; they are shuffled with the right one by the recipe's seed."""
    group: str | None = None
    """Column by which scores are also reported."""
    without: str | None = None
    """Column that must be empty, such as an image."""
    letters: ChoiceColumn | None = None
    grader: Literal["letter", "rules", "judge"]
    """`letter`: the letter of an option; `rules`: shared/answers, and a judge if there is one; `judge`: needs one."""
    samples: int = Field(ge=1)
    """Completions for each question (numbers of the CHIMERA paper)."""
    max_tokens: int = Field(default=102_400, ge=1)
    """Limit of a completion (number of the paper); the recipe's `max_tokens` can only lower it."""

    def adapt_sampling(self, evaluate: Evaluate) -> Evaluate:
        """Return the recipe's sampling with this benchmark's numbers."""
        ks = tuple(k for k in evaluate.ks if k <= self.samples) or (1,)
        limit = min(self.max_tokens, evaluate.max_tokens)
        return evaluate.model_copy(update={"samples": self.samples, "max_tokens": limit, "ks": ks})


def load_benchmark(name: str) -> Benchmark:
    """Load a descriptor by its name here, or by the path of another. Raises Refusal for an unknown one."""
    path = Path(name) if name.endswith(".yaml") else FOLDER / f"{name}.yaml"
    refused = partial(
        Refusal, next_step=f"There are {', '.join(list_shipped())}; or give the path of a descriptor, .yaml"
    )
    try:
        return Benchmark.model_validate(safe_yaml.load(path.read_text("utf-8")))
    except OSError as error:
        raise refused(f"evaluate.benchmarks: no benchmark {name!r}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise refused(
            f"{path} is not a valid descriptor of a benchmark: {' '.join(str(error).split())[:300]}"
        ) from error


def list_shipped() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))
