"""PromQL that several dashboards share. `$__rate_interval` is a variable of Grafana."""

RATE = "[$__rate_interval]"


def quantile(q: float, buckets: str, by: str) -> str:
    """Return the PromQL of a quantile over all processes, by labels."""
    return f"histogram_quantile({q}, sum by (le, {by}) (rate({buckets}{RATE})))"
