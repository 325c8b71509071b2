"""One problem after the other through an idle factory, with models that respond immediately: the factory's own time."""

import tempfile
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from services.cli.common import run_config
from services.cli.common.options import plan_file
from shared.runtime.commit_pace import BURST
from tests.bench.flow.factory import factory
from tests.e2e.checks import STAGES
from tests.support.kafka_world import KafkaWorld, until

PROBLEMS = BURST - 1
"""As many as the sink commits before its pace makes them wait."""
HOPS = ("problem.requested", *STAGES, "sample.curated")


async def measure() -> dict[str, Any]:
    """Return the medians in ms: of the whole way, and of each hop, by timestamps of the log."""
    plan = run_config.load(plan_file(None), PROBLEMS).model_copy(update={"in_progress": 1})
    with tempfile.TemporaryDirectory() as folder:
        async with factory(Path(folder) / "stack", plan, {}) as (_, world):

            async def grown() -> bool:
                return len(await world.records("sample.curated")) >= PROBLEMS

            await until(grown, f"{PROBLEMS} rows", within_s=300, every_s=1.0)
            found = {name: await _times(world, name) for name in HOPS}
    times = {name: at for name, at in found.items() if at}  # without a probe nothing is published as accepted
    ends = times[HOPS[-1]]
    hops = {name: median(times[name][key] - times[before][key] for key in ends) for before, name in pairwise(times)}
    return {"own_ms": median(at - times[HOPS[0]][key] for key, at in ends.items()), "hops_ms": hops}


async def _times(world: KafkaWorld, name: str) -> dict[bytes, int]:
    """Return when each problem's last event of a Kafka topic was written, in ms."""
    return {record.key or b"": record.timestamp for record in await world.records(name)}
