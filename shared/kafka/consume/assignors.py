"""The partition assignor of single-active services."""

from collections.abc import Mapping
from os import getpid
from socket import gethostname
from typing import Any

from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata


class SingleActiveAssignor(AbstractPartitionAssignor):  # type: ignore[misc]
    """Assigns every partition to one member, the first by id; the others stand by.

    Members send their host and process id; the assignment names the active one.
    """

    name = "chimera-sole"
    version = 0
    active_member = ""
    """Host and process id of the active member, from the last assignment; empty when an older version assigned."""

    @classmethod
    def assign(
        cls, cluster: ClusterMetadata, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        active = min(members)
        topics = {topic for member in members.values() for topic in member.subscription}
        every_partition = [(topic, sorted(cluster.partitions_for_topic(topic) or ())) for topic in sorted(topics)]
        return {
            member: ConsumerProtocolMemberAssignment(
                cls.version, every_partition if member == active else [], members[active].user_data
            )
            for member in members
        }

    @classmethod
    def metadata(cls, topics: Any) -> ConsumerProtocolMemberMetadata:
        process = f"process {getpid()} on {gethostname()}"
        return ConsumerProtocolMemberMetadata(cls.version, list(topics), process.encode())

    @classmethod
    def on_assignment(cls, assignment: ConsumerProtocolMemberAssignment) -> None:
        cls.active_member = assignment.user_data.decode()
