"""The base model of the tests, trained once in about a minute."""

import pytest

from tests.trainer import clock


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    return clock.base(tmp_path_factory.mktemp("base"))
