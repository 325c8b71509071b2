"""Without a probe in the plan the panel publishes what probe would publish."""

import json
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from schemas.audit_tag import AuditTag
from schemas.events import ProblemAccepted, ProblemVerified
from schemas.flow import BY_TYPE
from schemas.run_tag import RunTag
from services.panel.__main__ import build
from services.panel.handler import JoinVerdicts
from services.panel.settings import Settings
from services.probe.handler import ProbeDifficulty
from shared.answers.grade import standard
from shared.answers.symbolic import SymbolicWorker
from shared.kafka.codec import Message, decode, encode, encode_outputs
from shared.ports import Tag
from tests.support.items import item, verdict

JOIN, SOURCE = JoinVerdicts({"verified"}), "test/panel"


def published(tag: Tag | None, *, to_probe: bool) -> list[Message]:
    join, case, messages = replace(JOIN, to_probe=to_probe), None, list[Message]()
    made, requested = item(1)
    fresh = made.with_(verdicts=(), attempts=(), tier=None)
    for role in ("verifier-a", "verifier-b"):
        output = verdict(role)
        event = ProblemVerified.of(requested, role, fresh, verdict=output.with_(votes=output.votes[1:]))
        _, outputs, case = join(case, event)
        messages += encode_outputs(outputs, SOURCE, tag)
    return messages


async def test_the_panel_publishes_the_same_event_as_probe_without_attempts() -> None:
    [accepted] = published(None, to_probe=True)
    assert accepted.name == "problem.accepted"
    event = decode(accepted.name, accepted.key, accepted.value, accepted.headers)
    assert isinstance(event, ProblemAccepted)
    [probed] = await ProbeDifficulty(None, standard(SymbolicWorker()), 0, 1.0)(event)
    assert published(None, to_probe=False) == [encode(probed, SOURCE)]


@pytest.mark.parametrize(
    "tag", [AuditTag(kind="sign", source=UUID(int=1)), RunTag(run="r", problem=UUID(int=1), believed=True)]
)
def test_a_tagged_item_ends_at_the_panel_with_and_without_a_probe(tag: Tag) -> None:
    [end] = published(tag, to_probe=False)
    assert end.name in ("audit.judged", "problem.reverified")
    assert published(tag, to_probe=True) == [end]


@pytest.mark.parametrize(
    ("attempts", "consumers", "to_probe"),
    [(0, ("probe",), False), (4, ("probe",), True), (0, ("probe", "tagger"), True)],
)
def test_accepted_problems_go_on_to_probe_or_to_another_consumer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attempts: int, consumers: tuple[str, ...], to_probe: bool
) -> None:
    solving = {"probe_attempts": attempts}
    (tmp_path / "plan.yaml").write_text(
        json.dumps({"name": "p", "rows": 3, "subjects": {"physics": {}}, "solving": solving})
    )
    name = ProblemAccepted.type
    monkeypatch.setitem(BY_TYPE, name, replace(BY_TYPE[name], consumers=consumers))
    join = build(Settings(service="panel", plan=str(tmp_path / "plan.yaml"))).join
    assert isinstance(join, JoinVerdicts)
    assert join.to_probe == to_probe
