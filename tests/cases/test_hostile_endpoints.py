"""An endpoint that sends control sequences wherever it can: none reaches a terminal or a log as it is."""

import asyncio
import json
import logging
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Invalid, Transient
from shared.llm import Models, Prompt
from shared.llm.errors import Busy
from shared.llm.replies.wire import parse_embeddings, parse_usage
from shared.telemetry.logs import _JsonLines
from tests.support.fixed_endpoint import as_json, chunk, config, endpoint, http, sse

ATTACK = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\nproblem  none\u202e\ud800\u200b[bold]"
ERROR = {"error": {"message": ATTACK, "code": ATTACK}}
ANSWER = {"content": ATTACK, "reasoning": ATTACK}
CHUNKS = [chunk(ANSWER, model=ATTACK, system_fingerprint=ATTACK), chunk({}, "stop")]
LISTED = as_json({"data": [{"id": "m"}]})
HOSTILE = {
    "names of models": (as_json(ERROR, "500 Bad"), as_json({"data": [{"id": ATTACK}]})),
    "an error of the list": (as_json(ERROR, "500 Bad"), as_json(ERROR, "403 Bad")),
    "an error of a call": (as_json(ERROR, "400 Bad"), LISTED),
    "an error in the stream": (http(sse(CHUNKS[0], ERROR)), LISTED),
    "a body of no known form": (http(ATTACK.encode(errors="replace")), LISTED),
    "a finish reason": (http(sse(CHUNKS[0], chunk({}, ATTACK))), LISTED),
    "an answer": (http(sse(*CHUNKS)), LISTED),
    "no HTTP": (ATTACK.encode(errors="replace"), LISTED),
}
COMMANDS = [
    *((command, "an error of the list") for command in ("run", "up", "check models --json")),
    *(("check models --timeout 1", name) for name in ("names of models", "an answer", "an error in the stream")),
]


@pytest.mark.parametrize("name", HOSTILE)
async def test_every_error_of_an_endpoint_is_one_printable_line(name: str) -> None:
    async with endpoint(*HOSTILE[name]) as url:
        models = Models(config(url), "test")
        model = models.model("solver", Prompt("p", "Say 42"))
        error: Exception | None = None
        try:
            async with asyncio.timeout(0.5):
                reply = await model.complete({}, seed=1)
                assert (reply.provenance.served or "").isprintable()
                assert (reply.provenance.revision or "").isprintable()
        except (Transient, Invalid, Busy, TimeoutError) as caught:
            error = caught
        await models.aclose()
    assert str(error).isprintable()


@pytest.mark.parametrize(("command", "hostile"), COMMANDS)
async def test_no_command_prints_what_a_hostile_endpoint_sends(command: str, hostile: str, tmp_path: Path) -> None:
    async with endpoint(*HOSTILE[hostile]) as url:
        arguments = [*command.split(), "--base-url", url, "--model", "m", "--dir", str(tmp_path)]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.cli", *arguments), stdout=PIPE, stderr=STDOUT
        )
        output = (await process.communicate())[0].decode()
    assert process.returncode == 1
    assert all(char.isprintable() or char == "\n" for char in output)
    assert "\nproblem  none" not in output
    assert "Traceback" not in output


@given(st.text())
def test_a_log_line_is_printable_and_keeps_its_message(message: str) -> None:
    record = logging.LogRecord("name", logging.WARNING, "path", 1, "%s", (message,), None)
    line = _JsonLines("test").format(record)
    assert line.isprintable()
    assert json.loads(line)["message"] == message


VECTORS = {"data": [{"index": 1, "embedding": [1, 2.5]}, {"index": 0, "embedding": [0, 1]}]}


def test_embeddings_are_read_in_the_order_of_their_index() -> None:
    assert parse_embeddings(VECTORS, 2) == [[0, 1], [1, 2.5]]


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {"data": None},
        {"data": [1, 2]},
        {"data": [VECTORS["data"][0]] * 2},
        *({"data": [VECTORS["data"][0], {"index": 0, "embedding": bad}]} for bad in ([], [1], [1, "2"], [1, 1e308])),
        *({"data": [VECTORS["data"][0], {"index": 0, "embedding": bad}]} for bad in ([1, True], [1, 10**400], "ab")),
    ],
)
def test_embeddings_of_an_unknown_form_are_invalid(value: Any) -> None:
    with pytest.raises(ValueError, match="embedding"):
        parse_embeddings(value, 2)


@pytest.mark.parametrize("usage", [None, [], "5", {"prompt_tokens": -1}, {"prompt_tokens": "5"}])
def test_usage_of_an_unknown_form_is_unknown(usage: Any) -> None:
    found = parse_usage({"usage": usage})
    assert found is None or found.prompt_tokens is None
