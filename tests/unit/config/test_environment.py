"""What a process says of a wrong environment."""

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
