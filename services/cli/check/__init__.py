"""`chimera check`: checks plan, models, Kafka and machine before a run.

commands.py         the command-line interface
diagnosis.py        what is wrong with a model, and what to change
forecast.py         estimate of calls, tokens, cost and time
machine.py          whether the stack can run on this machine
measured_costs.py   calls and tokens per problem, from a dataset
model_check.py      `chimera check models`
model_probe.py      real calls that try every role
plan_check.py       `chimera check plan`
probe_questions.py  the questions for each role
"""
