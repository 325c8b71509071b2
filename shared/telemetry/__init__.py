"""Logs, metrics and traces.

logs.py               JSON log lines
metrics.py            the catalogue of metrics
repeated_warnings.py  counts warnings while a server is away
traces.py             OpenTelemetry spans
"""
