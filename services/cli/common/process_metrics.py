"""Readiness and metrics of a stack's processes, over HTTP: /readyz and /metrics."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import httpx
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from deploy.local.ports import LOOPBACK
from deploy.local.state_file import RunningProcess
from services.planner.pauses import PAUSES
from shared.telemetry.metrics import EVENTS, EVENTS_PER_SECOND, MODEL_CIRCUIT_OPEN, PAUSED, RETRIES


@dataclass(frozen=True, slots=True)
class ProcessMetrics:
    """One process. Counts are since its start."""

    unready: str | None
    """Why it is not ready; `None` when it is ready."""
    outcomes: Mapping[str, int] = field(default_factory=dict)
    """Events by outcome: done, repeated, dead_letter."""
    retries: int = 0
    waits: tuple[str, ...] = ()
    """Why it does nothing although it is ready: a circuit is open, or the planner requests nothing."""

    events_per_s: float = 0.0
    """Finished events per second, lately."""


async def scrape(running: Iterable[RunningProcess]) -> dict[str, ProcessMetrics]:
    """Scrape every process that has a health port. A process that does not answer is not ready."""
    async with httpx.AsyncClient(timeout=2.0, trust_env=False) as client:
        requests = {one.name: _scrape_one(client, one.health_port) for one in running if one.health_port}
        return dict(zip(requests, await asyncio.gather(*requests.values()), strict=True))


async def _scrape_one(client: httpx.AsyncClient, port: int) -> ProcessMetrics:
    url = f"http://{LOOPBACK}:{port}"
    try:
        ready, metrics = await asyncio.gather(client.get(f"{url}/readyz"), client.get(f"{url}/metrics"))
    except httpx.HTTPError as error:
        return ProcessMetrics(f"does not answer ({type(error).__name__})")
    return parse(metrics.text, None if ready.is_success else ready.text.strip())


def parse(metrics: str, unready: str | None) -> ProcessMetrics:
    """Parse the text of /metrics."""
    outcomes: Counter[str] = Counter()
    retries, events_per_s, waits = 0, 0.0, list[str]()
    wanted = "\n".join(line for line in metrics.splitlines() if line.startswith(_WANTED))  # parsing all is slow
    for family in text_string_to_metric_families(f"{wanted}\n"):
        for sample in family.samples:
            if sample.name == _EVENTS:
                outcomes[sample.labels["outcome"]] += int(sample.value)
            elif sample.name == _RETRIES:
                retries += int(sample.value)
            elif sample.name == _EVENTS_PER_SECOND:
                events_per_s += sample.value
            elif sample.name == _MODEL_CIRCUIT_OPEN and sample.value:
                waits.append(f"endpoint {' '.join(sample.labels.values())} takes no calls")
            elif sample.name == _PAUSED and sample.value:
                waits.append(PAUSES.get(sample.labels["reason"], sample.labels["reason"]))
    return ProcessMetrics(unready, outcomes, retries, tuple(waits), events_per_s)


def _name(metric: Collector) -> str:
    return next(iter(metric.collect())).name


_EVENTS, _RETRIES = f"{_name(EVENTS)}_total", f"{_name(RETRIES)}_total"
_EVENTS_PER_SECOND, _MODEL_CIRCUIT_OPEN, _PAUSED = map(_name, (EVENTS_PER_SECOND, MODEL_CIRCUIT_OPEN, PAUSED))
_WANTED = (_EVENTS, _RETRIES, _EVENTS_PER_SECOND, _MODEL_CIRCUIT_OPEN, _PAUSED)
