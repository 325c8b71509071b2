"""Evidence requested piece by piece in hard worlds: what is kept, what is wrong, what it costs."""

from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from schemas.outcomes import EvidenceKind
from shared.stats.belief import belief
from shared.stats.belief_model import KEY, Adjudication, Evidence, Parameters, Votes
from shared.stats.evidence_choice import Limits, Offer, next_offer, offers
from shared.stats.evidence_forecast import FIRST_ROUND, EvidenceForecast
from tests.bench.belief.hard_policies import JUDGED, Verified, outcome
from tests.bench.belief.hard_table import true_parameters
from tests.bench.belief.hard_world import Case, World, cases

TARGET, MAX_VOTES, ADJUDICATIONS = 0.02, 16, 4
WORLDS = tuple(World(0.1, rho, d) for d, rho in ((0.5, 0.0), (0.5, 0.3), (0.5, 0.6), (0.0, 0.3)))
NAMES = {f"w {world.wrong_keys:.0%}, ρ {world.error_agreement}, d {world.catch}": world for world in WORLDS}
LIMITS = {
    "8 votes": Limits(8),
    f"8 votes, {ADJUDICATIONS} adjudications": Limits(8, ADJUDICATIONS),
    "16 votes": Limits(MAX_VOTES),
    f"16 votes, {ADJUDICATIONS} adjudications": Limits(MAX_VOTES, ADJUDICATIONS),
}
ADJUDICATOR = WORLDS[0].adjudicator
NEITHER = -2
"""What an adjudicator says that takes no answer."""


class RequestsEvidence:
    """A first round of one vote by each verifier and both judgements, then what decides most. Decisions are cached."""

    def __init__(
        self, parameters: Parameters, threshold: float | None, limits: Limits, *, says_neither: bool = False
    ) -> None:
        """`threshold` is None where nothing may be accepted: then nothing is requested either.

        `says_neither`: an adjudicator that is right says "neither" where neither is right; otherwise it takes either.
        """
        self.threshold = threshold
        self._says_neither = says_neither
        self._parameters, self._limits = parameters, limits
        self._next = dict[Evidence, Offer | None]()

    def __call__(self, case: Case) -> Verified:
        votes, adjudicated, draw = FIRST_ROUND, list[tuple[int, int]](), case.draw
        while True:
            evidence, rivals = _evidence(case, votes, adjudicated)
            if self.threshold is None or (offer := self._offer(evidence)) is None:
                break
            if offer.kind == EvidenceKind.VOTE:
                votes += 1
            else:
                chosen = _chosen(case, rivals[offer.rival], draw, says_neither=self._says_neither)
                adjudicated.append((rivals[offer.rival], chosen))
                draw = draw * 997 % 1
        accepted = self.threshold is not None and belief(evidence, self._parameters).key >= self.threshold
        return Verified(accepted, evidence, votes + len(adjudicated))

    def _offer(self, evidence: Evidence) -> Offer | None:
        if evidence not in self._next:
            offered = offers(evidence, self._limits)
            self._next[evidence] = next_offer(evidence, self._parameters, offered, self.threshold or 0.0)
        return self._next[evidence]


def _evidence(case: Case, votes: int, adjudicated: list[tuple[int, int]]) -> tuple[Evidence, list[int]]:
    """The evidence after a number of votes, and the answers of the rivals; rivals by votes and by adjudications."""
    cast = case.votes[:votes]
    rivals = sorted(
        {answer for answer in cast if answer != case.key},
        key=lambda answer: (-cast.count(answer), sorted(chosen for rival, chosen in adjudicated if rival == answer)),
    )
    adjudications = sorted(
        (
            Adjudication((KEY, rivals.index(rival)), {case.key: KEY, NEITHER: None}.get(chosen, rivals.index(rival)))
            for rival, chosen in adjudicated
        ),
        key=repr,
    )
    counts = tuple((cast.count(answer),) for answer in rivals)
    evidence = Evidence(Votes((cast.count(case.key),), counts), JUDGED[case.passed], adjudications=tuple(adjudications))
    return evidence, rivals


def _chosen(case: Case, rival: int, draw: float, *, says_neither: bool) -> int:
    """The answer that an adjudicator takes: the truth with its chance."""
    if case.right:
        return case.key if draw < ADJUDICATOR else rival
    if rival == 0:
        return rival if draw < ADJUDICATOR else case.key
    wrong = 0.0
    if says_neither:
        if draw < ADJUDICATOR:
            return NEITHER
        wrong = ADJUDICATOR
    return case.key if draw < (1 + wrong) / 2 else rival


def policy(parameters: Parameters, limits: Limits, target: float = TARGET) -> RequestsEvidence:
    """With the threshold that keeps wrong keys below the target."""
    return RequestsEvidence(parameters, EvidenceForecast(parameters, parameters, limits).threshold(target), limits)


def measure(count: int) -> dict[str, Any]:
    """In each world, with and without an adjudicator."""
    return {name: _measure(world, count) for name, world in NAMES.items()}


def _measure(world: World, count: int) -> dict[str, Any]:
    drawn, figures = cases(world, count, MAX_VOTES, f"bought {world}"), dict[str, Any]()
    for name, limits in LIMITS.items():
        one = policy(true_parameters(world), limits)
        figures[name] = asdict(outcome(drawn, list(map(one, drawn)))) | {"threshold": one.threshold}
    return figures


def show(console: Console, figures: dict[str, Any]) -> None:
    """Print as a table."""
    title = f"evidence requested where it decides, parameters known, target {TARGET:.0%}"
    table = Table("world", "at most", "τ", "good kept", "hard kept", "wrong keys", "calls a problem", title=title)
    for world, rows in figures.items():
        for number, (limits, row) in enumerate(rows.items()):
            threshold = "" if row["threshold"] is None else f"{row['threshold']:.3f}"
            shares = (f"{row['good_kept']:.0%}", f"{row['hard_kept']:.0%}", f"{row['wrong_keys']:.1%}")
            table.add_row("" if number else world, limits, threshold, *shares, f"{row['calls_per_problem']:.1f}")
    console.print(table)
