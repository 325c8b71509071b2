"""Grafana dashboards as Python data.

panels.py  dashboards, panels and queries as plain data
promql.py  shared PromQL
build.py   renders the dashboards as JSON
boards/    the dashboards
"""
