"""Policies of verification in hard worlds whose truth is known.

grid.py               belief with estimated parameters, on a grid of worlds
hard_policies.py      policies: tiers, judges alone, belief
hard_table.py         every policy, its parameters known, wrong on purpose, or of another world
hard_world.py         a world with many hard problems
requested_evidence.py evidence requested piece by piece: what is kept, what is wrong, what it costs
vote_tree.py          combinations of votes that requests for votes can lead to
votes_only.py         threshold that keeps wrong keys below a target, where only votes are requested
"""
