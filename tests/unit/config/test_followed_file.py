"""A file that changes while a process runs."""

from pathlib import Path

import pytest

from schemas.config.plan import Plan
from schemas.flow import SERVICES
from services.cli.stack.apply import readers
from shared.config.followed_file import FollowedFile
from shared.errors import Refusal
from tests.support.items import plan


def number(path: Path) -> int:
    if not (text := path.read_text()).strip().isdigit():
        raise Refusal(f"{path} holds no number", "Write one")
    return int(text)


def test_a_change_is_returned_once_and_a_wrong_one_leaves_what_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("1")
    file = FollowedFile(path, number, check_interval_s=0)
    assert file.value == 1
    seen = []
    for text in ("1", "2", "2", "nonsense", None, "3", "", "3"):
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text)
        seen.append(file.changed())
    assert seen == [None, 2, None, None, None, 3, None, None]
    assert file.value == 3


def with_keys(changed: dict[str, object]) -> Plan:
    return Plan.model_validate({**BEFORE.model_dump(mode="json"), **changed})


BEFORE = plan(10, "mathematics", "physics")
CALLERS = {service.name for service in SERVICES if service.models}
VERIFICATION = {"verifier-a", "verifier-b", "panel", "answer_checker"}


@pytest.mark.parametrize(
    ("changed", "restarted"),
    [
        ({"rows": 500, "in_progress": 9, "releases": {"every_rows": 5}}, set()),
        ({"subjects": {"physics": {"weight": 7}, "mathematics": {}}}, set()),
        ({"subjects": {"mathematics": {}}}, {"verifier-a", "verifier-b", "auditor"}),
        ({"verification": {"max_votes": 9}}, VERIFICATION),
        ({"solving": {"retries": 2}}, {"panel", "probe", "answer_checker"}),
        ({"budget": {"tokens": 10**6}}, CALLERS),
        ({"language": "German"}, CALLERS),
    ],
)
def test_a_changed_plan_restarts_only_who_read_the_section(changed: dict[str, object], restarted: set[str]) -> None:
    assert set(readers(BEFORE, with_keys(changed))) == restarted


def test_a_higher_budget_restarts_no_service() -> None:
    assert readers(with_keys({"budget": {"tokens": 10}}), with_keys({"budget": {"tokens": 20}})) == []
