"""A machine's state, written as changes, is read as it was."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import Event, ProblemRequested
from services.planner.state import State
from shared.runtime.machine import SnapshotChange
from shared.runtime.state_changes import apply, changes
from tests.support.planning import Factory, a_plan, parked


class Written(Factory):
    """A factory whose planner's state is also built from changes. Some problems are parked before they end."""

    def handle(self, event: Event) -> list[Event]:
        before = self.state
        assert before is not None
        events = super().handle(event)
        change = SnapshotChange(changes=list(changes(before, self.state, {"deleted"})), offsets={}, outbox="")
        document = json.loads(before.model_dump_json())
        apply(document, SnapshotChange.model_validate_json(change.model_dump_json()).changes)
        assert State.model_validate(document) == self.state
        return events

    def end(self, request: ProblemRequested) -> Event:
        if self.dice.random() < 0.2:
            self.open.append(request)
            return parked(request)
        return super().end(request)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), good=st.floats(0.2, 1))
def test_a_state_written_as_changes_is_read_as_it_was(seed: int, good: float) -> None:
    state = Written(a_plan(20, 6), seed, good).run()
    assert state.parked_count == len(state.parked)
