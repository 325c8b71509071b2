"""What becomes of a row, decided without any I/O: views, admission, releases."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from schemas.config.plan import Plan
from schemas.config.policies import Releases, Verification
from shared.dataset import Progress

IN, RESERVE, ASIDE = "in", "reserve", "aside"

DAY_S = 86_400


def views(accept: Verification, tier: str | None, correct: bool | None, flaws: Sequence[str]) -> tuple[str, ...]:
    """Views that a row enters.

    sft  a sound trace that lands on the key, of an accepted tier; or of a plausible row, whose key a third model has
         then hit too
    rl   problem and key of an accepted tier, whatever became of the solution
    """
    sound = correct is True and not flaws
    sft = sound and (tier in accept.accept.get("sft", ()) or tier == "plausible")
    rl = tier in accept.accept.get("rl", ())
    return tuple(name for name, enters in (("sft", sft), ("rl", rl)) if enters)


class Quotas:
    """Rows wanted by subject, most rows by bin of difficulty, and rows admitted so far."""

    def __init__(self, plan: Plan, admitted: Mapping[str, int], difficulties: Mapping[float | None, int]) -> None:
        """`admitted` by subject, `difficulties` the same rows by difficulty."""
        self._wanted, self._limits, self._difficulty = plan.quotas(), plan.limits(), plan.difficulty
        self._before, self._admitted = Counter(admitted), Counter(admitted)
        self._bins: Counter[str | None] = Counter()
        for difficulty, rows in difficulties.items():
            self._bins[self._difficulty.bin(difficulty)] += rows

    def room(self, subject: str) -> int:
        """How many more rows of a subject count towards the target."""
        return max(0, self._wanted.get(subject, 0) - self._admitted[subject])

    def admit(self, subject: str, views: Sequence[str], difficulty: float | None = None) -> str:
        """Admission of one more row: `aside` when it is not in sft, `in` while its subject and its bin have room.

        Otherwise `reserve`. A row of unknown difficulty is in no bin.
        """
        if "sft" not in views:
            return ASIDE
        bin_ = self._difficulty.bin(difficulty)
        full = bin_ in self._limits and self._bins[bin_] >= self._limits[bin_]
        if full or not self.room(subject):
            return RESERVE
        self._admitted[subject] += 1
        self._bins[bin_] += 1
        return IN

    @property
    def admitted(self) -> dict[str, int]:
        return dict(self._admitted)

    def reaches(self, share: float) -> bool:
        """Whether every subject has this share of its rows now, and one had not before."""
        now, before = (
            all(rows[subject] >= share * wanted for subject, wanted in self._wanted.items())
            for rows in (self._admitted, self._before)
        )
        return now and not before

    @property
    def full(self) -> bool:
        """Whether every subject has its rows."""
        return not any(map(self.room, self._wanted))


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from newly admitted rows."""

    progress: Progress
    release: bool
    train: bool


def decide(progress: Progress, admitted: int, quotas: Quotas, plan: Plan, now: datetime) -> Decision:
    """Release after so many rows, when training is due (it needs a version to pin), and when the target is reached.

    Training is due after so many rows, so many days with a new row among them, or with a share of every subject.
    """
    policy: Releases = plan.releases
    unreleased, untrained = progress.unreleased + admitted, progress.untrained + admitted
    reached = quotas.full and plan.rows > progress.target
    second = int(now.timestamp())
    waited = second - (progress.training_since or second)
    late = policy.train_after_days is not None and admitted > 0 and waited >= policy.train_after_days * DAY_S
    broad = policy.train_at is not None and quotas.reaches(policy.train_at)
    train = untrained >= policy.train_after_rows or late or broad
    release = train or reached or unreleased >= policy.every_rows
    after = replace(
        progress,
        releases=progress.releases + release,
        unreleased=0 if release else unreleased,
        untrained=0 if train else untrained,
        target=plan.rows if reached else progress.target,
        training_since=second if train or (admitted and not progress.training_since) else progress.training_since,
    )
    return Decision(after, release, train)
