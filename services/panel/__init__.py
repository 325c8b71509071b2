"""Joins the evidence on a problem into a tier, and requests more while belief leaves it undecided.

by_belief.py     decides by belief: the probability that the key is right, against the threshold of each view
criteria.py      parameters of belief, and the belief that each view needs
estimates.py     keeps the criteria those of the latest release
handler.py       the join
second_round.py  which evidence is requested, and verdicts with what was given
settings.py      settings
tiers.py         rules of the tiers
"""
