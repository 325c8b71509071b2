"""What must hold after every run, whatever happened during it. Each check reads the log or the tables themselves."""

import json
from collections import Counter, defaultdict
from uuid import UUID

from schemas.config.plan import Plan
from schemas.events import ItemEvent
from schemas.flow import FLOW, SERVICE
from services.simulator.bank import Bank
from shared.kafka.codec import AUDIT_HEADER
from tests.e2e.factory import Remains

STAGES = (
    "problem.drafted",
    "problem.screened",
    "problem.verified",
    "problem.accepted",
    "problem.probed",
    "solution.synthesized",
    "solution.checked",
)


def check_everything(found: Remains, plan: Plan, seed: int) -> None:
    """Run all checks."""
    check_every_problem_ended_once(found)
    check_audit_items_ended_as_audits_and_nowhere_else(found)
    check_exactly_the_requested_rows(found, plan)
    check_correct_rows_have_the_true_answer(found, seed)
    check_lineage_is_complete_and_real(found)
    check_one_id_means_one_content(found)
    check_nothing_was_left_or_lost(found)
    check_the_log_alone_makes_the_same_rows(found)
    check_services_did_what_the_flow_says(found)


def check_every_problem_ended_once(found: Remains) -> None:
    """Requested = curated + rejected, nobody twice, nobody missing."""
    requested = {event.id for event in found.events["problem.requested"]}
    curated = {event.sample_id for event in found.events["sample.curated"]}
    rejected = {event.item.id for event in found.events["problem.rejected"]}
    assert not curated & rejected, "ended twice"
    assert curated | rejected == requested, "ended without a request, or never"
    rejections = {event.item.id: set[UUID]() for event in found.events["problem.rejected"]}
    for event in found.events["problem.rejected"]:
        rejections[event.item.id].add(event.id)
    assert all(len(ids) == 1 for ids in rejections.values()), "rejected by two"
    assert {UUID(row["id"]) for row in found.rows} == curated, "rows differ from what was announced"
    in_ledger = {UUID(line["item_id"]) for line in found.ledger if line["kind"] == "rejected"}
    assert in_ledger == rejected, "the ledger differs from the log"


def check_audit_items_ended_as_audits_and_nowhere_else(found: Remains) -> None:
    """Whatever ever bore a mark was judged once, is a line of the audits, and is found nowhere behind the panel."""
    marked = audited(found)
    assert {event.item.id for event in found.events["audit.judged"]} == marked, "unmarked, or never judged"
    assert len({event.id for event in found.events["audit.judged"]}) == len(marked), "judged twice"
    assert sorted(UUID(line["id"]) for line in found.audits) == sorted(marked), "the table differs from the log"
    beyond = ("problem.requested", "problem.accepted", "problem.rejected", "problem.parked", "problem.probed")
    for name in (*beyond, "solution.requested", "solution.synthesized", "solution.checked", "sample.curated"):
        assert not marked & {UUID(event.key) for event in found.events[name]}, f"an audit item on {name}"
    assert not marked & {UUID(row["id"]) for row in found.rows}, "an audit item among the rows"
    assert not marked & {UUID(line["item_id"]) for line in found.ledger}, "an audit item in the ledger"


def audited(found: Remains) -> set[UUID]:
    """Ids of all items of which any record bears a mark; each of their records must."""
    bears: dict[UUID, set[bool]] = defaultdict(set)
    for records in (found.records[flow.name] for flow in FLOW if issubclass(flow.event, ItemEvent)):
        for record in records:
            bears[UUID((record.key or b"").decode())].add(AUDIT_HEADER in dict(record.headers))
    assert all(len(output) == 1 for output in bears.values()), "a mark was lost on the way"
    return {item for item, output in bears.items() if output == {True}}


