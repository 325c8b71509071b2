"""The one-machine stack with real processes: Kafka, Valkey, throwaway services, a supervisor that is killed."""

import asyncio
import functools
import hashlib
import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from redis.asyncio import Redis

from deploy.local import kafka_jars, workdir
from deploy.local import supervisor as supervisor_module
from deploy.local.events import StackEvent
from deploy.local.kafka_jars import Jar
from deploy.local.process import RestartPolicy
from deploy.local.process_spec import ProcessSpec
from deploy.local.state_file import StateFile
from deploy.local.supervisor import Stack
from shared.errors import Refusal

HEALTHY = """
import http.server, os
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_): pass
print("serving", os.environ["CHIMERA_KAFKA"], flush=True)
http.server.HTTPServer(("127.0.0.1", int(os.environ["CHIMERA_HEALTH_PORT"])), Ready).serve_forever()
"""
WITH_WORKER = "import subprocess\nsubprocess.Popen(['sleep', '1000'])\n" + HEALTHY
DOOMED = "import sys, time; time.sleep(0.1); sys.exit('no such model')"

SUPERVISOR = """
import asyncio, signal, sys
from pathlib import Path
from deploy.local.process_spec import ProcessSpec
from deploy.local.supervisor import Stack

async def main():
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    tell = lambda event: print(event.kind, event.process, flush=True)
    async with Stack(Path(sys.argv[1]), on_event=tell) as stack:
        await stack.start_infrastructure()
        await stack.start_services([ProcessSpec("tiny", argv=[sys.executable, "-c", sys.argv[2]], replicas=2)])
        print("up", flush=True)
        await stack.failed

try:
    asyncio.run(main())
except asyncio.CancelledError:
    print("down", flush=True)
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


@contextmanager
def supervisor(directory: Path, service: str) -> Iterator[subprocess.Popen[str]]:
    """A supervisor in a process of its own, up and ready."""
    with subprocess.Popen([*python(SUPERVISOR), str(directory), service], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert "up\n" in iter(process.stdout.readline, "")
            yield process
        finally:
            process.kill()


async def eventually(condition: Callable[[], bool], within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def test_acknowledged_data_survives_a_kill_and_a_restart_on_other_ports(tmp_path: Path) -> None:
    large = os.urandom(5_000_000)
    async with Stack(tmp_path) as stack:
        await stack.start_infrastructure()
        admin = AIOKafkaAdminClient(bootstrap_servers=stack.bootstrap)
        await admin.start()
        await admin.create_topics([NewTopic("solutions", 1, 1)])
        await admin.close()
        async with AIOKafkaProducer(bootstrap_servers=stack.bootstrap, acks="all", max_request_size=9_000_000) as out:
            await out.send_and_wait("solutions", large)
        async with Redis.from_url(stack.valkey_url) as valkey:
            await valkey.set("paid", "once")

        stack.kill("kafka")
        stack.kill("valkey")
        await eventually(lambda: {p.name: p.restarts for p in stack.processes()} == {"kafka": 1, "valkey": 1})

        await assert_kept(stack, large)
        taken = stack.bootstrap

    with socket.create_server((taken.split(":")[0], int(taken.split(":")[1]))):
        async with Stack(tmp_path) as stack:
            await stack.start_infrastructure()
            assert stack.bootstrap != taken
            await assert_kept(stack, large)


async def assert_kept(stack: Stack, large: bytes) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.bootstrap, max_partition_fetch_bytes=9_000_000)
    await started(consumer)
    consumer.assign([TopicPartition("solutions", 0)])
    await consumer.seek_to_beginning()
    assert (await asyncio.wait_for(consumer.getone(), 20)).value == large
    await consumer.stop()
    async with Redis.from_url(stack.valkey_url) as valkey:
        assert await valkey.get("paid") == b"once"


async def started(consumer: AIOKafkaConsumer) -> None:
    """The restarted broker waits for its own old session."""
    for _ in range(40):
        try:
            await consumer.start()
            return
        except Exception:  # noqa: BLE001 - whatever a client says while the broker is away
            await asyncio.sleep(0.5)
    pytest.fail("the broker did not come back")


async def test_a_crashed_service_restarts_and_a_crash_loop_fails_the_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[StackEvent] = []
    monkeypatch.setenv("API_KEY", "secret")
    policy = RestartPolicy(max_crashes=3, first_delay_s=0.05)
    async with Stack(tmp_path, on_event=events.append, restart=policy) as stack:
        await stack.start_infrastructure()
        await stack.start_services([ProcessSpec("healthy", argv=python(HEALTHY), replicas=2)])
        stack.kill("healthy-2")
        await eventually(lambda: [p.restarts for p in stack.processes() if p.name == "healthy-2"] == [1])
        assert not stack.failed.done()
        environments = [psutil.Process(process.id.pid).environ() for process in stack.processes()]
        assert len(environments) == 4
        assert not any("API_KEY" in environment for environment in environments)

        await stack.start_services([ProcessSpec("doomed", argv=python(DOOMED), has_health=False)])
        with pytest.raises(Refusal, match="doomed died 3 times within 60 s, last with exit code 1") as caught:
            await asyncio.wait_for(stack.failed, 15)
        assert "no such model" in caught.value.log
        assert ("died", "healthy-2") in [(event.kind, event.process) for event in events]


async def test_the_others_continue_when_a_service_is_given_up(tmp_path: Path) -> None:
    policy = RestartPolicy(max_crashes=2, first_delay_s=0.05, retry_s=1.0)
    async with Stack(tmp_path, restart=policy) as stack:
        await stack.start_infrastructure()
        await stack.start_services([ProcessSpec("healthy", argv=python(HEALTHY))])
        await stack.start_services([ProcessSpec("doomed", argv=python(DOOMED), has_health=False)])
        await eventually(lambda: "doomed died 2 times" in StateFile.read(tmp_path).given_up.get("doomed", ""))
        await eventually(lambda: (tmp_path / "logs" / "doomed.log").read_text().count("no such model") == 4)
        assert not stack.failed.done()
        assert {p.name for p in stack.processes()} >= {"kafka", "valkey", "healthy"}
        with pytest.raises(Refusal, match="crashing died 2 times"):
            await stack.start_services([ProcessSpec("crashing", argv=python(DOOMED))])


async def test_a_log_is_limited_while_written_and_private_to_its_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workdir, "MAX_LOG_BYTES", 10_000)
    monkeypatch.setattr(supervisor_module, "LOG_CHECK_S", 0.05)
    (tmp_path / "stack" / "logs").mkdir(parents=True)  # by an earlier version, for everybody
    talker = "import time\nwhile True: print('x' * 99, flush=True); time.sleep(0.001)"
    async with Stack(tmp_path / "stack") as stack:
        await stack.start_infrastructure()
        await stack.start_services([ProcessSpec("talker", argv=python(talker), has_health=False)])
        log = tmp_path / "stack" / "logs" / "talker.log"
        await eventually(lambda: log.with_suffix(".log.1").exists() and 0 < log.stat().st_size < 10_000)
    assert {path.stat().st_mode & 0o777 for path in log.parent.parent.iterdir() if path.is_dir()} == {0o700}
    workdir.create(tmp_path / "new")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


async def test_scaling_starts_and_stops_instances_and_keeps_the_rest(tmp_path: Path) -> None:
    async with Stack(tmp_path) as stack:
        await stack.start_infrastructure()
        await stack.start_services([ProcessSpec("tiny", argv=python(HEALTHY))])
        before = {p.name: p.id for p in stack.processes()}
        await stack.scale("tiny", 3)
        assert {p.name for p in stack.processes()} == {"kafka", "valkey", "tiny", "tiny-2", "tiny-3"}
        await stack.scale("tiny", 1)
        assert {p.name: p.id for p in stack.processes()} == before


async def test_nothing_outlives_a_killed_supervisor_and_the_next_start(tmp_path: Path) -> None:
    with supervisor(tmp_path, WITH_WORKER) as process:
        children = [psutil.Process(running.id.pid) for running in StateFile.read(tmp_path).processes]
        workers = [worker for child in children for worker in child.children()]
        assert len(children) == 4
        assert len(workers) == 2
        process.kill()
        process.wait()
    if sys.platform == "linux":  # the kernel tells the children; their own children do not hear it
        await eventually(lambda: not any(alive(child) for child in children), within_s=5)
        assert all(alive(worker) for worker in workers)

    events: list[StackEvent] = []
    async with Stack(tmp_path, on_event=events.append):
        assert not any(alive(orphan) for orphan in children + workers)
    assert [event.kind for event in events] == ["orphans"]


def alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


async def test_sigterm_stops_services_then_valkey_then_kafka_and_keeps_state(tmp_path: Path) -> None:
    with supervisor(tmp_path, HEALTHY) as process:
        pids = [running.id for running in StateFile.read(tmp_path).processes]
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=20)
        assert process.returncode == 0
    stopped = [line.split()[1] for line in output.splitlines() if line.startswith("stopped")]
    assert stopped[2:] == ["valkey", "kafka"]
    assert output.endswith("down\n")
    assert not any(pid.alive() for pid in pids)
    assert (tmp_path / "kafka" / "data" / ".kafka_cleanshutdown").exists()
    assert StateFile.read(tmp_path).processes == []


async def test_two_folders_hold_two_stacks_and_one_folder_only_one(tmp_path: Path) -> None:
    async with Stack(tmp_path / "a") as first, Stack(tmp_path / "b") as second:
        await asyncio.gather(first.start_infrastructure(), second.start_infrastructure())
        assert first.bootstrap != second.bootstrap
        assert first.summary().startswith("kafka 4.4.0 ready ")
        with pytest.raises(Refusal, match=rf"a stack already runs in .*/a \(pid {os.getpid()}\)"):
            await Stack(tmp_path / "a").__aenter__()
        assert len(first.processes()) == 2
    async with Stack(tmp_path / "a") as again:
        assert StateFile.read(again.directory).supervisor is not None


async def test_a_full_disk_is_refused_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workdir, "MIN_FREE_BYTES", 10**18)
    with pytest.raises(Refusal, match=r"only \d+ MB are free") as caught:
        await Stack(tmp_path).__aenter__()
    assert caught.value.next_step == "Free disk space or give a folder on another disk"


async def test_a_folder_that_is_none_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refusal, match=r"file cannot be used: Not a directory\. Give another folder"):
        await Stack(tmp_path / "file").__aenter__()


class Repository:
    """A Maven repository on this machine with one jar, named in jgo's configuration."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.content = b"a jar"
        self.jar = Jar("org.example:tiny:1.0", hashlib.sha256(self.content).hexdigest(), len(self.content))
        self.file = root / "repository" / "org" / "example" / "tiny" / "1.0" / self.jar.filename
        self.file.parent.mkdir(parents=True)
        self.file.write_bytes(self.content)
        handler = functools.partial(Quiet, directory=str(root / "repository"))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=[0.01])
        self.thread.start()
        (root / "jgo.conf").write_text(f"[repositories]\nhere = http://127.0.0.1:{self.server.server_port}\n")
        monkeypatch.setenv("JGO_CONFIG_FILE", str(root / "jgo.conf"))

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    made = Repository(tmp_path, monkeypatch)
    yield made
    made.close()


