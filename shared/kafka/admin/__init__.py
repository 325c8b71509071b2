"""Kafka topics, offsets, grants and retention, derived from the flow.

topics.py           Kafka topics of the flow
initial_offsets.py  initial offsets of every group
create.py           creates both, and reports what was created
readiness.py        whether a service may start
check.py            compares Kafka with the flow
acls.py             access control lists
retention.py        deletes finished records
"""
