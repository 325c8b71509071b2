"""How many problems should be in flight for each subject, and of which topics."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from math import ceil

from schemas.config.plan import Plan
from services.planner.ability import topic_weight
from services.planner.state import State, SubjectState, TopicRef, TopicState

PRIOR_PROBLEMS = 8
"""Weight of a prior yield, in ended problems."""
MAX_REQUEST_RATIO = 3
"""Most requests for a topic without rows, relative to the mean of its subject."""


def missing_rows(plan: Plan, state: State) -> dict[str, int]:
    """Rows that each subject lacks. Rows in reserve count as admitted, unless there are limits by difficulty.

    Under such limits a row in reserve may exceed its bin, so only admitted rows count. After a target was raised, rows
    that are then admitted from the reserve have been requested once too often.
    """
    subjects = {name: state.subject(name) for name in plan.subjects}
    supply = {name: one.admitted + (0 if plan.limits() else one.reserve) for name, one in subjects.items()}
    return {name: max(0, quota - supply[name]) for name, quota in plan.quotas(_target(plan, supply)).items()}


def _target(plan: Plan, supply: Mapping[str, int]) -> int:
    """Return the target in rows. A plan without end aims one release beyond the subject that is furthest ahead.

    So every subject always lacks rows, those behind lack more, and a stuck subject does not stop the others.
    """
    if not plan.endless:
        return plan.rows
    foremost = max(supply[name] / share for name, share in plan.shares().items())
    return int(foremost) + max(plan.releases.every_rows, plan.in_progress)


def next_topic_ref(plan: Plan, state: State, name: str) -> TopicRef:
    """Return the next topic to request, of a subject with an open one."""
    in_flight = _in_flight_by_topic(state)[name]
    return name, next_topic(state.subject(name), expected_yields(plan, state)[name], in_flight, state.ability)


def expected_yields(plan: Plan, state: State) -> dict[str, float]:
    """Share of problems that become rows, in (0, 1): measured for each subject, shrunk towards the overall yield.

    The overall yield is shrunk towards the plan's assumption. Each prior weighs PRIOR_PROBLEMS ended problems.
    """
    subjects = [state.subject(name) for name in plan.subjects]
    overall = _shrunk(sum(s.good for s in subjects), sum(s.ended for s in subjects), towards=plan.yield_assumed)
    return {name: _shrunk(state.subject(name).good, state.subject(name).ended, overall) for name in plan.subjects}


def _shrunk(good: int, ended: int, towards: float) -> float:
    return (good + PRIOR_PROBLEMS * towards) / (ended + PRIOR_PROBLEMS)


def wanted_in_flight(plan: Plan, state: State) -> dict[str, int]:
    """Problems that should be in flight for each subject: at least one while a row is missing.

    The expected rows of that number come within half a row of the missing ones. Problems in flight count by the yields
    of their topics, further ones by that of the next topic. Requesting the last half too would, with one row missing,
    mostly pay for rows beyond the target.
    """
    expected, in_flight = expected_yields(plan, state), _in_flight_by_topic(state)
    return {
        name: _needed_in_flight(state, name, lack, expected[name], in_flight[name]) if lack else 0
        for name, lack in missing_rows(plan, state).items()
    }


def _in_flight_by_topic(state: State) -> Mapping[str, Counter[int]]:
    """Problems in flight by subject and number of the topic."""
    counts: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for (name, number), count in Counter(state.in_flight.values()).items():
        counts[name][number] = count
    return counts


def _needed_in_flight(state: State, name: str, lack: int, expected: float, in_flight: Counter[int]) -> int:
    subject = state.subject(name)
    coming = sum(count * _yield(subject.topics[number], expected) for number, count in in_flight.items())
    each = expected
    if subject.has_open_topic:
        each = _yield(subject.topics[next_topic(subject, expected, in_flight, state.ability)], expected)
    return max(1, in_flight.total() + ceil((lack - 0.5 - coming) / each))


def _yield(topic: TopicState, expected: float) -> float:
    """Yield of one topic, shrunk towards that of its subject."""
    return _shrunk(topic.good, topic.ended, expected)


def next_topic(
    subject: SubjectState, expected: float, in_flight: Mapping[int, int], ability: Mapping[str, float]
) -> int:
    """Return the open topic with the least coverage for its weight, in admitted and expected rows (Sainte-Laguë).

    A topic with a low yield stays open, but is requested at most MAX_REQUEST_RATIO times as often as the mean.
    """
    topics, prior = subject.topics, PRIOR_PROBLEMS * expected
    open_ = subject.open_topics
    often = MAX_REQUEST_RATIO * (1 + sum([topics[number].requested for number in open_]) / len(open_))

    def order(number: int) -> tuple[bool, float, int]:
        topic = topics[number]
        covered: float = topic.good + topic.held_out
        if count := in_flight.get(number):
            covered += (
                count * (topic.good + prior) / (topic.ended + PRIOR_PROBLEMS)
            )  # `_yield`; a call for each is slow
        weight = topic_weight(ability, topic.topic) if ability else 1.0
        return topic.requested > often, (2 * covered + 1) / weight, topic.requested

    return min(open_, key=order)


def allocate(slots: int, wanted: Mapping[str, float], in_flight: Mapping[str, int]) -> Iterator[str]:
    """Yield the next subject to request, until all slots are taken or every subject has the wanted number.

    Slots are allocated by the Sainte-Laguë method, which favours neither large nor small subjects.
    """
    taken = Counter(in_flight)
    while taken.total() < slots:
        waiting = [name for name in wanted if taken[name] < wanted[name]]
        if not waiting:
            return
        name = max(waiting, key=lambda name: wanted[name] / (2 * taken[name] + 1))
        taken[name] += 1
        yield name


PICK_PERIOD = 60
"""Topics start at different positions among this many picks, so topics requested once also show the whole mix."""


def pick(mix: Mapping[str, float], n: int) -> str:
    """Return the name of the `n`-th pick: weights share the picks as subjects share the slots."""
    least = min(mix.values())
    *_, name = allocate(n + 1, {name: weight / least * (n + 1) for name, weight in mix.items()}, {})
    return name
