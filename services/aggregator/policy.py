"""Decides views, admission and releases, without I/O."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from schemas.belief import Belief
from schemas.config.plan import Plan
from schemas.config.policies import Releases, Verification
from schemas.item import Attempt
from schemas.outcomes import IMPORTED_VIEWS, Admission, Tier
from shared.dataset import Progress

IN, RESERVE, ASIDE = Admission

DAY_S = 86_400


def assign_views(
    accept: Verification, tier: str | None, correct: bool | None, flaws: Sequence[str], belief: Belief | None = None
) -> tuple[str, ...]:
    """Return the views of a row, of those whose threshold its belief reached at the decision.

    sft  a sound trace that hits the key, of an accepted tier; or of a plausible row, whose key a third model then hit
    rl   problem and key of an accepted tier, whatever the solution

    A person's acceptance counts for every view, whatever the belief.
    """
    reviewed = tier == Tier.REVIEWED
    sound = correct is True and not flaws
    sft = sound and (tier in accept.accept.get("sft", ()) or tier == Tier.PLAUSIBLE or reviewed)
    rl = tier in accept.accept.get("rl", ()) or reviewed
    entered = (name for name, enters in (("sft", sft), ("rl", rl)) if enters)
    return tuple(name for name in entered if belief is None or reviewed or belief.reaches(name))


def is_confirmed(tier: str | None, attempts: Iterable[Attempt]) -> bool:
    """Whether a solution may enter sft: the key of a plausible row needs the hit of a third model.

    A solution that came with the key is not one.
    """
    return tier != Tier.PLAUSIBLE or any(one.agrees == "yes" and not one.is_imported for one in attempts)


def imported_views(views: Sequence[str]) -> tuple[str, ...]:
    """Return the views of an imported row that does not count, from those that it would enter if it did."""
    return tuple(IMPORTED_VIEWS[view] for view in views)


class Quotas:
    """Target rows by subject, limits by difficulty bin, and rows admitted so far."""

    def __init__(self, plan: Plan, admitted: Mapping[str, int], difficulties: Mapping[float | None, int]) -> None:
        """`admitted` counts rows by subject, `difficulties` the same rows by difficulty."""
        self._targets, self._limits, self._difficulty = plan.quotas(), plan.limits(), plan.difficulty
        self._before, self._admitted = Counter(admitted), Counter(admitted)
        self._bins: Counter[str | None] = Counter()
        for difficulty, rows in difficulties.items():
            self._bins[self._difficulty.bin(difficulty)] += rows

    def rows_left(self, subject: str) -> int:
        """Return how many more rows of a subject count towards its target."""
        return max(0, self._targets.get(subject, 0) - self._admitted[subject])

    def admit(self, subject: str, views: Sequence[str], difficulty: float | None = None) -> str:
        """Decide the admission of a row: `aside` when it is not in sft, `in` while its subject and its bin have room.

        Otherwise `reserve`. A row of unknown difficulty is in no bin.
        """
        if "sft" not in views:
            return ASIDE
        bin_ = self._difficulty.bin(difficulty)
        full = bin_ in self._limits and self._bins[bin_] >= self._limits[bin_]
        if full or not self.rows_left(subject):
            return RESERVE
        self._admitted[subject] += 1
        self._bins[bin_] += 1
        return IN

    def release(self, subject: str, difficulty: float | None) -> None:
        """Free the place of an admitted row."""
        self._admitted[subject] -= 1
        self._bins[self._difficulty.bin(difficulty)] -= 1

    @property
    def admitted(self) -> dict[str, int]:
        return dict(self._admitted)

    def reaches(self, share: float) -> bool:
        """Whether every subject now has this share of its rows, and one had not before."""
        now, before = (
            all(rows[subject] >= share * target for subject, target in self._targets.items())
            for rows in (self._admitted, self._before)
        )
        return now and not before

    @property
    def missing(self) -> int:
        """Rows that all subjects lack together."""
        return sum(map(self.rows_left, self._targets))

    @property
    def full(self) -> bool:
        """Whether every subject has all its rows."""
        return not self.missing


@dataclass(frozen=True, slots=True)
class Decision:
    """Result of a commit that admits rows."""

    progress: Progress
    release: bool
    train: bool


def rows_to_release(progress: Progress, quotas: Quotas, plan: Plan) -> int:
    """Return after how many further rows a release is due at the latest."""
    policy = plan.releases
    left = policy.every_rows - progress.unreleased, policy.train_after_rows - progress.untrained
    return min(*left, quotas.missing or plan.rows)


def decide(progress: Progress, admitted: int, quotas: Quotas, plan: Plan, now: datetime) -> Decision:
    """Decide on a release and on training by the plan's `releases`.

    A release is due after a number of rows, or of days if there are new rows, when training is due (which needs a
    pinned version), and when the target is reached. Training is due after a number of rows, a number of days with a new
    row, or a share of every subject.
    """
    policy: Releases = plan.releases
    unreleased, untrained = progress.unreleased + admitted, progress.untrained + admitted
    reached = quotas.full and plan.rows > progress.target
    second = int(now.timestamp())
    waited = second - (progress.training_since or second)
    late = policy.train_after_days is not None and admitted > 0 and waited >= policy.train_after_days * DAY_S
    broad = policy.train_at is not None and quotas.reaches(policy.train_at)
    train = untrained >= policy.train_after_rows or late or broad
    waited = second - (progress.released_since or second)
    old = policy.every_days is not None and unreleased > 0 and waited >= policy.every_days * DAY_S
    release = train or reached or old or unreleased >= policy.every_rows
    starts = release or (unreleased > 0 and not progress.released_since)
    after = replace(
        progress,
        releases=progress.releases + release,
        unreleased=0 if release else unreleased,
        untrained=0 if train else untrained,
        target=plan.rows if reached else progress.target,
        training_since=second if train or (admitted and not progress.training_since) else progress.training_since,
        released_since=second if policy.every_days and starts else progress.released_since,
    )
    return Decision(after, release, train)
