"""Checks of dashboards, alerts, images, the chart and the console.

check.py               `make check-ops`: runs every validator
compose.py             what `.env` changes in Compose: a Kafka and a Valkey of one's own, images by digest
queries.py             every query of dashboards and rules on a real Prometheus
prometheus_sidecar.py  a real Prometheus beside a local stack
observe.py             `make observe`
training_metrics.py    the trainer's metrics without a trainer
chart/                 the Helm chart: schemas, invariants, refused values
keda_scaling.py        KEDA's scaling on a real cluster
lag_plot.py            plot of lag and replicas
check_console.py       `make check-console`: every page in a real browser
browser.py             a headless Chromium
explain_pods.py        why pods are not ready; used by try-chart
"""
