"""Operating a stack, without one: what is refused, counted, trimmed, found wrong; how it is written for a person."""

import asyncio
import json
import os
import stat
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import NewTopic
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest
from rich.console import Console
from typer.testing import CliRunner

from deploy.local import control_socket
from deploy.local.state_file import ProcessId, RunningProcess, StateFile
from schemas.config.models_config import Endpoint, ModelsConfig
from schemas.flow import DEAD_LETTERS, FLOW, SERVICES
from services.cli.__main__ import app
from services.cli.check import machine
from services.cli.common import process_metrics, run_config
from services.cli.common.options import plan_file
from services.cli.common.process_metrics import ProcessMetrics
from services.cli.stack import state
from services.cli.stack.logs import Line, as_json_line, files_of, recent, rendered
from services.cli.stack.status_report import render
from shared.errors import Refusal
from shared.kafka.admin.check import check_group, check_topic
from shared.kafka.admin.retention import min_committed, transit_topics
from shared.kafka.lag import GroupLag
from shared.telemetry.metrics import EVENTS, EVENTS_PER_SECOND, MODEL_CIRCUIT_OPEN, PAUSED, RETRIES

P = [TopicPartition("chimera.problem.screened", number) for number in range(3)]


def chimera(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("requested", "status", "reported"),
    [
        ("synthesys=2", 1, "Did you mean synthesis?"),
        ("planner=2", 1, "only one process of it may be active"),
        ("aggregator=3", 1, "Use at most aggregator=1"),
        ("synthesis=9", 1, "its Kafka topics have 8 partitions"),
        ("expansion=0", 1, "nothing runs in"),
        ("synthesis", 2, "SERVICE=N"),
        ("synthesis=-1", 2, "SERVICE=N"),
    ],
)
def test_scaling_to_what_cannot_be_is_refused_with_the_reason(
    requested: str, status: int, reported: str, tmp_path: Path
) -> None:
    code, output = chimera("scale", requested, "--dir", str(tmp_path))
    assert code == status
    assert reported in " ".join(output.split())


def test_commands_for_a_stack_that_is_not_there_say_so(tmp_path: Path) -> None:
    where = ("--dir", str(tmp_path))
    assert chimera("down", *where) == (0, f"Nothing runs in {tmp_path}.\n")
    assert chimera("down", *where, "--json")[1].startswith('{"how": "nothing"')
    assert json.loads(chimera("status", *where, "--json")[1])["supervisor"] is None
    assert "there is no log of 'panel'" in chimera("logs", "panel", *where)[1]
    code, output = chimera("kafka", "trim", *where)
    assert code == 1
    assert "--bootstrap HOST:PORT" in output


def test_a_pid_that_belongs_to_somebody_else_by_now_is_left_alone(tmp_path: Path) -> None:
    StateFile(supervisor=ProcessId(pid=os.getpid(), created=1.0)).write(tmp_path)
    assert chimera("down", "--dir", str(tmp_path)) == (0, f"Nothing runs in {tmp_path}.\n")


def test_a_process_is_found_after_the_clock_was_set() -> None:
    process = ProcessId.of(os.getpid())
    assert process.model_copy(update={"created": process.created - 3600}).alive()
    assert not process.model_copy(update={"started": "another boot/1"}).alive()
    written_before = ProcessId(pid=process.pid, created=process.created)
    assert written_before.alive()
    assert "started" not in written_before.model_dump_json()


def test_up_is_refused_when_it_is_up_and_names_the_pid(tmp_path: Path) -> None:
    StateFile(supervisor=ProcessId.of(os.getpid())).write(tmp_path)
    code, output = chimera("up", "--dir", str(tmp_path))
    assert code == 1
    assert f"(pid {os.getpid()})" in output


def test_an_order_reaches_the_supervisor_unchanged(tmp_path: Path) -> None:
    model = ModelsConfig.one(Endpoint(base_url="http://127.0.0.1:1/v1", key_env="KEY"), "m")
    wanted = run_config.RunConfig(run_config.load(plan_file(None), 7), tmp_path, model, 3)
    assert run_config.RunConfig.from_json(wanted.to_json()) == wanted


