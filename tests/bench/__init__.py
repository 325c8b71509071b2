"""Benchmarks: the factory's own cost, measured with models that respond immediately. Not part of the tests.

answers.py          precision, recall and speed of the rules for comparing answers
belief/             policies of verification in hard worlds whose truth is known
console.py          pages, filters and searches of the console over a large dataset
dataset/            how the dataset grows: commits, disk, opening, reading
flow/               what the factory costs while it works: four stages, one stage, the whole flow
models.py           Chimera's model client and plain clients, on endpoints that are full, broken or that queue
peer_graders.py     graders of other libraries, applied to pairs: run in a throw-away environment
planner.py          an event of the planner, with few topics and with many
peers/              the four-stage job by other libraries
policies.py         yield, difficulty and error of verification policies
screening.py        recall, false positives and cost of screening, on generated and hand-written problems
"""
