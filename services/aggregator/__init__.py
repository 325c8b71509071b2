"""Writes the dataset: rows, ledger, audits and releases.

event_table.py  a table with one line for each event of a type
events.py       builds the events
handler.py      the sink
known_ids.py    ids of a table's lines, in little memory
maintenance.py  joins small files, deletes old ones
moves.py        which rows move by more evidence or another solution
outbox.py       what is to be published, in commit metadata
policy.py       views, admission and releases
publication.py  events that are published late
separate_process.py  runs a function in a process of its own
settings.py     settings
state.py        state for the next decision
"""
