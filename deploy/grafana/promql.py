"""PromQL that several dashboards need. `$__rate_interval` is Grafana's."""

RATE = "[$__rate_interval]"


def quantile(q: float, buckets: str, by: str) -> str:
    """Of a histogram, over all processes."""
    return f"histogram_quantile({q}, sum by (le, {by}) (rate({buckets}{RATE})))"
