"""Joins two verdicts into a tier.

by_belief.py  decides by belief: the probability that the key is right, against the threshold of each view
handler.py    the join
settings.py   settings
tiers.py      rules of the tiers
"""
