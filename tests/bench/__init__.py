"""Benchmarks: the factory's own cost, measured with models that respond immediately. Not part of the tests.

answers.py        measures precision, recall and speed of the rules for comparing answers, on labelled pairs, by
bought_evidence.py  evidence bought piece by piece in hard worlds: what is kept, what is wrong, what it costs
dataset/          how the dataset grows: commits, disk, opening, reading
console.py        measures pages, filters and searches of the console over a large dataset
factory.py        A factory for benchmarks: the real stack, the simulator with chosen latencies, CPU time by process
grid.py           belief with estimated parameters, on a grid of hard worlds
hard_policies.py  policies of verification in the hard world: the tiers, judges alone, belief
hard_table.py     every policy in hard worlds, with its parameters known, wrong on purpose, or in a world that is not
hard_world.py     A world in which the truth is known and hard problems are common, to try policies of verification on
models.py         measures Chimera's model client against plain clients, on endpoints that are full, broken or that
peer_graders.py   graders of other libraries, applied to pairs: run in a throw-away environment
policies.py       compares verification policies by yield, difficulty and error: simulated abilities
screening.py      measures recall, false positives and cost of screening, on generated and hand-written problems
slots.py          measures the slot utilisation of one stage: synthesis, 64 in flight, 200 ms a call
stage.py          measures the overhead of one stage: consume → call → produce → commit, 64 in flight, 50 ms a call
whole_flow.py     measures the whole flow with models that respond immediately: rows per second, CPU per event by
"""
