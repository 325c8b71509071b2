"""Measures the whole flow with models that respond immediately: rows per second, CPU per event by service."""

import tempfile
from pathlib import Path
from typing import Any

from schemas.flow import FLOW, SERVICES, consumed_by
from services.cli.common import run_config
from services.cli.common.options import plan_file
from tests.bench.flow.factory import cpu_s, factory
from tests.support.kafka_world import until


async def measure(rows: int) -> dict[str, Any]:
    """Grow `rows` rows; CPU is by consumed event.

    Seconds are by timestamps of the log: first request to last admitted row.
    """
    plan = run_config.load(plan_file(None), rows).model_copy(update={"in_progress": 128})
    with tempfile.TemporaryDirectory() as folder:
        async with factory(Path(folder) / "stack", plan, {}) as (stack, world):
            before = cpu_s(stack)

            async def grown() -> bool:
                admitted = [event for event in await world.events("sample.curated") if event.admission == "in"]
                return len(admitted) == rows

            await until(grown, f"{rows} rows", within_s=rows * 2 + 60, every_s=1.0)
            requested = await world.records("problem.requested")
            curated = await world.records("sample.curated")
            after = cpu_s(stack)
            counts = {flow.name: len(await world.records(flow.name)) for flow in FLOW}
        seconds = (max(r.timestamp for r in curated) - min(r.timestamp for r in requested)) / 1000
    consumed = {service.name: sum(counts[f.name] for f in consumed_by(service.name)) for service in SERVICES}
    spent = {name: 1000 * (after[name] - before[name]) for name in before}
    everything = sum(counts.values())
    per_event = {name: ms / (consumed.get(name) or everything) for name, ms in spent.items()}
    return {
        "rows": rows,
        "seconds": seconds,
        "rows_per_s": rows / seconds,
        "start_s": stack.timings,
        "events": {**consumed, "kafka": everything, "valkey": everything},
        "cpu_ms_per_event": per_event,
    }
