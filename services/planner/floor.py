"""The floors of yield: below them nothing is spent.

With 5 % doubt, n ended problems without a row show a yield below 3 / n (the rule of three).
"""

from math import ceil, inf

from schemas.config.plan import Plan
from services.planner.pauses import YIELD
from services.planner.state import State, TopicRef


def pause_topic(plan: Plan, state: State, topic_ref: TopicRef | None) -> State:
    """Close a topic whose yield is below the floor, until the plan changes."""
    if topic_ref is None or state.topic(topic_ref).closed:
        return state
    below = (state.topic(topic_ref).rowless or 0) >= _longest(plan.floors.topic)
    return state.with_topic(topic_ref, closed=YIELD) if below else state


def reopen(state: State) -> State:
    """Give every paused topic, and all of them together, another try."""
    subjects = {
        name: subject.with_(
            topics=tuple(one.with_(closed=None, rowless=None) if one.closed == YIELD else one for one in subject.topics)
        )
        for name, subject in state.subjects.items()
    }
    return state.with_(subjects=subjects, rowless=None, refreshed=None)


def wants_new_topics(plan: Plan, state: State) -> bool:
    """Whether every subject should get new topics, because those it has give too few rows."""
    return not state.refreshed and (state.rowless or 0) >= _longest(plan.floors.overall)


def is_paused(plan: Plan, state: State) -> bool:
    """Whether nothing is requested: while new topics are awaited, and when they give no row either."""
    longest, rowless = _longest(plan.floors.overall), state.rowless or 0
    awaited = any(subject.expanding for subject in state.subjects.values())
    return rowless >= longest and (awaited or not state.refreshed or rowless >= 2 * longest)


def _longest(floor: float) -> float:
    return ceil(3 / floor) if floor else inf
