"""Reading the log without a consumer group.

records.py    the reader: records of partitions, to their end or for ever
until_end.py  the values of some Kafka topics
replay.py     the events of a retained Kafka topic
keys.py       positions and keys of consumed records
state_log.py  a full document and its changes on a compacted Kafka topic
snapshots.py  the latest value of a compacted Kafka topic
latest.py     the latest records of a Kafka topic
tail.py       events as they arrive
"""