def check_exactly_the_requested_rows(found: Remains, plan: Plan) -> None:
    """Exactly the quota of each subject is `in`; no row twice; the log says the same as the table."""
    ids = [row["id"] for row in found.rows]
    assert len(ids) == len(set(ids)), "a row twice"
    texts = [row["fingerprint"] for row in found.rows]
    assert len(texts) == len(set(texts)), "a problem twice"
    admitted = Counter(row["subject"] for row in found.rows if row["admission"] == "in")
    assert admitted == Counter(plan.quotas())
    output = {
        event.sample_id: event.admission
        for event in sorted(found.events["sample.curated"], key=lambda e: e.cause.index)
    }
    assert output == {UUID(row["id"]): row["admission"] for row in found.rows}


def check_correct_rows_have_the_true_answer(found: Remains, seed: int) -> None:
    """The bank knows the truth of every problem that it wrote."""
    bank = Bank(seed)
    correct = [row for row in found.rows if row["correct"]]
    assert len(correct) >= sum(row["admission"] == "in" for row in found.rows)
    wrong = [(row["problem"], row["answer"]) for row in correct if row["answer"] != bank.truth(row["problem"])]
    assert wrong == []
    marked = audited(found)
    drafted = [event.item.written for event in found.events["problem.drafted"] if event.item.id not in marked]
    assert any(draft.answer != bank.truth(draft.statement) for draft in drafted), "no wrong key was there to be caught"


def check_lineage_is_complete_and_real(found: Remains) -> None:
    """Every row names the event of each stage, all of them on the log, and each model call that it took."""
    on_log = {str(event.id) for event in found.every}
    on_log |= {str(event.cause.parent) for event in found.events["problem.probed"]}  # accepted, without a probe
    for row in found.rows:
        steps = json.loads(row["lineage"])
        stages = Counter(step["type"] for step in steps)
        assert set(STAGES) <= set(stages), f"{row['id']} skipped a stage"
        assert stages["problem.verified"] == 2
        assert {step["event"] for step in steps} <= on_log, "an event that is not on the log"
        calls = [call for step in steps for call in step["calls"]]
        assert {call["role"] for call in calls} >= {"problem_writer", "verifier-a", "verifier-b", "synthesis"}
        assert all(call["simulated"] and call["model"].startswith("sim-") and call["prompt_hash"] for call in calls)
        assert row["simulated"]
        assert row["independent"]
        assert row["reasoning"]
        assert row["solution"]


def check_one_id_means_one_content(found: Remains) -> None:
    """However often an event was published, it was the same to the byte."""
    contents: dict[tuple[str, bytes], set[bytes]] = defaultdict(set)
    for name, records in found.records.items():
        for record in records:
            contents[name, dict(record.headers)["ce_id"]].add(record.value or b"")
    assert [key for key, values in contents.items() if len(values) > 1] == []


def check_nothing_was_left_or_lost(found: Remains) -> None:
    """No dead letter, no parked problem; every group has finished everything."""
    assert found.dead == []
    assert found.events["problem.parked"] == []
    assert {place: lag for place, lag in found.lag.items() if lag} == {}


def check_the_log_alone_makes_the_same_rows(found: Remains) -> None:
    """The same ids, contents and admissions, although these were decided in an order that the log does not tell."""
    same = ("row_hash", "admission", "views", "split")
    now, again = ({row["id"]: [row[name] for name in same] for row in rows} for rows in (found.rows, found.again))
    assert again == now


def check_services_did_what_the_flow_says(found: Remains) -> None:
    """Who wrote what, by the envelopes: nobody beside the flow, and every service something."""
    wrote = {
        (dict(record.headers)["ce_source"].decode().rpartition("/")[2], name)
        for name, records in found.records.items()
        for record in records
    }
    assert wrote <= {(service, flow.name) for flow in FLOW for service in flow.producers}
    may_be_idle = {"auditor", "adjudicator", "probe"}
    assert {service for service, _ in wrote} >= set(SERVICE) - may_be_idle


def repeated(found: Remains) -> Counter[str]:
    """Model calls that were answered more than once, and how often too often: the same request, seed included."""
    return Counter(call["request"] for call in found.calls) - Counter({call["request"] for call in found.calls})


def repeated_calls(found: Remains) -> int:
    """How many of the answered calls were repetitions."""
    return repeated(found).total()
