"""What a vLLM server tells of its load: it never refuses a call, it queues it, so its queue is read instead."""

import asyncio
from collections.abc import Collection

from prometheus_client.parser import text_string_to_metric_families

from shared.backoff import backoff
from shared.errors import Invalid, Transient
from shared.llm.endpoint import EndpointClient
from shared.llm.errors import Busy
from shared.llm.limiter.aimd import Load
from shared.llm.limiter.limiter import ConcurrencyLimiter

RUNNING, WAITING, CACHE = "vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:kv_cache_usage_perc"
EVERY_S = 1.0
"""At most; half of it at least."""
MIN_INTERVAL_S = 0.1
"""When the limit would grow if there were room."""
MAX_INTERVAL_S = 60.0
"""Where there is nothing to read."""
TIMEOUT_S = 5.0


async def poll(endpoint: EndpointClient, gate: ConcurrencyLimiter, models: Collection[str]) -> None:
    """Tell the gate, as long as calls are in flight; never ends. `models` may grow meanwhile."""
    while True:
        await gate.busy.wait()
        load = await _read(endpoint, models)
        gate.observe_load(load)
        if load is None:
            await asyncio.sleep(MAX_INTERVAL_S)
        else:
            await _pause(gate)


async def _pause(gate: ConcurrencyLimiter) -> None:
    """Until the next reading; never in step with the calls, or all readings would be of the same moment."""
    gate.curious.clear()
    await asyncio.sleep(MIN_INTERVAL_S)
    try:
        async with asyncio.timeout(backoff(EVERY_S, 0, EVERY_S)):
            await gate.curious.wait()
    except TimeoutError:
        pass


async def _read(endpoint: EndpointClient, models: Collection[str]) -> Load | None:
    try:
        return parse(await endpoint.metrics(TIMEOUT_S), models)
    except (Busy, Transient, Invalid, ValueError):
        return None


def parse(text: str, models: Collection[str]) -> Load | None:
    """The load of these models, or of all when none of them is named so; None when it is not told.

    Raises ValueError for what is no such text. Only lines that matter are parsed: there are thousands.
    """
    lines = "\n".join(line for line in text.splitlines() if line.startswith((RUNNING, WAITING, CACHE)))
    samples = [sample for family in text_string_to_metric_families(lines + "\n") for sample in family.samples]
    ours = [sample for sample in samples if sample.labels.get("model_name") in models] or samples
    values = {name: [s.value for s in ours if s.name == name] for name in (RUNNING, WAITING, CACHE)}
    if not values[WAITING]:
        return None
    return Load(sum(values[RUNNING]), sum(values[WAITING]), max(values[CACHE], default=0.0))
