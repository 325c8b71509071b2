"""The state of a stack, from `stack.json`, the processes, Kafka, Valkey and the dataset."""

import asyncio
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from redis.exceptions import RedisError

from deploy.local.state_file import RunningProcess, StateFile
from schemas.flow import SERVICE
from schemas.outcomes import Admission
from services.cli.common import process_metrics
from services.cli.common.budget_status import BudgetLine, accounts
from services.cli.common.dataset_location import dataset_in, last_plan
from services.cli.common.names import FACTORY, SIMULATOR
from services.cli.common.process_metrics import ProcessMetrics
from services.cli.run.closed_topics import ClosedTopic, closed_topics
from services.cli.run.quiescence import fetch_lags
from shared.cache.client import connect
from shared.config.connections import KafkaAccess, ValkeyAccess
from shared.config.plan_loader import load_plan
from shared.dataset import Dataset
from shared.kafka.lag import GroupLag


@dataclass(frozen=True, slots=True)
class ServiceState:
    """One service. Counts are since the start of its processes; unknown is `None`."""

    service: str
    processes: list[dict[str, object]]
    """pid, name, restarts of each."""
    unready: list[str]
    """Why processes are not ready, as "NAME: REASON"."""
    lag: int | None
    oldest_s: float | None
    """Age of the oldest unfinished event."""
    events_per_s: float
    """Finished events per second, lately."""
    done: int
    dead_letters: int
    retries: int
    waits: list[str] = field(default_factory=list)
    """Why it does nothing although it is ready, as "SERVICE: REASON"."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of the plan, from the dataset: problems by their end."""

    wanted: int | None
    """`None` for an endless plan."""
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
    """Spending against each limit of the plan; empty without a budget, and while Valkey does not answer."""
    closed: list[ClosedTopic] = field(default_factory=list)
    """Closed topics."""
    given_up: dict[str, str] = field(default_factory=dict)
    """Services that crash again and again, with the reason."""

    def document(self) -> dict[str, object]:
        """Return the document for `--json`."""
        return asdict(self)


async def gather(directory: Path) -> State:
    """Gather the state of the stack in a folder. Raises Refusal when its plan or dataset cannot be read."""
    state = StateFile.read(directory)
    rows = await asyncio.to_thread(progress, directory)
    if not state.up or state.supervisor is None:
        return State(None, [], [], rows)
    metrics, lags, valkey, closed = await asyncio.gather(
        process_metrics.scrape(state.processes),
        _fetch_lags(state.bootstrap),
        _is_answering(state.valkey_url),
        _closed_topics(state.bootstrap),
    )
    running = {process.name: process for process in state.processes}
    addresses = {"kafka": (state.bootstrap, lags is not None), "valkey": (_address(state.valkey_url), valkey)}
    return State(
        supervisor=state.supervisor.pid,
        infrastructure=[
            {"name": name, **_process(running.get(name)), "address": address, "answers": answers}
            for name, (address, answers) in addresses.items()
        ],
        services=[
            service(name, state.processes, metrics, lags)
            for name in (*SERVICE, SIMULATOR)
            if name in SERVICE or name in running
        ],
        progress=rows,
        budget=await accounts(state.valkey_url, load_plan(directory / "plan.yaml").budget) if rows else [],
        closed=closed,
        given_up=state.given_up,
    )


def service(
    name: str,
    running: list[RunningProcess],
    scraped: dict[str, ProcessMetrics],
    lags: list[GroupLag] | None,
) -> ServiceState:
    """Sum up the processes of a service."""
    processes = [one for one in running if one.name == name or one.name.removeprefix(f"{name}-").isdecimal()]
    metrics = {one.name: scraped[one.name] for one in processes if one.name in scraped}
    groups = [one for one in lags or () if one.service == name]
    counts = [one.lag for one in groups]
    oldest = min((one.oldest_ms for one in groups if one.oldest_ms is not None), default=None)
    return ServiceState(
        service=name,
        processes=[{"name": one.name, **_process(one)} for one in processes],
        unready=[f"{process}: {one.unready}" for process, one in metrics.items() if one.unready],
        lag=None if None in counts or not counts else sum(lag for lag in counts if lag is not None),
        oldest_s=None if oldest is None else max(0.0, round(time.time() - oldest / 1000, 1)),
        events_per_s=round(sum(one.events_per_s for one in metrics.values()), 2),
        done=sum(one.outcomes.get("done", 0) for one in metrics.values()),
        dead_letters=sum(one.outcomes.get("dead_letter", 0) for one in metrics.values()),
        retries=sum(one.retries for one in metrics.values()),
        waits=[f"{name}: {reason}" for reason in dict.fromkeys(r for one in metrics.values() for r in one.waits)],
    )


def progress(directory: Path) -> Progress | None:
    """Count the dataset's rows against the plan that the services follow."""
    plan, folder = last_plan(directory), dataset_in(directory)
    if plan is None:
        return None
    target = None if plan.endless else plan.rows
    if not Dataset.exists(folder):
        return Progress(target, 0, 0, 0, 0)
    dataset = Dataset.open(folder)
    rows, ledger = dataset.rows.counts("admission"), dataset.ledger.counts("kind")
    admitted, reserve, aside = (rows[(admission,)] for admission in Admission)
    return Progress(target, admitted, reserve, aside, ledger[("rejected",)])


def _process(running: RunningProcess | None) -> dict[str, object]:
    return {"pid": running.id.pid if running else None, "restarts": running.restarts if running else 0}


def _address(url: str | None) -> str | None:
    """Return the address without the password."""
    return url.rpartition("@")[2].partition("/")[0] if url else None


async def _fetch_lags(bootstrap: str | None) -> list[GroupLag] | None:
    return None if bootstrap is None else await fetch_lags(KafkaAccess(bootstrap), FACTORY)


async def _closed_topics(bootstrap: str | None) -> list[ClosedTopic]:
    return [] if bootstrap is None else await closed_topics(KafkaAccess(bootstrap))


async def _is_answering(url: str | None) -> bool:
    if url is None:
        return False
    client = connect(ValkeyAccess(url))
    try:
        return bool(await client.ping())
    except (RedisError, OSError):
        return False
    finally:
        await client.aclose()
