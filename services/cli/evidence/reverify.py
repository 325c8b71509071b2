"""`chimera reverify`: stored items through other verifiers, without writing or solving them again."""

from collections.abc import Iterable, Iterator

from rich.console import Console

from schemas.config.models_config import ModelsConfig
from schemas.identity import content_hash
from services.cli.common.run_config import RunConfig
from services.cli.evidence.feeding import FeedState, Outgoing
from services.cli.evidence.item_ends import ItemEnd
from services.cli.evidence.stored_items import Selection, StoredItem
from services.cli.evidence.stored_run import StoredRun
from shared.dataset import open_reverifications
from shared.dataset.query import id_in, sql_string
from shared.kafka.codec import encode

ROLES = {"verifier_a": "verifier-a", "verifier_b": "verifier-b"}
"""Role in a models file, and the service that has it."""


def verifiers(models: ModelsConfig) -> frozenset[tuple[str, str]]:
    """Return the verifiers of a models file, as verdicts name them."""
    assigned = models.assigned()
    return frozenset((service, assigned[role].model) for role, service in ROLES.items())


def run_name(models: ModelsConfig, selection: Selection, *, compare: bool) -> str:
    """Return the name of a run: the same verifiers on the same selection resume it."""
    return content_hash(repr((sorted(verifiers(models)), selection.rejects, selection.where, compare)))[:8]


class Reverify(StoredRun):
    """One run of verifiers."""

    roles = (*ROLES, "adjudicator")
    services = (*ROLES.values(), "adjudicator", "panel", "aggregator")

    def __init__(
        self, config: RunConfig, selection: Selection, run: str, console: Console, *, compare: bool, factory: str
    ) -> None:
        super().__init__(config, selection, run, console, factory)
        self._compare = compare

    def _copy_id(self, one: StoredItem) -> str:
        return one.copy_id(self.run)

    def _made_by(self, one: StoredItem) -> frozenset[tuple[str, str]]:
        return one.models

    def _names(self, models: ModelsConfig) -> frozenset[tuple[str, str]]:
        return verifiers(models)

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

    def _describe_ends(self, state: FeedState) -> str:
        accepted = sum(one.end == "accepted" for one in state.ended.values())
        return f"{accepted:,} accepted, {state.done - accepted:,} rejected"
