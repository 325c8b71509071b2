"""Statistics of counts, guesses, shared errors and beliefs. Pure.

belief.py             probability that a key is right, given votes, judgements and adjudications
belief_estimation.py  parameters of belief and share of wrong keys among rows, with intervals
belief_policy.py      threshold that keeps wrong keys below a target; the next evidence worth buying
error_agreement.py    whether two verifiers err alike
grid_posterior.py     posterior on a grid that closes in on its mass; intervals
guessing.py           chance that a guess hits the key
item_belief.py        evidence on an item and what it comes to
ledger.py             likelihood of a ledger of items under the parameters of belief
quadrature.py         average over solve rates without a closed form
view_thresholds.py    belief that a row needs to enter a view
wilson.py             Wilson's interval of a rate
"""
