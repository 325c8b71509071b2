"""Benchmarks: the factory's own cost, measured with models that respond immediately. Not part of the tests.

answers.py     measures precision, recall and speed of the rules for comparing answers, on labelled pairs, by method
factory.py     A factory for benchmarks: the real stack, the simulator with chosen latencies, CPU time by process
models.py      measures Chimera's model client against plain clients, on endpoints that are full, broken or that queue
policies.py    compares verification policies by yield, difficulty and error: simulated abilities
screening.py   measures recall, false positives and cost of screening, on generated and hand-written problems
slots.py       measures the slot utilisation of one stage: synthesis, 64 in flight, 200 ms a call
stage.py       measures the overhead of one stage: consume → call → produce → commit, 64 in flight, 50 ms a call
whole_flow.py  measures the whole flow with models that respond immediately: rows per second, CPU per event by service
"""
