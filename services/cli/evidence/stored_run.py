"""One run of stored items through some services again: which wait, what they cost, sending them, their ends."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from rich.console import Console

from schemas.config.models_config import ModelsConfig
from services.cli.check.forecast import Need, assumed, estimate_calls
from services.cli.check.measured_costs import measured_costs
from services.cli.common import models_config
from services.cli.common.run_config import RunConfig
from services.cli.evidence.feeding import FeedState, Outgoing, feed
from services.cli.evidence.item_ends import ItemEnd
from services.cli.evidence.progress import progress_bar
from services.cli.evidence.stored_items import Selection, StoredItem, select_items
from services.cli.evidence.working_stack import is_running, work_on
from shared.config.connections import KafkaAccess
from shared.errors import Refusal


@contextmanager
def keep_models(directory: Path) -> Iterator[None]:
    """Restore the folder's models file and plan at the end: those of a run are not those of the next one."""
    paths = (directory / "models.json", directory / "plan.yaml")
    before = {path: path.read_bytes() for path in paths if path.exists()}
    try:
        yield
    finally:
        for path, content in before.items():
            path.write_bytes(content)


def check_stack(config: RunConfig, bootstrap: str, *, given: bool) -> None:
    """Raise Refusal when models are `given` although a stack runs with its own, or rows are of the other kind."""
    if not is_running(config.directory, bootstrap):
        models_config.check_unmixed(config.directory, simulated=config.simulated)
    elif not bootstrap and given:
        raise Refusal(
            f"a stack with its own models runs in {config.directory}", "Stop it with `chimera down`, and run again"
        )


def plan_of(directory: Path) -> Path | None:
    """Return the file with the plan of the folder's last run, if there was one."""
    path = directory / "plan.yaml"
    return path if path.exists() else None


class StoredRun(ABC):
    """One run in the factory of a folder. The same command resumes it: it sends what has not ended."""

    roles: ClassVar[Sequence[str]]
    """Roles in a models file that it calls."""
    services: ClassVar[Sequence[str]]
    """Services that an item passes."""

    def __init__(self, config: RunConfig, selection: Selection, run: str, console: Console, factory: str) -> None:
        self.run = run
        self._config, self._selection, self._console, self._factory = config, selection, console, factory

    def waiting(self, models: ModelsConfig | None) -> list[str]:
        """Return the ids of the run's items that have not ended.

        Raises Refusal when no item is selected, and when these models made the last result of all that have not ended.
        """
        items = {self._copy_id(one): self._made_by(one) for one in self._select()}
        if not items:
            raise Refusal("no stored item is selected", "Choose another --where; `chimera dataset stats` shows rows")
        ended = self._find_ended(items)
        waiting = {id_: made_by for id_, made_by in items.items() if id_ not in ended}
        if models and waiting and all(made_by == self._names(models) for made_by in waiting.values()):
            names = ", ".join(f"{role} {model}" for role, model in sorted(self._names(models)))
            raise Refusal(f"the same models as before: {names}", "Name others with --models, or add --again NAME")
        return list(waiting)

    def estimate(self, items: int) -> tuple[Need, ...]:
        """Estimate the model calls."""
        config = self._config
        basis = measured_costs(config.dataset, config.plan, simulated=config.simulated) or assumed(config.plan)
        models = config.models or models_config.simulated(0)
        roles = [role for role in (*self.roles, "judge") if role in models.assigned()]
        return estimate_calls(items, basis, models, roles)

    async def execute(self, bootstrap: str, waiting: Iterable[str]) -> tuple[FeedState, bool]:
        """Send the items that have not ended, and wait for their ends; False when the first Ctrl-C ended it early."""
        left = set(waiting)
        state, config = FeedState(total=len(left)), self._config
        with progress_bar(self._console) as progress:
            task = progress.add_task("starting", total=len(left))

            def show(state: FeedState) -> None:
                text = f"{len(state.in_flight)} in flight · {self._describe_ends(state)}"
                progress.update(task, completed=state.done, description=text)

            async def work(kafka: KafkaAccess) -> None:
                outgoing = (one for one in self._outgoing() if one.id in left)
                await feed(kafka, self._factory, outgoing, state, config.plan.in_progress, self._find_ended, show)

            is_done = not left or await work_on(config, bootstrap, self._console, work, self.services)
        return state, is_done

    def _select(self) -> Iterator[StoredItem]:
        return select_items(self._config.dataset, self._selection)

    @abstractmethod
    def _copy_id(self, one: StoredItem) -> str:
        """Return the id under which an item goes through the services."""

    @abstractmethod
    def _made_by(self, one: StoredItem) -> frozenset[tuple[str, str]]:
        """Return the models, by what they are, that made the last result."""

    @abstractmethod
    def _names(self, models: ModelsConfig) -> frozenset[tuple[str, str]]:
        """Return the models of a models file, as `_made_by` names them."""

    @abstractmethod
    def _outgoing(self) -> Iterator[Outgoing]:
        """Yield what is sent for each selected item."""

    @abstractmethod
    def _find_ended(self, ids: Iterable[str]) -> dict[str, ItemEnd]:
        """Return the ends of those of some items that have ended in this run."""

    @abstractmethod
    def _describe_ends(self, state: FeedState) -> str:
        """Return the numbers of ends for the progress bar."""
