"""Writes the dataset: rows, ledger, audits and releases.

audits.py       the table of audits
events.py       builds the events
handler.py      the sink
maintenance.py  joins small files, deletes old ones
outbox.py       what is to be published, in commit metadata
policy.py       views, admission and releases
publication.py  events that are published late
reverified.py   the table of reverifications, and which rows they move
separate_process.py  runs a function in a process of its own
settings.py     settings
state.py        state for the next decision
"""
