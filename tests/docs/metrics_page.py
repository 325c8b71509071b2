"""The page of metrics, from the catalogue and the recording rules."""

import yaml
from prometheus_client import Counter, Gauge, Histogram

from schemas.codegen.export import ROOT
from shared.telemetry import metrics
from tests.docs.markdown import code, table

HEAD = """# Metrics

Every process answers on its health port at `/metrics`. A counter ends in `_total`; a histogram has `_bucket`, `_sum`
and `_count`.
"""

RULES = """
## Recording rules

Computed by Prometheus from these ([`chimera.yaml`](../../deploy/prometheus/rules/chimera.yaml)).

"""


def metrics_page() -> str:
    """Render the page."""
    catalogue = [metric for metric in vars(metrics).values() if isinstance(metric, Counter | Gauge | Histogram)]
    rows = [
        (code(_name(metric)), metric._type, _labels(metric), _unit(metric), metric._documentation)
        for metric in catalogue
    ]
    groups = yaml.safe_load((ROOT / "deploy" / "prometheus" / "rules" / "chimera.yaml").read_text())["groups"]
    recorded = [
        (code(rule["record"]), code(rule["expr"])) for group in groups for rule in group["rules"] if "record" in rule
    ]
    metrics_table = table(("name", "type", "labels", "unit", "meaning"), rows)
    return f"{HEAD}\n{metrics_table}{RULES}{table(('name', 'expression'), recorded)}"


Metric = Counter | Gauge | Histogram


def _name(metric: Metric) -> str:
    return f"{metric._name}_total" if isinstance(metric, Counter) else metric._name


def _labels(metric: Metric) -> str:
    return ", ".join(code(label) for label in metric._labelnames)


def _unit(metric: Metric) -> str:
    if metric._documentation.startswith("1 "):
        return "0 or 1"
    for ending, unit in {
        "seconds": "s",
        "tokens": "tokens",
        "token_usage": "tokens",
        "dollars": "US $",
        "ratio": "0 to 1",
    }.items():
        if metric._name.endswith(ending):
            return unit
    return "number"
