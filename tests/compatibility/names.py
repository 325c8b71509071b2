"""Today's names of all that is compared with the recordings. Nothing else here imports the factory's code."""

from deploy.local.record import Record as StackFile
from deploy.local.supervisor import Stack
from schemas import flow
from schemas.audit import Mark as AuditTag
from schemas.identity import content_hash
from schemas.item import Problem
from schemas.plan import Plan
from services.aggregator import outbox
from services.aggregator.state import State as AggregatorState
from services.cli.__main__ import app as command_line
from services.cli.casting import write as write_files
from services.panel.handler import Case as PanelCase
from services.planner.state import State as PlannerState
from services.screening.sketch import FEATURES
from services.screening.sketch import sketch as fingerprint
from shared.access import ValkeyAccess
from shared.cache.budget import Amount
from shared.cache.budget import Treasury as BudgetLedger
from shared.cache.client import connect
from shared.cache.outcomes import Outcomes as IdempotencyStore
from shared.cache.twins import ValkeyTwins as NearDuplicateIndex
from shared.dataset import Audit, Entry, Row, Table
from shared.kafka.admin import wanted as kafka_topics
from shared.kafka.codec import decode, encode, mark_of, pack, unpack
from shared.kafka.dead import Failure, Origin, dead_letter
from shared.llm import load_cast as load_models
from shared.llm.client import REPLY
from shared.plan import load_plan
from shared.runtime.machine import Snapshot
from tests.e2e import checks
from tests.e2e.factory import chimera, read
from tests.e2e.line import Line
from tests.world import World

__all__ = [
    "FEATURES",
    "REPLY",
    "AggregatorState",
    "Amount",
    "Audit",
    "AuditTag",
    "BudgetLedger",
    "Entry",
    "Failure",
    "IdempotencyStore",
    "Line",
    "NearDuplicateIndex",
    "Origin",
    "PanelCase",
    "Plan",
    "PlannerState",
    "Problem",
    "Row",
    "Snapshot",
    "Stack",
    "StackFile",
    "Table",
    "ValkeyAccess",
    "World",
    "checks",
    "chimera",
    "command_line",
    "connect",
    "content_hash",
    "dead_letter",
    "decode",
    "encode",
    "fingerprint",
    "flow",
    "kafka_topics",
    "load_models",
    "load_plan",
    "mark_of",
    "outbox",
    "pack",
    "read",
    "unpack",
    "write_files",
]
