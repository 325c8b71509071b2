"""What follows for the services that call models, wherever the flow says that one does."""

from schemas.flow import COST_BEARING_EVENTS, FLOW, SERVICES

CALLERS = {service.name: service for service in SERVICES if service.models}


def test_every_event_of_a_caller_that_has_calls_counts_in_the_budget() -> None:
    of_callers = {flow.event for flow in FLOW if CALLERS.keys() & set(flow.producers)}
    assert {event for event in of_callers if event.model_fields.keys() & {"calls", "item"}} <= set(COST_BEARING_EVENTS)


def test_every_caller_reads_whether_there_is_a_budget_and_the_language() -> None:
    assert {name for name, service in CALLERS.items() if not {"budget", "language"} <= set(service.plan)} == set()
