"""Exports the lag of consumer groups for Prometheus.

__main__.py  the process
settings.py  settings
"""
