"""A rotated credential ends the process; a file that is being replaced does not."""

import asyncio
from pathlib import Path

import pytest

from schemas.config.models_config import Endpoint, ModelsConfig
from shared.config.settings import Settings
from shared.runtime.rotated_credentials import credential_files, wait_for_change


async def test_a_changed_credential_is_noticed_and_a_missing_file_is_not_one(tmp_path: Path) -> None:
    password, certificate = tmp_path / "password", tmp_path / "ca.crt"
    password.write_text("old")
    certificate.write_text("a certificate")
    waiting = asyncio.create_task(wait_for_change([password, certificate, tmp_path / "none"], 0.001))
    certificate.unlink()
    await asyncio.sleep(0.01)
    certificate.write_text("a certificate")
    await asyncio.sleep(0.01)
    assert not waiting.done()
    (tmp_path / "new").write_text("new")
    (tmp_path / "new").replace(password)  # as the kubelet and secret managers do
    assert await asyncio.wait_for(waiting, 30) == password


@pytest.mark.parametrize(("service", "keys"), [("planner", []), ("expansion", ["lab"])])
def test_keys_of_models_belong_to_the_callers_of_models(tmp_path: Path, service: str, keys: list[str]) -> None:
    models = tmp_path / "models.json"
    endpoint = Endpoint(base_url="http://models/v1", key_file=tmp_path / "lab")
    models.write_text(ModelsConfig.one(endpoint, "m").model_dump_json(by_alias=True, exclude_none=True))
    settings = Settings(service=service, models=models, valkey_password_file=tmp_path / "valkey")
    assert credential_files(settings) == [tmp_path / name for name in ("valkey", *keys)]
