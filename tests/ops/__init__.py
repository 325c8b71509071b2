"""Checks of dashboards, alerts, images and the chart."""
