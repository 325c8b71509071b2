"""Every policy in hard worlds, with its parameters known, wrong on purpose, or in a world that is not the model's."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.table import Table

from shared.stats.belief import belief, likelihood
from shared.stats.belief_model import Evidence, JudgeRates, JudgeResult, Parameters, Votes
from shared.stats.quadrature import average_chance
from tests.bench.belief.hard_policies import ByBelief, Verified, judges_alone, outcome, tiers, with_adjudications
from tests.bench.belief.hard_world import Case, World, cases
from tests.bench.belief.vote_tree import sequential_tree
from tests.bench.belief.votes_only import Forecast, Rule

TARGET, FIXED, TARGETS = 0.02, 0.96, (0.005, 0.01, 0.02, 0.03, 0.05)
RULES = {
    "belief, up to 8 votes": Rule(),
    "belief, up to 16, refused are dropped": Rule(16, reject_below=0.5, refusals_reject=True),
}
WORLDS = {
    f"w {w:.0%}, ρ {rho}, d {d}": World(w, rho, d)
    for d, w, rho in ((0.5, 0.1, 0.0), (0.5, 0.1, 0.3), (0.5, 0.1, 0.6), (0, 0.1, 0.0), (0, 0.1, 0.3), (0, 0.2, 0.6))
}  # fmt: skip
USUAL, USUAL_WRITER = World(0.1, 0.3, 0.5), World(0.2, 0.3, 0.5)
ODD = {
    "second verifier weaker (log-odds -1.5)": replace(USUAL, second_ability=-1.5),
    "second verifier solves with s²": replace(USUAL, second_squares=True),
    "half is hard for one verifier alone": replace(USUAL, own_hardness=True),
    "second verifier repeats the first, c 0.3": replace(USUAL, dependence=0.3),
    "second verifier repeats the first, c 0.9": replace(USUAL, dependence=0.9),
}
ASSUMED = World(0.1, 0.3, 0.5)
MISTAKEN = {f"really {name}": world for name, world in {
    "w 20 %": replace(ASSUMED, wrong_keys=0.2), "w 40 %": replace(ASSUMED, wrong_keys=0.4),
    "d 0": replace(ASSUMED, catch=0.0), "ρ 0.6": replace(ASSUMED, error_agreement=0.6),
}.items()}  # fmt: skip


def true_parameters(world: World, *, apart: bool = False) -> Parameters:
    """What is true of a world, as far as the model has a name for it."""
    parameters = Parameters(wrong_keys=world.wrong_keys, judge=JudgeRates(world.catch), adjudicator=world.adjudicator)
    parameters = parameters.with_(error_agreement=world.error_agreement)
    if not apart:
        return parameters
    abilities = (0.0, world.second_ability) if world.second_ability else ()
    return replace(parameters, solving=parameters.solving._replace(abilities=abilities, dependence=world.dependence))


def measure(count: int) -> dict[str, Any]:
    """Every table, each policy on the same `count` cases, and how long a decision takes."""
    return {
        "worlds": {name: _policies(world, count) for name, world in WORLDS.items()},
        "odd": {name: _odd(world, count) for name, world in ODD.items()},
        "targets": {f"w {world.wrong_keys:.0%}": _targets(world, count) for world in (USUAL, USUAL_WRITER)},
        "mistaken": {name: _mistaken(world, count) for name, world in MISTAKEN.items()},
        "ms_per_decision": _ms_per_decision(),
    }


def _policies(world: World, count: int) -> dict[str, Any]:
    drawn, parameters = cases(world, count, 16, f"table {world}"), true_parameters(world)
    ends = {
        "tiers: verified": list(map(tiers(["verified"]), drawn)),
        "tiers: verified, plausible": list(map(tiers(["verified", "plausible"]), drawn)),
        "two judges alone": list(map(judges_alone, drawn)),
    }
    for name, rule in RULES.items():
        ends[name] = list(map(_by_belief(parameters, rule), drawn))
        ends[f"{name}, τ {FIXED}"] = list(map(ByBelief(parameters, FIXED, rule), drawn))
    ends["8 votes, 2 adjudications"] = with_adjudications(drawn, parameters, world.adjudicator, TARGET)
    return _outcomes(drawn, ends)


def _by_belief(parameters: Parameters, rule: Rule, target: float = TARGET) -> ByBelief:
    threshold = Forecast(sequential_tree(rule.max_votes), rule, parameters, parameters).threshold(target)
    return ByBelief(parameters, threshold, rule)


def _odd(world: World, count: int) -> dict[str, Any]:
    """Belief that takes the verifiers for equal and independent, and belief that knows better."""
    drawn, alike = cases(world, count, 8, f"odd {world}"), _by_belief(true_parameters(world), Rule())
    ends = {"verifiers taken for alike": list(map(alike, drawn))}
    if world.dependence or world.second_ability:
        knowing = ByBelief(true_parameters(world, apart=True), alike.threshold, Rule(), apart=True)
        ends["difference known"] = list(map(knowing, drawn))
    return _outcomes(drawn, ends)


def _targets(world: World, count: int) -> dict[str, Any]:
    """What a stricter target costs."""
    drawn, ends = cases(world, count, 8, f"targets {world}"), {}
    for target in TARGETS:
        policy = _by_belief(true_parameters(world), Rule(), target)
        threshold = "cannot be met" if policy.threshold is None else f"τ {policy.threshold:.3f}"
        ends[f"target {target:.1%}, {threshold}"] = list(map(policy, drawn))
    return _outcomes(drawn, ends)


def _mistaken(world: World, count: int) -> dict[str, Any]:
    """Thresholds 0.98 and computed, with the parameters of another world."""
    drawn, parameters = cases(world, count, 8, f"mistaken {world}"), true_parameters(ASSUMED)
    policies = {"τ 0.98": ByBelief(parameters, 0.98, Rule()), "τ computed": _by_belief(parameters, Rule())}
    return _outcomes(drawn, {name: list(map(policy, drawn)) for name, policy in policies.items()})


def _outcomes(drawn: list[Case], ends: Mapping[str, list[Verified]]) -> dict[str, Any]:
    return {name: asdict(outcome(drawn, verified)) for name, verified in ends.items()}


def _ms_per_decision() -> dict[str, float]:
    """Milliseconds, with nothing remembered but the nodes of the quadrature."""
    judgements = (JudgeResult(True), JudgeResult(True))
    evidence = Evidence(Votes((2, 1), ((2, 0), (1, 1), (0, 1))), judgements)
    unequal, dependent = {"abilities": (0.0, -1.0)}, {"dependence": 0.3}
    kinds: dict[str, dict[str, Any]] = {
        "equal, independent": {},
        "unequal": unequal,
        "dependent": dependent,
        "unequal, dependent": {**unequal, **dependent},
    }
    return {name: _ms(evidence, changes) for name, changes in kinds.items()}


def _ms(evidence: Evidence, changes: Mapping[str, Any], times: int = 100) -> float:
    parameters, spent = replace(Parameters(), solving=Parameters().solving._replace(**changes)), 0.0
    for _ in range(times):
        likelihood.cache_clear()
        average_chance.cache_clear()
        start = perf_counter()
        belief(evidence, parameters)
        spent += perf_counter() - start
    return 1000 * spent / times


def show(console: Console, figures: dict[str, Any]) -> None:
    """Print as tables."""
    for title, name in (
        (f"hard worlds, parameters known, target {TARGET:.0%}", "worlds"),
        ("verifiers that are not alike", "odd"),
        ("a stricter target, ρ 0.3, d 0.5, parameters known", "targets"),
        ("assumed: w 10 %, ρ 0.3, d 0.5", "mistaken"),
    ):
        table = Table(
            "world", "policy", "good kept", "hard kept", "wrong keys", "calls a problem", "an accepted row", title=title
        )
        for row in _rows(figures[name]):
            table.add_row(*row)
        console.print(table)
    times = ", ".join(f"{name} {ms:.2f}" for name, ms in figures["ms_per_decision"].items())
    console.print(f"milliseconds a decision: {times}")


def _rows(figures: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    for world, policies in figures.items():
        for number, (policy, row) in enumerate(policies.items()):
            yield (
                "" if number else world,
                policy,
                f"{row['good_kept']:.0%}",
                f"{row['hard_kept']:.0%}",
                f"{row['wrong_keys']:.1%}" if row["accepted"] else "",
                f"{row['calls_per_problem']:.1f}",
                f"{row['calls_per_accepted']:.1f}" if row["accepted"] else "",
            )
