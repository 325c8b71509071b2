"""Benchmarks: the factory's own cost, measured with models that respond immediately. Not part of the tests.

answers.py          precision, recall and speed of the rules for comparing answers
bought_evidence.py  evidence requested piece by piece in hard worlds: what is kept, what is wrong, what it costs
console.py          pages, filters and searches of the console over a large dataset
dataset/            how the dataset grows: commits, disk, opening, reading
flow/               what the factory costs while it works: four stages, one stage, the whole flow
grid.py             belief with estimated parameters, on a grid of hard worlds
hard_policies.py    policies of verification in a hard world: tiers, judges alone, belief
hard_table.py       every policy in hard worlds, its parameters known, wrong on purpose, or of another world
hard_world.py       a world whose truth is known, with many hard problems
models.py           Chimera's model client and plain clients, on endpoints that are full, broken or that queue
peer_graders.py     graders of other libraries, applied to pairs: run in a throw-away environment
policies.py         yield, difficulty and error of verification policies
screening.py        recall, false positives and cost of screening, on generated and hand-written problems
"""