async def test_only_the_owner_reaches_the_supervisor_and_refusals_are_shown(tmp_path: Path) -> None:
    requested: list[Any] = []
    busy = asyncio.Event()

    async def answer(question: Any) -> Any:
        requested.append(question)
        if question == "fail":
            raise Refusal("no", "try", "a log")
        if question == "hang":
            busy.set()
            await asyncio.Event().wait()
        return {"n": 1}

    async with control_socket.serve(tmp_path, answer):
        assert stat.S_IMODE((tmp_path / control_socket.SOCKET).stat().st_mode) == 0o600
        assert await control_socket.request(tmp_path, ["ü", 1]) == {"n": 1}
        with pytest.raises(Refusal, match="no") as caught:
            await control_socket.request(tmp_path, "fail")
        assert (caught.value.next_step, caught.value.log) == ("try", "a log")
        hanging = asyncio.create_task(control_socket.request(tmp_path, "hang"))
        await busy.wait()
    with pytest.raises(Refusal, match="ended before it answered"):
        await hanging
    with pytest.raises(Refusal, match="nothing runs in"):
        await control_socket.request(tmp_path, 1)
    assert requested == [["ü", 1], "fail", "hang"]


def test_a_folder_with_too_long_a_name_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="is too long for a socket"):
        asyncio.run(control_socket.request(tmp_path / ("x" * 200), 1))


def log(folder: Path, name: str, *lines: tuple[int, str] | str) -> None:
    texts = [
        line if isinstance(line, str) else json.dumps({"time": f"T{line[0]}", "message": line[1]}) for line in lines
    ]
    (folder / f"{name}.log").write_text("\n".join(texts) + "\n")


def test_logs_of_several_processes_are_reported_in_the_order_of_time(tmp_path: Path) -> None:
    log(tmp_path, "synthesis", "no json", (2, "b"), "Traceback", (9, "d"))
    log(tmp_path, "synthesis-2", (1, "a"), (5, "c" * 100_000))
    log(tmp_path, "synthesis-other", (1, "not mine"))
    files = files_of(tmp_path, "synthesis")
    assert [file.stem for file in files] == ["synthesis", "synthesis-2"]
    assert files_of(tmp_path, "synthesis-2") == files[1:]
    reported = [line.fields.get("message", line.text)[:9] for line in recent(files, 10)]
    assert reported == ["no json", "a", "b", "Traceback", "ccccccccc", "d"]
    assert [line.fields["message"][0] for line in recent(files, 2)] == ["c", "d"]
    assert recent(files, 0) == []


def test_a_log_line_cannot_command_the_terminal() -> None:
    fields = {
        "time": "2026-01-01T10:11:12.131+00:00",
        "level": "warning",
        "event_id": "0123456789",
        "message": "\x1b[2Jx",
    }
    assert rendered(Line("panel", json.dumps(fields)), False).plain == "10:11:12.131 WARNING 01234567 x"
    assert rendered(Line("panel", "[1, 2] \x07"), False).plain == "[1, 2] "


@pytest.mark.parametrize(
    "text", ["plain", "[1]", '{"a": "\x9b"}', '{"time": "t", "message": "é"}', "[" * 100_000, "\x1b"]
)
def test_each_log_line_is_one_json_object(text: str) -> None:
    line = as_json_line(Line("kafka", text))
    assert line.isprintable()
    assert json.loads(line) in (Line("", text).fields, {"service": "kafka", "message": text})


def running(name: str, port: int | None = 1) -> RunningProcess:
    return RunningProcess(name=name, id=ProcessId(pid=7, created=0.0), health_port=port, restarts=2)


def test_a_service_is_the_sum_of_its_processes_and_unknown_lag_is_not_zero() -> None:
    mine = [running("verifier-a"), running("verifier-a-2"), running("verifier-b")]
    after = {one.name: ProcessMetrics(None, {"done": 14, "dead_letter": 1}, 3, events_per_s=1.25) for one in mine}
    after["verifier-b"] = ProcessMetrics("no partitions", waits=("lab big takes no calls",))
    waiting = [GroupLag("verifier-a", "x", 4, 1_000), GroupLag("verifier-a", "y", 2, None)]
    waiting += [GroupLag("verifier-b", "x", None, None)]
    one = state.service("verifier-a", mine, after, waiting)
    assert (one.lag, one.events_per_s, one.done, one.dead_letters, one.retries) == (6, 2.5, 28, 2, 6)
    assert one.oldest_s
    other = state.service("verifier-b", mine, after, waiting)
    assert (other.lag, other.unready, other.events_per_s) == (None, ["verifier-b: no partitions"], 0.0)
    out = StringIO()
    shown = state.State(1, [], [one, other], state.Progress(5, 1, 2, 3, 4))
    for part in render(shown, Path(".chimera")):
        Console(file=out, width=100).print(part)
    assert "1 of 5 rows in · 2 reserve · 3 aside · 4 rejected" in out.getvalue()
    assert "verifier-b: no partitions" in out.getvalue()
    assert "waits      verifier-b: lab big takes no calls" in out.getvalue()
    json.dumps(shown.document())


