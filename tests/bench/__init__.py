"""Benchmarks: the factory's own cost, measured with models that respond immediately. Not part of the tests.

answers.py          precision, recall and speed of the rules for comparing answers
belief/             policies of verification in hard worlds whose truth is known
console.py          pages, filters and searches of the console over a large dataset
dataset/            how the dataset grows: commits, disk, opening, reading
factory.py          a factory for benchmarks: the real stack, the simulator with chosen latencies, CPU time by process
models.py           Chimera's model client and plain clients, on endpoints that are full, broken or that queue
peer_graders.py     graders of other libraries, applied to pairs: run in a throw-away environment
policies.py         yield, difficulty and error of verification policies
screening.py        recall, false positives and cost of screening, on generated and hand-written problems
slots.py            slot utilisation of one stage: synthesis, 64 in flight, 200 ms a call
stage.py            overhead of one stage: consume → call → produce → commit, 64 in flight, 50 ms a call
whole_flow.py       the whole flow with models that respond immediately: rows per second, CPU by service
"""
