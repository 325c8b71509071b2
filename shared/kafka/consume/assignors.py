"""One replica works, the others stand by."""

from collections.abc import Mapping
from os import getpid
from socket import gethostname
from typing import Any

from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata


class SingleActiveAssignor(AbstractPartitionAssignor):  # type: ignore[misc]
    """Gives every partition to one member, the first by id; when it leaves, the next takes over.

    Members say what process they are, and are told which of them works.
    """

    name = "chimera-sole"
    version = 0
    at_work = ""
    """Host and process of the one that works, as last told to this process; empty when an older one decided."""

    @classmethod
    def assign(
        cls, cluster: ClusterMetadata, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        chosen = min(members)
        topics = {topic for member in members.values() for topic in member.subscription}
        everything = [(topic, sorted(cluster.partitions_for_topic(topic) or ())) for topic in sorted(topics)]
        return {
            member: ConsumerProtocolMemberAssignment(
                cls.version, everything if member == chosen else [], members[chosen].user_data
            )
            for member in members
        }

    @classmethod
    def metadata(cls, topics: Any) -> ConsumerProtocolMemberMetadata:
        myself = f"process {getpid()} on {gethostname()}"
        return ConsumerProtocolMemberMetadata(cls.version, list(topics), myself.encode())

    @classmethod
    def on_assignment(cls, assignment: ConsumerProtocolMemberAssignment) -> None:
        cls.at_work = assignment.user_data.decode()
