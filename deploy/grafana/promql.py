"""PromQL that several dashboards share. `$__rate_interval` is a variable of Grafana."""

import re
from collections.abc import Sequence

from deploy.grafana.panels import Variable

RATE = "[$__rate_interval]"


def quantile(q: float, buckets: str, by: str) -> str:
    """Return the PromQL of a quantile over all processes, by labels."""
    return f"histogram_quantile({q}, sum by (le, {by}) (rate({buckets}{RATE})))"


def narrow(expr: str, variables: Sequence[Variable]) -> str:
    """Return the PromQL with every metric narrowed to what the reader chose; labels in `by (…)` are none."""
    return re.sub(r"\b(?:by|on) \([^)]*\)|[a-z][\w:]*\{?", lambda found: _narrowed(found[0], variables), expr)


def _narrowed(found: str, variables: Sequence[Variable]) -> str:
    metric = found.removesuffix("{")
    matchers = ", ".join(f'{one.label}=~"${one.name}"' for one in variables if re.fullmatch(one.metrics, metric))
    if not matchers:
        return found
    return f"{found}{matchers}, " if found.endswith("{") else f"{metric}{{{matchers}}}"
