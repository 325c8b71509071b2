"""The libraries of the services.

audit_items.py        how audit items end
backoff.py            exponential backoff
call_journal.py       recorded model calls of the current event
clock.py              the current time
errors.py             error classes
event_loop.py         the event loop of a process that runs for long
exact_problems.py     problems whose answers are computed exactly
garbage_collector.py  settings of Python's garbage collector
interruption.py       work that may be cancelled when the process stops
parent_death.py       ends a child process with its parent
ports.py              Protocols and values that handlers need
answers/              comparing answers
cache/                Valkey
config/               settings and configuration files
dataset/              the dataset's tables
kafka/                Kafka
llm/                  models
runtime/              event loops of the services
stats/                statistics
telemetry/            logs, metrics, traces
text/                 comparing texts
"""
