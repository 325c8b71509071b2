"""What counts say, as pure functions.

belief.py            how probable it is that a key is right, given votes, judgements and adjudications
quadrature.py        the average over solve rates that has no closed form
belief_policy.py     the threshold that keeps wrong keys below a target; the next evidence worth buying
belief_estimation.py the model's parameters, and the share of wrong keys among rows, with intervals
"""
