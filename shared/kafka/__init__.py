"""Kafka: the only place that imports aiokafka and faust.

names.py       how Kafka topics, groups and records are named
codec.py       event ⇄ record (CloudEvents, binary mode)
connection.py  how a client connects, and why a broker refuses it
clients.py     consumers and producers with the settings that keep the promises
admin.py       Kafka topics and group offsets, made from the flow
acls.py        who may do what, made from the flow
provisioned.py may a service begin?
progress.py    which offsets may be committed
intake.py      one loop: records in, many in flight, commit last
dead.py        dead letters
follow.py      watch the log without a group
assignors.py   one replica works, the others stand by
snapshots.py   the latest value on a compacted Kafka topic
faust_loop.py  joins by problem id, run by Faust
faust_place.py which records of a Faust app are finished
backlog.py     where each group stands, what it has still to do
trim.py        forget what every group is past
create.py      make what is missing, and say what it was
audit.py       is Kafka as the flow needs it?
"""
