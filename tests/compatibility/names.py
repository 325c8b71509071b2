"""Today's names of all that is compared with the recordings. Nothing else here imports the factory's code."""

from deploy.local.process_spec import ProcessSpec
from deploy.local.state_file import StateFile
from deploy.local.supervisor import Stack
from schemas import flow
from schemas.audit_tag import AuditTag
from schemas.config.plan import Plan
from schemas.events import Event
from schemas.identity import content_hash
from schemas.item import Problem
from services.aggregator import outbox
from services.aggregator.state import State as AggregatorState
from services.cli.__main__ import app as command_line
from services.cli.common.models_config import write as write_files
from services.panel.handler import JoinState
from services.planner.state import State as PlannerState
from services.screening.fingerprint import fingerprint
from shared.cache.budget_ledger import Amount, BudgetLedger
from shared.cache.client import connect
from shared.cache.idempotency import IdempotencyStore
from shared.cache.near_duplicates import ValkeyNearDuplicateIndex
from shared.config.connections import ValkeyAccess
from shared.config.plan_loader import load_plan
from shared.dataset import Audit, Entry, Row, Table
from shared.kafka.admin.topics import topic_settings
from shared.kafka.codec import Message, audit_tag_of, decode, encode, pack, unpack
from shared.kafka.dlq.dead_letter import Failure, SourceRecord
from shared.kafka.dlq.dead_letter import to_record as to_dead_letter
from shared.llm import load_models_config
from shared.llm.client import REPLY
from shared.ports import TextFingerprint
from shared.runtime.machine import Snapshot
from tests.e2e import checks, second_round
from tests.e2e.factory import Remains, chimera, read
from tests.e2e.services_as_processes import Line
from tests.support.kafka_world import KafkaWorld, until

SETTINGS = "shared.config.settings"
"""Module of the settings that services share."""

__all__ = [
    "REPLY",
    "SETTINGS",
    "AggregatorState",
    "Amount",
    "Audit",
    "AuditTag",
    "BudgetLedger",
    "Entry",
    "Event",
    "Failure",
    "IdempotencyStore",
    "JoinState",
    "KafkaWorld",
    "Line",
    "Message",
    "Plan",
    "PlannerState",
    "Problem",
    "ProcessSpec",
    "Remains",
    "Row",
    "Snapshot",
    "SourceRecord",
    "Stack",
    "StateFile",
    "Table",
    "TextFingerprint",
    "ValkeyAccess",
    "ValkeyNearDuplicateIndex",
    "audit_tag_of",
    "checks",
    "chimera",
    "command_line",
    "connect",
    "content_hash",
    "decode",
    "encode",
    "fingerprint",
    "flow",
    "load_models_config",
    "load_plan",
    "outbox",
    "pack",
    "read",
    "second_round",
    "to_dead_letter",
    "topic_settings",
    "unpack",
    "until",
    "write_files",
]
