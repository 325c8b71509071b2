"""Consuming with a group, from poll to commit.

group_consumer.py    a member whose fetches cost less while no records come
consumer_loop.py     many records in flight, committed last
offset_tracker.py    the committable offset of a partition
added_partitions.py  partitions that were added to a Kafka topic
assignors.py         one active member, the others stand by
resume.py            resume offsets of a store that keeps its own
"""
