"""The summary at the end of a run: numbers, the dataset's location, the next step."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from services.cli.common.budget_status import BudgetLine, describe
from services.cli.common.dataset_location import dataset_in
from services.cli.run.blockers import Failure
from services.cli.run.closed_topics import ClosedTopic
from services.cli.run.closed_topics import describe as topics
from shared.dataset.reports.funnel import ENDS, Funnel

REASONS = 5
"""Most kinds of dead letters that are shown to a person."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a run: done, short (rows are missing, nothing more can come), failed, interrupted."""

    outcome: str
    reason: str | None = None
    next_step: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Numbers of the whole log, not only of this run.

    `requested` and `imported` together are the sum of `ends` and `in_flight`.
    """

    outcome: str
    reason: str | None
    next_step: str | None
    seconds: float
    wanted: int | None
    """`None` for an endless plan."""
    rows: int
    """Admitted rows in the dataset."""
    requested: int
    imported: int
    ends: Mapping[str, int]
    in_flight: int
    rejected: Mapping[str, int]
    """Rejected problems by reason."""
    release: int | None
    dataset: str
    simulated: bool
    example: str | None
    """Id of an admitted row."""
    tokens: int | None
    """Generated tokens of all ended problems; null when any count is unknown."""
    budget: Sequence[BudgetLine]
    """Spending against each limit of the plan."""
    closed: Sequence[ClosedTopic]
    """Closed topics."""
    audits: int
    """Judged audit items; no other number includes them."""
    dead_letters: Mapping[str, int]
    """Pending dead letters by event, also of events without a problem."""
    dead_letter_reasons: Sequence[str]
    """Event, service, error and message of each kind, most first."""
    waits: str
    """Why nothing moved at the end, in words; empty when the run is done, or nothing waited."""

    @classmethod
    def of(
        cls,
        funnel: Funnel,
        verdict: Verdict,
        *,
        seconds: float,
        wanted: int | None,
        rows: int,
        tokens: int | None,
        budget: Sequence[BudgetLine] = (),
        closed: Sequence[ClosedTopic] = (),
        dead_letters: Sequence[Failure] = (),
        waits: str = "",
        dataset: str,
        simulated: bool,
    ) -> "Summary":
        """Combine the log's counts with the results of the run."""
        return cls(
            outcome=verdict.outcome,
            reason=verdict.reason,
            next_step=verdict.next_step,
            seconds=round(seconds, 1),
            wanted=wanted,
            rows=rows,
            requested=funnel.requested,
            imported=funnel.imported,
            ends={end: funnel.ends[end] for end in ENDS},
            in_flight=funnel.in_flight,
            rejected=dict(funnel.reasons.most_common()),
            release=funnel.release.release if funnel.release else None,
            dataset=dataset,
            simulated=simulated,
            example=str(funnel.example) if funnel.example else None,
            tokens=tokens,
            budget=budget,
            closed=closed,
            audits=funnel.audits,
            dead_letters=_by_event(dead_letters),
            dead_letter_reasons=[f"{one.count} {one}" for one in dead_letters],
            waits="" if verdict.outcome == "done" else waits,
        )

    def document(self) -> dict[str, object]:
        """Return the document for `--json`."""
        return asdict(self)

    def lines(self, *, is_kept: bool = True) -> list[str]:
        """Return the lines for a person; without steps that need the dataset, unless it is kept."""
        return [self._headline(), *self._more(is_kept=is_kept), "", *self._next(is_kept=is_kept)]

    def _headline(self) -> str:
        shown = [end for end in ENDS if end != "deleted" or self.ends[end]]
        parts = [f"{self.ends[end]} {end}" for end in shown]
        if self.in_flight:
            parts.append(f"{self.in_flight} under way")
        word = {"done": "Done", "short": "Short", "failed": "Failed", "interrupted": "Stopped"}[self.outcome]
        origins = f"{self.requested} requested" + (f" + {self.imported} imported" if self.imported else "")
        return f"{word} in {duration(self.seconds)}: {origins} = {' + '.join(parts)}"

    def _more(self, *, is_kept: bool) -> list[str]:
        lines = []
        if self.reason:
            lines.append(f"reason    {self.reason}")
        if self.rejected:
            lines.append("rejected  " + ", ".join(f"{count} {reason}" for reason, count in self.rejected.items()))
        lines += topics(self.closed)
        lines += [f"dead      {reason}" for reason in self.dead_letter_reasons[:REASONS]]
        if self.dead_letters and is_kept:
            command = f"chimera dead-letters list{self._folder()}"
            lines.append(f"          after `chimera up` with the same options: {command}")
        if self.waits:
            lines.append(f"waited    {self.waits}")
        release = f"release {self.release}" if self.release else "no release yet"
        tokens = f" · {short(self.tokens)} tokens" if self.tokens else ""
        lines.append(f"dataset   {self.dataset} · {rows_of(self.rows, self.wanted)} · {release}{tokens}")
        if self.audits:
            lines.append(f"audits    {self.audits} judged; results: chimera audit")
        if self.budget:
            lines.append(f"budget    {describe(self.budget)}")
        if self.simulated:
            lines.append("          made by SIMULATED models: do not train on it")
        return lines

    def _folder(self) -> str:
        """The option that names the folder; empty for the default one."""
        is_default = self.dataset == str(dataset_in(Path(".chimera")))
        return "" if is_default else f" --dir {Path(self.dataset).parent}"

    def _next(self, *, is_kept: bool) -> list[str]:
        steps = [("next", self.next_step)] if self.next_step else []
        if not is_kept:
            return [f"{name}  {step}" for name, step in steps]
        folder = self._folder()
        if self.example:
            steps.append(("why is a row believed?", f"chimera dataset show {self.example[:8]}{folder}"))
        if self.outcome == "done" and self.simulated:
            steps.append(("with a real model", "chimera run --base-url URL --model NAME --dir FOLDER"))
        if self.rows:
            steps.append(("read it in a browser", f"chimera console{folder}"))
        width = max((len(name) for name, _ in steps), default=0)
        return [f"{name:{width}}  {step}" for name, step in steps]


def _by_event(letters: Iterable[Failure]) -> dict[str, int]:
    counts = Counter[str]()
    for one in letters:
        counts[one.event] += one.count
    return dict(counts.most_common())


def rows_of(rows: int, wanted: int | None) -> str:
    """Format 12 of 40 rows; 12 rows of an endless plan."""
    return f"{rows} rows" if wanted is None else f"{rows} of {wanted} rows"


def duration(seconds: float) -> str:
    """Format 22 s, 4 min 10 s, 3 h 5 min."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def clock(seconds: float) -> str:
    """Format 0:16, 1:02:05."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def short(number: int) -> str:
    """Format 950, 412k, 3.1M."""
    if number < 1000:
        return str(number)
    return f"{number / 1000:.0f}k" if number < 1_000_000 else f"{number / 1_000_000:.1f}M"
