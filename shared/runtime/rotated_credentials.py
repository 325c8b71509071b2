"""Notices that a file of credentials has changed, so that the process ends and starts again with the new one.

A running process keeps the passwords, keys and certificates that it has read. Kubernetes and Compose start it again.
"""

import asyncio
import hashlib
import random
from collections.abc import Iterable
from pathlib import Path

from schemas.flow import SERVICE
from shared.config.settings import Settings
from shared.llm.models_config import load_models_config

CHECK_INTERVAL_S = 10.0
MAX_DELAY_S = 60.0
"""Processes of a service do not end together: each waits a random time up to this one, in seconds."""


def credential_files(settings: Settings) -> list[Path]:
    """Return the files with passwords, keys and certificates that a service reads. Raises Refusal as the loaders do."""
    files = [
        *(settings.kafka_ca, settings.kafka_cert, settings.kafka_key, settings.kafka_password_file),
        *(settings.valkey_ca, settings.valkey_password_file),
    ]
    if settings.service in SERVICE and SERVICE[settings.service].models:
        endpoints = load_models_config(settings.models).endpoints.values()
        files += [file for endpoint in endpoints for file in (endpoint.key_file, endpoint.ca)]
    return [file for file in files if file]


async def wait_for_change(files: Iterable[Path], check_interval_s: float = CHECK_INTERVAL_S) -> Path:
    """Return the first file with another content. A file that cannot be read has not changed."""
    before = _hashes(files)
    while True:
        await asyncio.sleep(check_interval_s)
        for file, content in _hashes(before).items():
            if content != before[file]:
                return file


async def wait_before_restart(max_delay_s: float = MAX_DELAY_S) -> None:
    """Wait a random time."""
    await asyncio.sleep(random.uniform(0, max_delay_s))  # noqa: S311 - jitter


def _hashes(files: Iterable[Path]) -> dict[Path, str]:
    return {file: hashlib.sha256(content).hexdigest() for file in files if (content := _content(file)) is not None}


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes() or None
    except OSError:
        return None
