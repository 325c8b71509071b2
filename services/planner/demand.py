"""How many problems to have under way, for each subject. Numbers only."""

from collections import Counter
from collections.abc import Iterator, Mapping
from math import ceil

from schemas.config.plan import Plan
from services.planner.ability import worth
from services.planner.state import State, SubjectState, TopicRef, TopicState

PRIOR = 8
"""How many endings an assumed yield weighs."""
HARD = 3
"""How often a topic without rows is asked while another is asked once."""


def missing_rows(plan: Plan, state: State) -> dict[str, int]:
    """Rows that each subject lacks; those in reserve are as good as admitted, unless they may wait for their bin.

    Under limits by difficulty a row in reserve may be one too many of its bin: then only admitted rows count, and what
    is admitted from the reserve after a target was raised is asked for once too often.
    """
    subjects = {name: state.subject(name) for name in plan.subjects}
    supply = {name: one.admitted + (0 if plan.limits() else one.reserve) for name, one in subjects.items()}
    return {name: max(0, quota - supply[name]) for name, quota in plan.quotas(_target(plan, supply)).items()}


def _target(plan: Plan, supply: Mapping[str, int]) -> int:
    """Rows to grow towards. Without an end: a release ahead of the subject that has most of its share.

    So every subject always lacks rows, the ones behind more, and one that is stuck does not stop the others.
    """
    if not plan.endless:
        return plan.rows
    foremost = max(supply[name] / share for name, share in plan.shares().items())
    return int(foremost) + max(plan.releases.every_rows, plan.in_progress)


def next_topic_ref(plan: Plan, state: State, name: str) -> TopicRef:
    """Which topic is asked next, of a subject that has an open one."""
    held = _held(Counter(state.in_flight.values()), name)
    return name, next_topic(state.subject(name), yields(plan, state)[name], held, state.ability)


def yields(plan: Plan, state: State) -> dict[str, float]:
    """Share of problems that become rows, in (0, 1): measured for each subject, drawn towards that of all.

    The mean of all is in turn drawn towards the plan's assumption. Each prior weighs PRIOR endings.
    """
    subjects = [state.subject(name) for name in plan.subjects]
    overall = _shrunk(sum(s.good for s in subjects), sum(s.ended for s in subjects), towards=plan.yield_assumed)
    return {name: _shrunk(state.subject(name).good, state.subject(name).ended, overall) for name in plan.subjects}


def _shrunk(good: int, ended: int, towards: float) -> float:
    return (good + PRIOR * towards) / (ended + PRIOR)


def wanted(plan: Plan, state: State) -> dict[str, int]:
    """Problems that should be in flight for each subject: at least one while a row is lacking.

    So many that the expected rows come within half a row of the lack, those under way at the yields of their topics,
    further ones at that of the topic that is next. Asking for the last half would, with rows lacking by ones, mostly
    pay for rows beyond the target.
    """
    expected, under_way = yields(plan, state), Counter(state.in_flight.values())
    return {
        name: _enough(state, name, lack, expected[name], _held(under_way, name)) if lack else 0
        for name, lack in missing_rows(plan, state).items()
    }


def _held(under_way: Mapping[TopicRef, int], name: str) -> Counter[int]:
    """Problems under way by number of the topic, for one subject."""
    return Counter({number: count for (subject, number), count in under_way.items() if subject == name})


def _enough(state: State, name: str, lack: int, expected: float, held: Counter[int]) -> int:
    subject = state.subject(name)
    coming = sum(count * _yield(subject.topics[number], expected) for number, count in held.items())
    each = expected
    if subject.open_topics:
        each = _yield(subject.topics[next_topic(subject, expected, held, state.ability)], expected)
    return max(1, held.total() + ceil((lack - 0.5 - coming) / each))


def _yield(topic: TopicState, expected: float) -> float:
    """Of one topic: measured, drawn towards its subject's."""
    return _shrunk(topic.good, topic.ended, expected)


def next_topic(subject: SubjectState, expected: float, held: Mapping[int, int], ability: Mapping[str, float]) -> int:
    """The open topic that is covered least for its worth, by rows there and rows to be expected (Sainte-Laguë).

    A topic that hardly ever yields is not given up, but asked at most HARD times as often as the mean.
    """
    open_ = subject.open_topics
    often = HARD * (1 + sum(subject.topics[number].asked for number in open_) / len(open_))

    def order(number: int) -> tuple[bool, float, int]:
        topic = subject.topics[number]
        covered = topic.good + topic.held_out + held.get(number, 0) * _yield(topic, expected)
        return topic.asked > often, (2 * covered + 1) / worth(ability, topic.topic), topic.asked

    return min(open_, key=order)


def share(slots: int, wanted: Mapping[str, float], in_flight: Mapping[str, int]) -> Iterator[str]:
    """Whose problem to ask for next, until every slot is taken or every want met.

    Slots go by the Sainte-Laguë method, which favours neither large nor small subjects.
    """
    held = Counter(in_flight)
    while held.total() < slots:
        waiting = [name for name in wanted if held[name] < wanted[name]]
        if not waiting:
            return
        name = max(waiting, key=lambda name: wanted[name] / (2 * held[name] + 1))
        held[name] += 1
        yield name


PICK_PERIOD = 60
"""Topics begin anywhere among so many turns, so that also topics asked but once show the whole mix."""


def pick(mix: Mapping[str, float], n: int) -> str:
    """Whose turn it is, the `n`-th time: weights share the turns as subjects share the slots."""
    least = min(mix.values())
    *_, name = share(n + 1, {name: weight / least * (n + 1) for name, weight in mix.items()}, {})
    return name
