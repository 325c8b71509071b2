"""`chimera check`: checks plan, models, budget, Kafka and machine.

budget.py              `chimera check budget`
commands.py            the command-line interface
diagnosis.py           what is wrong with a model, and what to change
forecast.py            estimate of calls, tokens, cost and time
machine.py             whether the stack can run on this machine
measured_costs.py      calls and tokens per problem, from a dataset
model_check.py         `chimera check models`
model_probe.py         runs the trials of every role
plan_check.py          `chimera check plan`
recording_endpoint.py  an endpoint that records its replies
trial_models.py        the models of a role under trial
trials.py              the services' own handlers, each on one event
"""
