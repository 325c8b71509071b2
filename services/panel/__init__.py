"""Joins two verdicts into a tier.

__main__.py  builds the service
handler.py   the join
settings.py  settings
tiers.py     rules of the tiers
"""
