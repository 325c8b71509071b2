"""Kafka topics, offsets, grants and retention, derived from the flow.

topics.py     Kafka topics and the initial offsets of every group
create.py     creates both, and reports what was created
readiness.py  whether a service may start
check.py      compares Kafka with the flow
acls.py       access control lists
retention.py  deletes finished records
"""
