"""Statistics. Pure functions.

belief.py             probability that a key is right, from votes, judgements and adjudications
belief_estimation.py  parameters of belief and share of wrong keys among rows, with intervals
belief_model.py       evidence on a key, and the parameters of belief
error_agreement.py    whether two verifiers make the same errors
evidence_choice.py    the piece of evidence to request next
evidence_forecast.py  what requests for evidence lead to; threshold for a target of wrong keys
grid_posterior.py     posterior on a grid that closes in on its mass; intervals
guessing.py           probability of a correct guess
item_belief.py        evidence on an item, and its belief
ledger.py             likelihood of a ledger of items under the parameters of belief
quadrature.py         average over solve rates without a closed form
view_thresholds.py    belief that a row needs to enter a view
wilson.py             confidence intervals of rates
"""
