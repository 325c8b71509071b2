"""vLLM's metrics with its names and its label `model_name`, computed from the engines at each scrape."""

from collections.abc import Callable, Collection, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.simulator.engine import Engine

_GAUGES: dict[str, tuple[str, Callable[[Engine], float]]] = {
    "vllm:num_requests_running": ("Running calls", lambda engine: engine.running),
    "vllm:num_requests_waiting": ("Calls that wait for a slot", lambda engine: engine.waiting),
    "vllm:kv_cache_usage_perc": ("Fraction of slots in use, 0 to 1", lambda engine: engine.load),
}
_COUNTERS: dict[str, tuple[str, Callable[[Engine], float]]] = {
    "vllm:prompt_tokens": ("Prompt tokens", lambda engine: engine.prompt_tokens),
    "vllm:generation_tokens": ("Generated tokens", lambda engine: engine.generation_tokens),
}


class Gauges(Collector):
    """Reads the engines at each scrape, without a cost per call."""

    def __init__(self, engines: Collection[Engine]) -> None:
        self._engines = engines

    def collect(self) -> Iterator[Metric]:
        for kind, families in ((GaugeMetricFamily, _GAUGES), (CounterMetricFamily, _COUNTERS)):
            for name, (meaning, read) in families.items():
                family = kind(name, meaning, labels=["model_name"])
                for engine in self._engines:
                    family.add_metric([engine.model], read(engine))
                yield family


def registry(engines: Collection[Engine]) -> CollectorRegistry:
    """Return a registry with the metrics of these engines only."""
    made = CollectorRegistry()
    made.register(Gauges(engines))
    return made
