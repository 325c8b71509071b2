"""Kafka. Only this package imports aiokafka and faust.

clients.py         consumers, producer and admin client, with the settings that the delivery guarantees need
codec.py           event ⇄ record (CloudEvents, binary mode)
connection.py      connection options; why a broker refuses a client
lag.py             committed offsets and lag of every consumer group
names.py           names of Kafka topics and consumer groups
partitions.py      partitions in use of Kafka topics
recorded_calls.py  model calls recorded in the log
tokens.py          tokens for SASL OAUTHBEARER
admin/             Kafka topics, offsets, grants and retention, derived from the flow
consume/           the consumer loop, from poll to commit
dlq/               dead letters
faust/             the join, run by Faust
read/              reading the log without a group
"""
