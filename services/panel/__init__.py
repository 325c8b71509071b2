"""Joins two verdicts into a tier."""
