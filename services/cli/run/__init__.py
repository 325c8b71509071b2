"""`chimera run`: runs the stack until the plan is met.

blockers.py       dead letters, and services that are not ready
closed_topics.py  topics that the planner has closed
command.py        the command
completion.py     whether a run is over, and why
live_view.py      the view while it runs
local_factory.py  the stack of one run: Kafka, Valkey, simulator, services
quiescence.py     whether every service has finished its records
summary.py        the summary at the end
"""
