"""Logs, metrics and traces.

logs.py               JSON log lines
metrics.py            the catalogue of metrics
recent_rate.py         how often something happened lately
repeated_warnings.py  counts warnings while a server is away
traces.py             OpenTelemetry spans
"""