def test_process_metrics_read_the_names_that_the_catalogue_has() -> None:
    EVENTS.labels("panel", "problem.verified", "done").inc(3)
    EVENTS.labels("panel", "problem.verified", "dead_letter").inc()
    RETRIES.labels("panel", "transient").inc(2)
    EVENTS_PER_SECOND.labels("panel").set(0.5)
    MODEL_CIRCUIT_OPEN.labels("lab").set(1)
    PAUSED.labels("dead_letters").set(1)
    found = process_metrics.parse(generate_latest().decode(), None)
    MODEL_CIRCUIT_OPEN.labels("lab").set(0)
    assert found.events_per_s >= 0.5
    assert "endpoint lab takes no calls" in found.waits
    assert len(found.waits) >= 2
    assert found.outcomes["done"] >= 3
    assert found.outcomes["dead_letter"] >= 1
    assert found.retries >= 2


def test_only_transit_that_somebody_reads_may_be_trimmed() -> None:
    names = {flow.name for flow in transit_topics()}
    state_ = {name for service in SERVICES for name, _ in service.state}
    assert not names & ({flow.name for flow in FLOW if flow.retained or not flow.consumers} | state_ | {DEAD_LETTERS})
    assert {"problem.screened", "solution.synthesized"} <= names


Groups = st.lists(st.tuples(*[st.none() | st.integers(0, 9)] * 3), min_size=1, max_size=4)


@given(groups=Groups)
def test_nothing_is_trimmed_that_a_group_has_still_to_read(groups: list[tuple[int | None, ...]]) -> None:
    below = min_committed([dict(zip(P, group, strict=True)) for group in groups])
    for number, partition in enumerate(P):
        places = [group[number] for group in groups]
        assert below.get(partition) == (None if None in places else min(p for p in places if p is not None))


def test_a_wrong_kafka_topic_or_group_is_reported_with_a_next_step() -> None:
    shape = NewTopic("chimera.x", 8, 1, topic_configs={"retention.ms": "-1", "max.message.bytes": "100"})
    right = {"cleanup.policy": "delete", "retention.ms": "-1", "max.message.bytes": "200"}
    assert list(check_topic(shape, {"chimera.x": 9}, {"chimera.x": right})) == []
    assert [one.what for one in check_topic(shape, {}, {})] == ["Kafka topic chimera.x is missing"]
    wrong = {"cleanup.policy": "compact", "retention.ms": "1", "max.message.bytes": "99"}
    assert len(list(check_topic(shape, {"chimera.x": 4}, {"chimera.x": wrong}))) == 4
    starts, ends = dict.fromkeys(P, 5), dict.fromkeys(P, 7)
    assert list(check_group("panel", dict.fromkeys(P, 5), starts, ends)) == []
    found = list(check_group("panel", dict(zip(P, (None, 4, 8), strict=True)), starts, ends))
    assert [problem.what.split(":")[0].split(" panel ")[1][:23] for problem in found] == [
        "has no offset (chimera.",
        "has an offset before th",
        "has an offset beyond th",
    ]
    assert all(problem.next_step for problem in found)


def test_this_machine_is_checked_and_a_poor_one_is_reported_what_it_lacks(tmp_path: Path) -> None:
    code, output = chimera("check", "machine", "--json", "--dir", str(tmp_path))
    document = json.loads(output)
    assert code == (0 if document["ok"] else 1)
    assert {"python", "disk", "java", "jars", "ports"} <= {one["what"] for one in document["checks"]}
    poor = [machine.memory(10**9), machine.cores(1), machine.clock(0.0, 100.0)]
    assert not any(check.ok for check in poor)
    assert all(check.next_step for check in poor)
