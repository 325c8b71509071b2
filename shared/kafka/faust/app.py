"""The Faust app of the join, and its changelog table.

Faust does not report a failed changelog write to an agent; the table here exposes the acknowledgement.
"""

import asyncio
from typing import Any

import faust
from faust.assignor.partition_assignor import PartitionAssignor
from faust.auth import Credentials, OAuthCredentials, SASLCredentials, SSLCredentials

from shared.config.connections import KafkaAccess
from shared.config.settings import OAUTHBEARER, Settings
from shared.kafka.clients import RECORD_LIMIT
from shared.kafka.faust.offset_keeping_consumer import OffsetKeepingTransport
from shared.kafka.names import group
from shared.kafka.tokens import TokenProvider

MAX_POLL_RECORDS = 500
"""Records decoded in one poll; without a limit all fetched ones, which are hundreds of MB for a changelog."""


class ChangelogTable(faust.Table[bytes, bytes]):
    """A table that can wait for the broker's acknowledgement of a change."""

    def _verify_source_topic_partitions(self, source_topic: str) -> None:
        """Accept another number of partitions than the changelog has: only the first ones are in use."""

    _last: asyncio.Future[Any]

    def send_changelog(self, *args: Any, **kwargs: Any) -> Any:
        self._last = super().send_changelog(*args, **kwargs)
        return self._last

    async def write(self, key: bytes, value: bytes) -> None:
        """Change an entry and wait for the changelog. Raises the broker's error."""
        self[key] = value
        await asyncio.shield(self._last)


def _assignor(partitions: int) -> type[PartitionAssignor]:
    """Build an assignor of the first partitions of each Kafka topic; further ones stay empty (see partitions.py)."""

    class FirstPartitions(PartitionAssignor):
        @classmethod
        def _get_copartitioned_groups(cls, topics: set[str], cluster: Any, subscriptions: Any) -> Any:
            known = {topic for topic in topics if len(cluster.partitions_for_topic(topic) or ()) >= partitions}
            return {partitions: cls._group_co_subscribed(known, subscriptions)}

    return FirstPartitions


def create_app(settings: Settings, scratch: str, partitions: int) -> faust.App:
    name, access = group(settings.factory, settings.service), settings.kafka_access
    app = faust.App(
        name,
        broker=f"kafka://{access.servers.replace(',', ';')}",
        broker_credentials=_credentials(access),
        store="memory://",
        key_serializer="raw",
        value_serializer="raw",
        datadir=scratch,
        processing_guarantee="at_least_once",
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=RECORD_LIMIT,
        broker_max_poll_records=MAX_POLL_RECORDS,
        producer_max_request_size=RECORD_LIMIT,
        producer_compression_type="zstd",
        broker_session_timeout=settings.session_s,
        broker_request_timeout=max(90.0, settings.session_s),
        broker_commit_interval=0.5,
        stream_wait_empty=True,  # for OffsetKeepingConsumer.wait_empty
        PartitionAssignor=_assignor(partitions),
        topic_disable_leader=True,
        topic_allow_declare=False,
        web_enabled=False,
        loghandlers=[],
    )
    app.transport = OffsetKeepingTransport(app.conf.broker_consumer, app)
    return app


def _credentials(access: KafkaAccess) -> Credentials | None:
    context = access.tls.context() if access.tls else None
    if access.login and access.login.mechanism == OAUTHBEARER:
        return OAuthCredentials(oauth_cb=TokenProvider(access.login), ssl_context=context)
    if login := access.login:
        return SASLCredentials(
            username=login.username,
            password=login.password.get_secret_value(),
            mechanism=login.mechanism,
            ssl_context=context,
        )
    return SSLCredentials(context) if context else None


def create_changelog_table(app: faust.App, partitions: int) -> ChangelogTable:
    table = ChangelogTable(
        app,
        name="cases",
        key_type=bytes,
        value_type=bytes,
        partitions=partitions,
    )
    app.tables.add(table)
    return table
