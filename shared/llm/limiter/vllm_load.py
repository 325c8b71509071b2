"""Reads the load of a vLLM server, which never refuses a call but queues it."""

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
INTERVAL_S = 1.0
"""Longest time between readings; the shortest is half of it."""
MIN_INTERVAL_S = 0.1
"""When growth of the limit waits for a reading."""
ABSENT_INTERVAL_S = 60.0
"""When the server reports no load."""
TIMEOUT_S = 5.0


async def poll(endpoint: EndpointClient, limiter: ConcurrencyLimiter, models: Collection[str]) -> None:
    """Pass readings to the limiter while calls are in flight. Never ends. `models` may grow meanwhile."""
    while True:
        await limiter.is_busy.wait()
        load = await _read(endpoint, models)
        limiter.observe_load(load)
        if load is None:
            await asyncio.sleep(ABSENT_INTERVAL_S)
        else:
            await _pause(limiter)


async def _pause(limiter: ConcurrencyLimiter) -> None:
    """Wait until the next reading. The jitter keeps readings from always hitting the same phase of the calls."""
    limiter.wants_reading.clear()
    await asyncio.sleep(MIN_INTERVAL_S)
    try:
        async with asyncio.timeout(backoff(INTERVAL_S, 0, INTERVAL_S)):
            await limiter.wants_reading.wait()
    except TimeoutError:
        pass


async def _read(endpoint: EndpointClient, models: Collection[str]) -> Load | None:
    try:
        return parse(await endpoint.metrics(TIMEOUT_S), models)
    except (Busy, Transient, Invalid, ValueError):
        return None


def parse(text: str, models: Collection[str]) -> Load | None:
    """The load of these models, or of all when none has such a name; `None` when it is not reported.

    Raises ValueError when the text is not in Prometheus' format. Parses only the relevant lines of thousands.
    """
    lines = "\n".join(line for line in text.splitlines() if line.startswith((RUNNING, WAITING, CACHE)))
    samples = [sample for family in text_string_to_metric_families(lines + "\n") for sample in family.samples]
    selected = [sample for sample in samples if sample.labels.get("model_name") in models] or samples
    values = {name: [s.value for s in selected if s.name == name] for name in (RUNNING, WAITING, CACHE)}
    if not values[WAITING]:
        return None
    return Load(sum(values[RUNNING]), sum(values[WAITING]), max(values[CACHE], default=0.0))
