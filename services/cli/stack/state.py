"""The state of a stack, gathered from where it is true: stack.json, the processes, Kafka, the dataset."""

import asyncio
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from redis.exceptions import RedisError

from deploy.local.state_file import RunningProcess, StateFile
from schemas.flow import SERVICE
from services.cli.common import process_metrics
from services.cli.common.budget_status import BudgetLine, accounts
from services.cli.common.dataset_location import dataset_in
from services.cli.common.models_config import SIMULATOR
from services.cli.common.process_metrics import ProcessMetrics
from services.cli.run.closed_topics import ClosedTopic, closed_topics
from services.cli.run.local_factory import FACTORY
from services.cli.run.quiescence import pending
from shared.cache.client import connect
from shared.config.connections import KafkaAccess, ValkeyAccess
from shared.config.plan_loader import load_plan
from shared.dataset import Dataset
from shared.kafka.lag import GroupLag

SAMPLE_S = 1.0
"""So long the speed is measured."""


@dataclass(frozen=True, slots=True)
class ServiceState:
    """One service. Counts are since its processes started; what cannot be known is `None`."""

    service: str
    processes: list[dict[str, object]]
    """pid, name, restarts of each."""
    unready: list[str]
    """Why processes are not ready, as "NAME: REASON"."""
    lag: int | None
    oldest_s: float | None
    """Age of the oldest unfinished event."""
    events_per_s: float
    """Finished events during the last second."""
    done: int
    dead_letters: int
    retries: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the plan is, from the dataset: problems by what became of them."""

    wanted: int | None
    """`None`: for ever."""
    admitted: int
    reserve: int
    aside: int
    rejected: int


@dataclass(frozen=True, slots=True)
class State:
    """The whole stack."""

    supervisor: int | None
    """Pid; `None` when nothing runs."""
    infrastructure: list[dict[str, object]]
    """name, pid, restarts, address, answers."""
    services: list[ServiceState]
    progress: Progress | None
    """`None` before the first start."""
    budget: list[BudgetLine] = field(default_factory=list)
    """What is spent of each limit of the plan; empty without a budget, and while Valkey does not answer."""
    closed: list[ClosedTopic] = field(default_factory=list)
    """Topics that are asked no more."""

    def document(self) -> dict[str, object]:
        """For `--json`."""
        return asdict(self)


async def gather(directory: Path) -> State:
    """Look at the stack in a folder. Raises Refusal when its plan or dataset cannot be read."""
    record = StateFile.read(directory)
    how_far = progress(directory)
    if not record.up or record.supervisor is None:
        return State(None, [], [], how_far)
    before, began = await process_metrics.scrape(record.processes), time.monotonic()
    waiting, valkey, _ = await asyncio.gather(
        _backlogs(record.bootstrap), _pings(record.valkey_url), asyncio.sleep(SAMPLE_S)
    )
    after, seconds = await process_metrics.scrape(record.processes), time.monotonic() - began
    found = {running.name: running for running in record.processes}
    addresses = {"kafka": (record.bootstrap, waiting is not None), "valkey": (_address(record.valkey_url), valkey)}
    return State(
        supervisor=record.supervisor.pid,
        infrastructure=[
            {"name": name, **_process(found.get(name)), "address": address, "answers": answers}
            for name, (address, answers) in addresses.items()
        ],
        services=[
            service(name, record.processes, before, after, seconds, waiting)
            for name in (*SERVICE, SIMULATOR)
            if name in SERVICE or name in found
        ],
        progress=how_far,
        budget=await accounts(record.valkey_url, load_plan(directory / "plan.yaml").budget) if how_far else [],
        closed=await closed_topics(KafkaAccess(record.bootstrap)) if record.bootstrap and waiting is not None else [],
    )


def service(
    name: str,
    running: list[RunningProcess],
    before: dict[str, ProcessMetrics],
    after: dict[str, ProcessMetrics],
    seconds: float,
    waiting: list[GroupLag] | None,
) -> ServiceState:
    """Sum up the processes of a service."""
    mine = [one for one in running if one.name == name or one.name.removeprefix(f"{name}-").isdecimal()]
    said = {one.name: after[one.name] for one in mine if one.name in after}
    backlog = [one for one in waiting or () if one.service == name]
    lags = [one.lag for one in backlog]
    oldest = min((one.oldest_ms for one in backlog if one.oldest_ms is not None), default=None)
    new = sum(max(0, vital.events - before[one].events) for one, vital in said.items())
    return ServiceState(
        service=name,
        processes=[{"name": one.name, **_process(one)} for one in mine],
        unready=[f"{one}: {vital.unready}" for one, vital in said.items() if vital.unready],
        lag=None if None in lags or not lags else sum(lag for lag in lags if lag is not None),
        oldest_s=None if oldest is None else max(0.0, round(time.time() - oldest / 1000, 1)),
        events_per_s=round(new / seconds, 2),
        done=sum(vital.outcomes.get("done", 0) for vital in said.values()),
        dead_letters=sum(vital.outcomes.get("dead_letter", 0) for vital in said.values()),
        retries=sum(vital.retries for vital in said.values()),
    )


def progress(directory: Path) -> Progress | None:
    """Count the dataset, against the plan that the services follow."""
    if not (directory / "plan.yaml").exists():
        return None
    plan, folder = load_plan(directory / "plan.yaml"), dataset_in(directory)
    wanted = None if plan.endless else plan.rows
    if not Dataset.there(folder):
        return Progress(wanted, 0, 0, 0, 0)
    dataset = Dataset.open(folder)
    rows, ledger = dataset.rows.counts("admission"), dataset.ledger.counts("kind")
    return Progress(wanted, rows[("in",)], rows[("reserve",)], rows[("aside",)], ledger[("rejected",)])


def _process(running: RunningProcess | None) -> dict[str, object]:
    return {"pid": running.id.pid if running else None, "restarts": running.restarts if running else 0}


def _address(url: str | None) -> str | None:
    """Without the password."""
    return url.rpartition("@")[2].partition("/")[0] if url else None


async def _backlogs(bootstrap: str | None) -> list[GroupLag] | None:
    return None if bootstrap is None else await pending(KafkaAccess(bootstrap), FACTORY)


async def _pings(url: str | None) -> bool:
    if url is None:
        return False
    client = connect(ValkeyAccess(url))
    try:
        return bool(await client.ping())
    except (RedisError, OSError):
        return False
    finally:
        await client.aclose()
