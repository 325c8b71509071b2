"""Builds events that are published late, from the tables instead of the process that decided on them."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from schemas.events import Event, SampleCurated
from services.aggregator.events import COLUMNS, belief_events, release_events, sample_curated
from services.aggregator.outbox import RowEvents
from shared.dataset import Release, Table, Vanished
from shared.dataset.query import id_in

log = logging.getLogger(__name__)


def rebuild_events(table: Table, rows: RowEvents) -> list[SampleCurated]:
    """Build the events of a commit from its rows, as they were at its version. Raises Transient.

    Maintenance keeps the files of an unpublished version. Those of an older one, whose events are published again since
    the cursor was lost, may be gone: then rows are taken as they are now, and deleted ones left out.
    """
    try:
        lines = list(table.read_version(rows.version, COLUMNS, id_in(rows.ids)))
    except Vanished as gone:
        log.warning("%s", gone)
        lines = list(table.read(COLUMNS, id_in(rows.ids)))
    found = {row["id"]: row for row in lines}
    if lost := sorted(rows.ids.keys() - found.keys()):
        log.warning("no event can be built for deleted rows: %s", lost)
    return [sample_curated(found[id_], index) for id_, index in rows.ids.items() if id_ in found]


def summarise(table: Table, manifests: Iterable[Mapping[str, Any]], factory: str) -> list[Event]:
    """Build the events of all rows and releases, when the table's log no longer has the commits that published them.

    Needed when the cursor was lost together with Kafka's log, or another folder was restored. An admission from the
    reserve is part of the row's first event. Training is not triggered again.
    """
    releases = (
        [*release_events(factory, Release.of_manifest(one), train=False), *belief_events(factory, one)]
        for one in manifests
    )
    return [*(sample_curated(row) for row in table.read(COLUMNS)), *(event for some in releases for event in some)]
