"""`chimera import`: sends the problems of a file through the factory, from screening on."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from itertools import islice

from rich.console import Console

from schemas.events import ProblemDrafted
from schemas.spend import sum_or_none
from services.cli.check.forecast import Need, assumed, estimate_calls
from services.cli.check.measured_costs import measured_costs
from services.cli.common import models_config
from services.cli.common.run_config import RunConfig
from services.cli.evidence.feeding import FeedState, Outgoing, feed
from services.cli.evidence.import_file import ImportFile, ImportOptions, Refused
from services.cli.evidence.item_ends import ItemEnd, ended_ids, find_ends
from services.cli.evidence.progress import progress_bar
from services.cli.evidence.working_stack import work_on
from shared.config.connections import KafkaAccess
from shared.errors import Refusal
from shared.kafka.codec import encode

ROLES = ("verifier_a", "verifier_b", "base", "solver", "judge")
"""Roles whose models an imported problem needs."""
REPORT_BATCH = 1000
"""Problems whose ends are looked up together."""


@dataclass(slots=True)
class Scan:
    """What a file has: its problems, and the records that are refused."""

    problems: int = 0
    new: int = 0
    """Problems that have not ended."""
    refused: list[Refused] = field(default_factory=list)

    @property
    def reasons(self) -> dict[str, int]:
        return dict(Counter(one.reason for one in self.refused).most_common())


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSummary:
    """The numbers of an import: `records` is the sum of `refused`, `earlier`, `ended`, `parked` and `left`."""

    outcome: str
    """done, budget (it allows no further call), interrupted."""
    records: int
    refused: Mapping[str, int]
    """Records that are not imported, by reason."""
    earlier: int
    """Problems that had ended before."""
    ended: Mapping[str, int]
    """Problems by their end: views, aside, or the reason of a rejection."""
    parked: int
    left: int
    """Problems that have not ended."""
    tokens: int | None
    cost: float | None
    report: str
    """File with the end of each record."""


class Import:
    """One import into the factory of a folder."""

    def __init__(self, config: RunConfig, file: ImportFile, options: ImportOptions, console: Console) -> None:
        self._config, self._file, self._options, self._console = config, file, options, console
        digest = sha256(str(file.path.resolve()).encode()).hexdigest()[:8]
        self.report = config.directory / "imports" / f"{file.path.stem}-{digest}.jsonl"

    def describe(self) -> list[str]:
        """Return how the file is read, with its first record."""
        columns = ", ".join(f"{part} from {name}" for part, name in self._file.form.columns.named().items())
        lines = [f"{self._file.path}: form {self._file.form.name}: {columns}"]
        if isinstance(self._file.example, str):
            return [*lines, f"the first record is not imported: {self._file.example}"]
        first = asdict(self._file.example)
        return lines + [f"  {part:11} {_shorten(text)}" for part, text in first.items() if text]

    def scan(self) -> Scan:
        """Read the whole file. Raises Refusal when it cannot be read, or has no problem."""
        found, ended = Scan(), ended_ids(self._config.dataset)
        with progress_bar(self._console) as progress:
            task = progress.add_task(f"reading {self._file.path.name}", total=None)
            for one in self._file.read(self._options):
                progress.advance(task)
                if isinstance(one, Refused):
                    found.refused.append(one)
                else:
                    found.problems += 1
                    found.new += str(one.item.id) not in ended
        if not found.problems:
            self._write_report(found.refused)
            reasons = ", ".join(f"{number:,} {name}" for name, number in found.reasons.items())
            raise Refusal(
                f"{self._file.path} has no problem that can be imported: {reasons}",
                f"Read the reason of each record in {self.report}",
            )
        return found

    def estimate(self, problems: int) -> tuple[Need, ...]:
        """Estimate the model calls for new problems."""
        config = self._config
        basis = measured_costs(config.dataset, config.plan, simulated=config.simulated) or assumed(config.plan)
        return estimate_calls(problems, basis, config.models or models_config.simulated(0), ROLES)

    async def execute(self, bootstrap: str, found: Scan) -> ImportSummary:
        """Send the problems that have not ended, and wait for their ends. The first Ctrl-C ends it early."""
        state, config, is_done = FeedState(total=found.new), self._config, True
        with progress_bar(self._console) as progress:
            task = progress.add_task("starting", total=found.new)

            def show(state: FeedState) -> None:
                ends = ", ".join(f"{count:,} {end}" for end, count in _ends(state).items())
                text = f"{len(state.in_flight)} in flight · {ends or 'none has ended'}"
                progress.update(task, completed=state.done, description=text)

            async def work(kafka: KafkaAccess) -> None:
                find = lambda ids: find_ends(config.dataset, ids)  # noqa: E731
                await feed(kafka, self._options.factory, self._outgoing(), state, config.plan.in_progress, find, show)

            if found.new:
                is_done = await work_on(config, bootstrap, self._console, work)
        self._write_report(found.refused, state)
        return ImportSummary(
            outcome=state.outcome(is_done=is_done),
            records=found.problems + len(found.refused),
            refused=found.reasons,
            earlier=found.problems - found.new,
            ended=_ends(state),
            parked=len(state.parked),
            left=state.left,
            tokens=sum_or_none(end.tokens for end in state.ended.values()),
            cost=sum_or_none(end.cost for end in state.ended.values()),
            report=str(self.report),
        )

    def _problems(self) -> Iterator[ProblemDrafted]:
        return (one for one in self._file.read(self._options) if isinstance(one, ProblemDrafted))

    def _outgoing(self) -> Iterator[Outgoing]:
        ended, source = ended_ids(self._config.dataset), f"{self._options.factory}/cli"
        for event in self._problems():
            if str(event.item.id) not in ended:
                yield Outgoing(str(event.item.id), encode(event, source))

    def _write_report(self, refused: Iterable[Refused], state: FeedState | None = None) -> None:
        """Write one line for each record: its end, or why it was refused."""
        self.report.parent.mkdir(parents=True, exist_ok=True)
        with self.report.open("w", encoding="utf-8") as report:
            for one in refused:
                report.write(json.dumps({**asdict(one), "end": "refused"}) + "\n")
            for line in self._report_lines(state) if state else ():
                report.write(json.dumps(line) + "\n")

    def _report_lines(self, state: FeedState) -> Iterator[dict[str, object]]:
        problems = self._problems()
        while batch := {str(one.item.id): one.item.source for one in islice(problems, REPORT_BATCH)}:
            ends = find_ends(self._config.dataset, batch)
            for id_, source in batch.items():
                parked = state.parked.get(id_)
                end = ends.get(id_) or (ItemEnd("parked", parked.error, parked.message) if parked else ItemEnd("left"))
                yield {
                    "file": source and source.file,
                    "line": source and source.line,
                    "id": id_,
                    "end": end.end,
                    "reason": end.reason,
                    "detail": end.detail,
                }


def _ends(state: FeedState) -> dict[str, int]:
    return dict(Counter(map(str, state.ended.values())).most_common())


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 90 else f"{line[:89]}…"