def test_an_interrupted_download_is_completed_and_then_nothing_is_fetched(
    repository: Repository, tmp_path: Path
) -> None:
    cache = tmp_path / "cache" / "kafka"
    half = cache.with_suffix(".partial") / "org" / "example" / "tiny" / "1.0" / repository.jar.filename
    half.parent.mkdir(parents=True)
    half.write_bytes(b"a j")
    seen: list[tuple[int, int]] = []
    assert kafka_jars.fetch(cache, [repository.jar], lambda *bytes_: seen.append(bytes_)) == [cache / "tiny-1.0.jar"]
    assert seen == [(5, 5)]
    repository.file.unlink()
    kafka_jars.fetch(cache, [repository.jar])
    assert not half.exists()


def test_a_jar_with_a_wrong_checksum_is_refused_with_its_url_and_path(repository: Repository, tmp_path: Path) -> None:
    cache = tmp_path / "cache" / "kafka"
    repository.file.write_bytes(b"a bad jar")
    with pytest.raises(Refusal, match=r"tiny-1\.0\.jar does not have the SHA-256 in"):
        kafka_jars.fetch(cache, [repository.jar])
    assert list(cache.iterdir()) == []
    (cache / "tiny-1.0.jar").write_bytes(b"a spoilt jar")
    with pytest.raises(Refusal, match=r"tiny-1\.0\.jar does not .* Delete .*tiny-1\.0\.jar and start again"):
        kafka_jars.fetch(cache, [repository.jar])


def test_without_a_network_the_person_is_reported_so(repository: Repository, tmp_path: Path) -> None:
    repository.close()
    with pytest.raises(Refusal, match=r"could not be downloaded .* Check the network"):
        kafka_jars.fetch(tmp_path / "cache", [repository.jar])


def test_the_committed_list_names_kafka_clients_of_this_version() -> None:
    assert f"org.apache.kafka:kafka-clients:{kafka_jars.VERSION}" in {jar.coordinate for jar in kafka_jars.read_list()}
