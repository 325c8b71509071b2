"""Writes the dataset: rows, ledger, audits and releases.

audits.py       the table of audits
events.py       builds the events
handler.py      the sink
maintenance.py  compacts and vacuums the tables
outbox.py       unpublished events in commit metadata
policy.py       views, admission and releases
reverified.py   the table of reverifications, and which rows they move
settings.py     settings
state.py        state for the next decision
"""
