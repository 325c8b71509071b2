"""Valkey: leases, results, budgets and indexes. All of it can be rebuilt or earned again; the log is the truth.

auto_pipeline.py    commands of many tasks in one round trip
budget_ledger.py    what model calls cost, and what those in flight may cost
call_results.py     results of one event's model calls
client.py           the connection, and retries while Valkey is unavailable
idempotency.py      recorded outcome of an event, its attempts, its lease
leases.py           renewable leases: which process owns which event
near_duplicates.py  index of near-duplicate problems
lua/                scripts that run inside Valkey
"""
