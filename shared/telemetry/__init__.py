"""Logs, metrics and traces.

logs.py     JSON log lines
metrics.py  the catalogue of metrics
traces.py   OpenTelemetry spans
"""
