"""What a process says of a wrong environment."""

import runpy
import sys
from importlib import import_module
from pathlib import Path

import pytest

from shared.config.environment import read, unknown_variables
from shared.config.settings import Settings
from shared.errors import Refusal


def test_every_wrong_variable_is_named_and_no_value_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SERVICE": "probe", "IN_FLIGHT": "hunter2", "SESSION_S": "1"}.items():
        monkeypatch.setenv(f"CHIMERA_{name}", value)
    with pytest.raises(Refusal, match=r"CHIMERA_IN_FLIGHT: .*; CHIMERA_SESSION_S: ") as refused:
        read(Settings)
    assert "hunter2" not in str(refused.value)


def test_a_misspelt_variable_is_named_with_the_one_that_was_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    before = unknown_variables(Settings)
    monkeypatch.setenv("CHIMERA_IN_FLIHGT", "3")
    monkeypatch.setenv("CHIMERA_IN_FLIGHT", "3")
    monkeypatch.setenv("CHIMERA_WEATHER", "fair")
    assert set(unknown_variables(Settings)) - set(before) == {
        "CHIMERA_IN_FLIHGT is not a setting here; did you mean CHIMERA_IN_FLIGHT?",
        "CHIMERA_WEATHER is not a setting here",
    }


SERVICES = sorted({path.parent.name for path in Path("services").glob("*/__main__.py")} - {"cli"})
"""All but the command `chimera`, which has a help of its own."""


@pytest.mark.parametrize("name", SERVICES)
def test_help_lists_the_variables_of_a_service_and_starts_nothing(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(f"services/{name}/__main__.py", run_name="__main__")
    printed = capsys.readouterr().out
    assert ended.value.code == 0
    assert printed.startswith(f"usage: python -m services.{name}")
    kind = import_module(f"services.{name}.settings").Settings
    prefix = kind.model_config["env_prefix"]
    assert [key for key in kind.model_fields if f"  {prefix}{key.upper()}=" not in printed] == []


def test_an_argument_that_a_service_does_not_take_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["simulator", "--port=8101"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path("services/simulator/__main__.py", run_name="__main__")
    assert ended.value.code == 2
