"""An OpenAI-compatible server that simulates every model from a seeded bank of problems with exact answers.

answers.py      comparison of answers
calls.py        logs of requests and answers, as JSON lines
corrupt.py      faults in the text of an answer
engine.py       the simulated server of one model
faults.py       settings of faults
latency.py      the time of an answer
metrics.py      vLLM's metrics
misprint.py     wrong keys
recognition.py  finds the problem that a prompt is about
sampling.py     reproducible random numbers
settings.py     settings from the environment
thinking.py     chains of thought
api/            the HTTP server
bank/           problems by subject
roles/          one module per task
"""
