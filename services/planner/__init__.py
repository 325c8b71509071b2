"""Requests the problems that the plan lacks, by the measured yield.

ability.py        weights topics by the trained model's ability
budget.py         problems that the budget allows in flight
demand.py         problems wanted by subject and topic
endings.py        state transitions
floor.py          pauses what yields too few rows
handler.py        the control loop
hints.py          hints of a request
ids_from_log.py   reads ids that a snapshot leaves out
ledger_keeper.py  initialises the budget ledger
measured.py       exports the state as metrics
pauses.py         why it requests nothing
settings.py       settings
state.py          the state
plans/            plans that come with the factory
"""
