"""Reading the log without a consumer group.

records.py    the reader: records of partitions, to their end or for ever
until_end.py  the values of some Kafka topics
replay.py     the events of a retained Kafka topic
snapshots.py  the latest value of a compacted Kafka topic
tail.py       events as they arrive
"""
