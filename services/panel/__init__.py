"""Joins two verdicts into a tier.

handler.py   the join
settings.py  settings
tiers.py     rules of the tiers
"""
