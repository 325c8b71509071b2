"""`chimera reverify`: stored items through other verifiers, without writing or solving them again."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from schemas.config.models_config import ModelsConfig
from schemas.identity import content_hash
from services.cli.check.forecast import Need, assumed, estimate_calls
from services.cli.check.measured_costs import measured_costs
from services.cli.common import models_config
from services.cli.common.run_config import RunConfig
from services.cli.evidence.feeding import FeedState, Outgoing, feed
from services.cli.evidence.item_ends import ItemEnd
from services.cli.evidence.progress import progress_bar
from services.cli.evidence.stored_items import Selection, StoredItem, select_items
from services.cli.evidence.working_stack import work_on
from shared.config.connections import KafkaAccess
from shared.dataset import open_reverifications
from shared.dataset.query import id_in, sql_string
from shared.errors import Refusal
from shared.kafka.codec import encode

ROLES = {"verifier_a": "verifier-a", "verifier_b": "verifier-b"}
"""Role in a models file, and the service that has it."""
SERVICES = (*ROLES.values(), "panel", "aggregator")
"""Services that a reverify item passes."""


def verifiers(models: ModelsConfig) -> frozenset[tuple[str, str]]:
    """Return the verifiers of a models file, as verdicts name them."""
    assigned = models.assigned()
    return frozenset((service, assigned[role].model) for role, service in ROLES.items())


def run_name(models: ModelsConfig, selection: Selection, *, compare: bool) -> str:
    """Return the name of a run: the same verifiers on the same selection resume it."""
    return content_hash(repr((sorted(verifiers(models)), selection.rejects, selection.where, compare)))[:8]


@contextmanager
def keep_models(directory: Path) -> Iterator[None]:
    """Restore the folder's models file at the end: the models of a run are not those of the next one."""
    path = directory / "models.json"
    before = path.read_bytes() if path.exists() else None
    try:
        yield
    finally:
        if before is not None:
            path.write_bytes(before)


class Reverify:
    """One run in the factory of a folder."""

    def __init__(
        self, config: RunConfig, selection: Selection, run: str, console: Console, *, compare: bool, factory: str
    ) -> None:
        self._config, self._selection, self._console = config, selection, console
        self._compare, self._factory, self.run = compare, factory, run

    def waiting(self, models: ModelsConfig | None) -> list[str]:
        """Return the ids of the run's items that have not ended.

        Raises Refusal when no item is selected, and when these verifiers judged all that have not ended last.
        """
        items = {one.copy_id(self.run): one.models for one in self._select()}
        if not items:
            raise Refusal("no stored item is selected", "Choose another --where; `chimera dataset stats` shows rows")
        ended = self._find_ended(items)
        waiting = {id_: judged_by for id_, judged_by in items.items() if id_ not in ended}
        if models and waiting and all(judged_by == verifiers(models) for judged_by in waiting.values()):
            names = ", ".join(f"{role} {model}" for role, model in sorted(verifiers(models)))
            raise Refusal(
                f"the same verifiers as before: {names}", "Name others with --models, or repeat them with --again NAME"
            )
        return list(waiting)

    def estimate(self, items: int) -> tuple[Need, ...]:
        """Estimate the model calls."""
        config = self._config
        basis = measured_costs(config.dataset, config.plan, simulated=config.simulated) or assumed(config.plan)
        return estimate_calls(items, basis, config.models or models_config.simulated(0), (*ROLES, "judge"))

    async def execute(self, bootstrap: str, waiting: Iterable[str]) -> tuple[FeedState, bool]:
        """Send the items that have not ended, and wait for their ends; False when the first Ctrl-C ended it early."""
        left = set(waiting)
        state, config = FeedState(total=len(left)), self._config
        with progress_bar(self._console) as progress:
            task = progress.add_task("starting", total=len(left))

            def show(state: FeedState) -> None:
                accepted = sum(one.end == "accepted" for one in state.ended.values())
                text = f"{len(state.in_flight)} in flight · {accepted:,} accepted, {state.done - accepted:,} rejected"
                progress.update(task, completed=state.done, description=text)

            async def work(kafka: KafkaAccess) -> None:
                outgoing = (one for one in self._outgoing() if one.id in left)
                await feed(kafka, self._factory, outgoing, state, config.plan.in_progress, self._find_ended, show)

            is_done = not left or await work_on(config, bootstrap, self._console, work, SERVICES)
        return state, is_done

    def _select(self) -> Iterator[StoredItem]:
        return select_items(self._config.dataset, self._selection)

    def _outgoing(self) -> Iterator[Outgoing]:
        for one in self._select():
            event, tag = one.copy_for(self.run, compare=self._compare)
            yield Outgoing(event.key, encode(event, f"{self._factory}/cli", tag))

    def _find_ended(self, ids: Iterable[str]) -> dict[str, ItemEnd]:
        table = open_reverifications(self._config.dataset)
        if table is None:
            return {}
        where = f"run = {sql_string(self.run)} and {id_in(ids)}"
        lines = table.columns("id", "accepted", "reason", "detail", "tokens", "cost", where=where)
        return {
            line["id"]: ItemEnd(
                "accepted" if line["accepted"] else "rejected",
                line["reason"],
                line["detail"],
                line["tokens"],
                line["cost"],
            )
            for line in lines
        }
