"""The model of belief: what can be observed about a key, and the parameters that decide how likely it is."""

from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, cast

from schemas.belief import BeliefParameters, JudgeErrors

RARE_REPEAT = 0.001
"""ε for many votes together, in estimates and forecasts: the chance that two given answers coincide that are neither
the truth nor the common error, about the square of the ε of single beliefs. The chances of what a vote may be add up
to 1 + ε for each wrong answer given so far; a larger ε would explain repeats, and ρ would come out too low."""
RARE_AGREEMENT = 0.001
"""Least ρ in estimates. Where no two errors agree in thousands of votes, the 0.01 of single beliefs would explain hits
on wrong keys that never come."""
Saw = Literal["nothing", "hit", "miss"]
"""What a judge's own blind votes showed it before it judged: none, one that hit the key, or none that did."""
KEY = -1
"""The key, where candidates go by their index among the rivals."""


class Votes(NamedTuple):
    """Blind votes by candidate; each is counted by verifier, in an order that is the same for all candidates."""

    key: tuple[int, ...] = (0,)
    rivals: tuple[tuple[int, ...], ...] = ()

    @property
    def total(self) -> int:
        return sum(self.key) + sum(map(sum, self.rivals))

    @property
    def by_verifier(self) -> tuple[int, ...]:
        return tuple(map(sum, zip(self.key, *self.rivals, strict=True)))


class JudgeResult(NamedTuple):
    """A judgement with the key in view."""

    passed: bool
    saw: Saw = "nothing"


class Adjudication(NamedTuple):
    """A blind choice between two candidates; `None`: neither."""

    pair: tuple[int, int]
    chosen: int | None


class Evidence(NamedTuple):
    """Everything that was observed about one key."""

    votes: Votes = Votes()
    judgements: tuple[JudgeResult, ...] = ()
    undetermined: int = 0
    """Verifiers that say that the problem cannot be determined."""
    adjudications: tuple[Adjudication, ...] = ()
    guess: float = 0.0
    """Chance that a guess hits the key."""


class JudgeRates(NamedTuple):
    """How a judge errs: d, chance to catch a wrong key, and f, chance to refuse a right one."""

    catch: float = 0.5
    false_alarm: float = 0.05

    def chance(self, *, passed: bool, right: bool) -> float:
        """Of this judgement; a judge is never taken for worse than one that does not look, nor for infallible."""
        refuses = self.false_alarm if right else min(max(self.catch, self.false_alarm), 0.99)
        return 1 - refuses if passed else refuses


class Solving(NamedTuple):
    """What decides how likely votes are, whatever the share of wrong keys."""

    error_agreement: float = 0.3
    """ρ: mean share of the wrong attempts that give the common error."""
    least_agreement: float = 0.01
    """ρ is taken for at least this, and for at most 1 minus this."""
    repeat: float = 0.03
    """ε: chance that another wrong answer is given once more."""
    a: float = 0.6
    b: float = 1.0
    """Solve rates are drawn from Beta(a, b)."""
    abilities: tuple[float, ...] = ()
    """Log-odds of each verifier relative to the solve rate; empty: all equal."""
    dependence: float = 0.0
    """c: chance that an attempt of the second verifier is the same draw as one of the first."""

    def with_another(self) -> "Solving":
        """With one more model, as able as the first verifier and independent, where abilities differ."""
        return self._replace(abilities=(*self.abilities, 0.0)) if self.abilities else self


ALIKE, JUDGE = Solving(), JudgeRates()


@dataclass(frozen=True, slots=True)
class Parameters:
    """Of the model; the defaults hold until something has been measured."""

    wrong_keys: float = 0.2
    """w: share of the keys that are wrong."""
    common_error_keys: float = 0.5
    """σ: share of the wrong keys that are the common error."""
    solving: Solving = ALIKE
    judge: JudgeRates = JUDGE
    judge_by_sight: tuple[tuple[Saw, JudgeRates], ...] = ()
    """Where it is known how a judge errs after having seen this."""
    adjudicator: float = 0.75
    """α: chance that an adjudicator is right."""
    neither: float = field(default=0.0, repr=False)
    """How readily an adjudicator says "neither": ν, the chance of it where neither answer is right. Only estimates over
    many items use it; decisions take it for 0, which counts a choice of the key least."""

    @classmethod
    def of(cls, values: BeliefParameters) -> "Parameters":
        """Read them as events carry them."""
        by_sight = tuple((cast(Saw, saw), _rates(errors)) for saw, errors in values.judge_by_sight.items())
        solving = Solving(**{name: getattr(values, name) for name in Solving._fields})
        shares = {name: getattr(values, name) for name in ("wrong_keys", "common_error_keys", "adjudicator")}
        return cls(**shares, solving=solving, judge=_rates(values.judge), judge_by_sight=by_sight)

    @property
    def values(self) -> BeliefParameters:
        """As events carry them."""
        return BeliefParameters(
            wrong_keys=self.wrong_keys,
            common_error_keys=self.common_error_keys,
            adjudicator=self.adjudicator,
            **self.solving._asdict(),
            judge=JudgeErrors(**self.judge._asdict()),
            judge_by_sight={saw: JudgeErrors(**rates._asdict()) for saw, rates in self.judge_by_sight},
        )

    def rates(self, saw: Saw) -> JudgeRates:
        return dict(self.judge_by_sight).get(saw, self.judge)

    def with_(self, *, error_agreement: float | None = None, **changes: float) -> "Parameters":
        """A copy with other numbers."""
        solving = self.solving if error_agreement is None else self.solving._replace(error_agreement=error_agreement)
        return replace(self, solving=solving, **changes)  # type: ignore[arg-type]


def _rates(errors: JudgeErrors) -> JudgeRates:
    return JudgeRates(errors.catch, errors.false_alarm)


class Belief(NamedTuple):
    """Probabilities that add up to 1."""

    key: float
    rivals: tuple[float, ...]
    unseen: float
    """The truth is an answer that nobody has given."""
