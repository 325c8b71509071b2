"""`chimera audit` on a real table: every number follows from the audits in it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.audit_tag import JUDGE_DIFFERENT, JUDGE_EQUAL, AuditTag
from services.aggregator.handler import Curate
from services.cli.__main__ import app
from shared.audit_items import NOT_JUDGED
from shared.clock import utc_now
from shared.stats.wilson import needed, wilson
from tests.support.items import attempt, checked, judged, log, plan, rejected

EASY, HARD = 0.1, 0.9
COUNTS = ("audits", "simulated", "not_judged", "agreement", "wrong_keys")


@pytest.fixture
async def home(tmp_path: Path) -> Path:
    """Ten wrong signs, of which verifier-a notices six and the judge of verifier-b two; two controls."""
    sink = Curate(tmp_path / "dataset", "test", plan(), utc_now, lambda _: None)
    await sink.open({})
    signs = [
        judged(
            number,
            AuditTag(kind="sign", difficulty=(EASY, HARD, None)[number % 3]),
            accepted=number >= 8,
            verifier_a__blind="noticed" if number < 6 else "unable" if number == 9 else "passed",
            verifier_b__judge="noticed" if number in (6, 7) else "passed",
            panel="passed" if number >= 8 else "noticed",
        )
        for number in range(10)
    ]
    leaks = [judged(20, AuditTag(kind="leak"), screening="noticed", simulated=False)]
    found = ("noticed", "passed")
    rows = [judged(30 + n, AuditTag(kind="control-row"), accepted=n > 0, panel=found[n]) for n in range(2)]
    wrong = [judged(40 + n, AuditTag(kind=JUDGE_DIFFERENT), judge="passed" if n < 1 else "noticed") for n in range(5)]
    right = [judged(50 + n, AuditTag(kind=JUDGE_EQUAL), judge="unable" if n < 1 else "passed") for n in range(4)]
    costly = judged(60, AuditTag(kind="sign")).with_(reason=NOT_JUDGED)
    await sink.write(log(*signs, *leaks, *rows, *wrong, *right, costly))
    return tmp_path


def message(home: Path, *arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(app, ["audit", *arguments, "--dir", str(home)], env={"COLUMNS": "120"})
    assert result.exit_code == status, result.output
    return result.stdout if status == 0 else result.stderr


def seen(rate: dict[str, float]) -> tuple[float, float]:
    low, high = wilson(rate["hits"], rate["n"])
    assert (rate["low"], rate["high"]) == (low, high)
    return rate["hits"], rate["n"]


def test_the_numbers_are_those_of_the_audits(home: Path) -> None:
    reported = json.loads(message(home, "--json", "--width", "0.1"))
    assert (reported["audits"], reported["simulated"], reported["not_judged"]) == (13, 22, 1)
    rates = {
        part: {name: seen(rate) for name, rate in reported[part].items()} for part in reported if part not in COUNTS
    }
    assert rates == {
        "let_through": {"leak": (0, 1), "sign": (2, 10), "all": (2, 11)},
        "by_difficulty": {"easy": (1, 4), "hard": (0, 3), "unknown": (1, 4), "all": (2, 11)},
        "falsely_rejected": {"control-row": (1, 2), "all": (1, 2)},
        "noticed": {
            "panel": (8, 10),
            "screening": (1, 1),
            "verifier-a/blind": (6, 9),
            "verifier-b/judge": (2, 10),
        },
        "false_alarms": {
            "panel": (1, 2),
            "screening": (0, 0),
            "verifier-a/blind": (0, 0),
            "verifier-b/judge": (0, 0),
        },
        "judge": {"called equal, but different": (1, 5), "called different, but equal": (0, 3)},
    }
    assert reported["judge"]["called different, but equal"]["unable"] == 1
    assert reported["noticed"]["verifier-a/blind"]["unable"] == 1
    assert reported["false_alarms"]["screening"]["rate"] is None
    assert reported["let_through"]["sign"]["needed"] == needed(0.2, 0.1)


def test_audit_reports_simulation_first_and_each_rate_with_its_interval(home: Path) -> None:
    first, *rest = message(home, "--width", "0.1").splitlines()
    assert first == "SIMULATED: these rates prove the arithmetic, not the models."
    text = "\n".join(rest)
    assert "20.0%" in text
    assert "5.7% to 51.0%" in text
    assert f"{needed(0.2, 0.1)}" in text


async def test_audit_begins_with_the_estimated_share_of_wrong_keys(tmp_path: Path) -> None:
    sink = Curate(tmp_path / "dataset", "test", plan(), utc_now, lambda _: None)
    await sink.open({})
    natural = [judged(90 + n, AuditTag(kind="natural"), accepted=False) for n in range(3)]
    await sink.write(log(*(checked(number) for number in range(20)), *natural))
    share = json.loads(message(tmp_path, "--json"))["wrong_keys"]
    assert (share["items"], share["rows"]["all"]["rows"], share["rows"]["sft"]["rows"]) == (20, 20, 20)
    assert share["rows"]["all"]["low"] <= share["rows"]["all"]["estimate"] <= share["rows"]["all"]["high"] < 0.5
    assert {"wrong_keys", "error_agreement"} <= share["parameters"].keys()
    first, second, *rest = message(tmp_path).splitlines()
    assert "SIMULATED" in first
    assert second.startswith("Estimated share of wrong keys among rows")
    assert "from the votes on 20 problems" in "\n".join(rest)


async def test_verifiers_with_correlated_errors_are_reported(tmp_path: Path) -> None:
    sink = Curate(tmp_path / "dataset", "test", plan(), utc_now, lambda _: None)
    await sink.open({})
    missed = attempt(agrees="no").with_(
        answer="43"
    )  # both verifiers of these items answered 41 before they answered 42
    solved = [checked(number, attempts=(missed,)) for number in range(20)]
    audit = judged(90, AuditTag(kind="sign"), panel="noticed")
    await sink.write(log(*solved, *(rejected(number) for number in range(20, 40)), audit))
    reported = json.loads(message(tmp_path, "--json"))["agreement"]
    seen_alike = {pair: (rate["hits"], rate["n"]) for pair, rate in reported["pairs"].items()}
    both = "verifier-a and verifier-b"
    assert seen_alike == {both: (40, 40), "verifier-a and solver": (0, 20), "verifier-b and solver": (0, 20)}
    assert reported["suspicious"]
    assert "one model behind two names" in message(tmp_path)


async def test_without_audits_it_says_how_to_have_some(tmp_path: Path) -> None:
    assert "`audits: {rate: 0.05}` in the plan" in message(tmp_path, status=1)
    await Curate(tmp_path / "dataset", "test", plan(), utc_now, lambda _: None).open({})
    assert "no audit has been judged" in message(tmp_path, status=1)
