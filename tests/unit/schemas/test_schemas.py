"""What is promised about events between versions, and that the generated documents say what the code does."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from schemas.audit_tag import AuditTag
from schemas.codegen.compatibility import breaking
from schemas.codegen.export import GENERATED, events, released
from schemas.events import PlanAdopted
from schemas.flow import FLOW, SERVICES
from shared.kafka.codec import decode, encode
from tests.support.items import FACTORY, checked, plan

EVENT = "solution.checked.v1"
Edit = Callable[[dict[str, Any]], object]


def test_every_event_is_compatible_with_the_last_release() -> None:
    assert breaking(released(), events()) == []
    assert released(), "nothing to compare with"


def edited(edit: Edit) -> list[str]:
    now = copy.deepcopy(events())
    edit(now[EVENT])
    return breaking(events(), now)


def nested(schema: dict[str, Any]) -> dict[str, Any]:
    """Fields of the attempts inside the item: an object in a list in an object."""
    properties: dict[str, Any] = schema["$defs"]["Attempt"]["properties"]
    return properties


BREAKING: dict[str, tuple[Edit, str]] = {
    "removed": (lambda s: s["properties"].pop("final"), "final is gone"),
    "removed deep inside": (lambda s: nested(s).pop("answer"), "item.attempts.answer is gone"),
    "renamed": (
        lambda s: nested(s).update(thinking=nested(s).pop("reasoning")),
        "item.attempts.reasoning is gone",
    ),
    "new and required": (
        lambda s: (s["properties"].update(more={"type": "string"}), s["required"].append("more")),
        "more is new and required",
    ),
    "required now": (lambda s: s["$defs"]["Attempt"]["required"].append("flaws"), "flaws is required now"),
    "optional now": (lambda s: s["required"].remove("final"), "final is optional now"),
    "another type": (lambda s: s["properties"]["final"].update(type="string"), "final: type was boolean, is string"),
    "narrowed": (lambda s: nested(s)["index"].update(minimum=1), "item.attempts.index: minimum was None, is 1"),
    "narrowed to a choice": (lambda s: nested(s)["solution"].update(enum=["yes"]), "solution: enum was None"),
    "never null": (lambda s: nested(s)["answer"]["anyOf"].pop(), "item.attempts.answer: anyOf was"),
    "a choice more": (lambda s: nested(s)["agrees"]["anyOf"][0]["enum"].append("maybe"), "agrees: enum was"),
    "closed to unknown fields": (lambda s: s.update(additionalProperties=False), "additionalProperties was True"),
}


@pytest.mark.parametrize("case", BREAKING)
def test_a_planted_change_that_a_reader_would_stumble_over_is_found(case: str) -> None:
    edit, expected = BREAKING[case]
    found = edited(edit)
    assert any(expected in line and line.startswith(EVENT) for line in found), found


def test_optional_fields_and_words_for_people_may_be_added() -> None:
    def edit(schema: dict[str, Any]) -> None:
        schema["properties"]["more"] = {"type": "string", "default": ""}
        nested(schema)["more"] = {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None}
        schema["description"] = nested(schema)["answer"]["title"] = "said better"

    assert edited(edit) == []


def test_a_new_major_may_change_anything_but_an_event_may_not_vanish() -> None:
    now = copy.deepcopy(events())
    schema = now.pop(EVENT)
    assert breaking(events(), now) == [f"{EVENT}: removed"]
    del schema["properties"]["final"]
    assert breaking(events(), {**now, "solution.checked.v2": schema}) == []


def test_a_later_plan_event_is_readable_but_a_file_has_no_unknown_field() -> None:
    adopted = PlanAdopted.root(FACTORY, "planner", plan=plan())
    message = encode(adopted, "chimera/planner")
    later = (message.value or b"").replace(b'"solving":{', b'"solving":{"later":1,')
    read = decode(message.name, message.key, later, message.headers)
    assert isinstance(read, PlanAdopted)
    assert read.plan.solving.traces == adopted.plan.solving.traces


ASYNCAPI = json.loads((GENERATED / "asyncapi.json").read_text())


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from [node["$ref"]] if "$ref" in node else [ref for value in node.values() for ref in references(value)]
    elif isinstance(node, list):
        yield from (ref for value in node for ref in references(value))


def test_every_reference_of_the_asyncapi_document_resolves() -> None:
    found = set(references(ASYNCAPI))
    for reference in found:
        file, _, pointer = reference.partition("#")
        node = json.loads((GENERATED / file).read_text()) if file else ASYNCAPI
        for step in pointer.split("/")[1:]:
            node = node[step]
        assert node, reference
    assert {f"./{name}.json" for name in events()} <= found


def test_asyncapi_has_every_kafka_topic_and_every_edge_of_the_flow() -> None:
    assert ASYNCAPI["asyncapi"] == "3.0.0"
    addresses = {channel["address"].format(factory="chimera") for channel in ASYNCAPI["channels"].values()}
    assert addresses == {f"chimera.{flow.name}" for flow in FLOW}
    edges = {
        (name.partition(".")[0], operation["action"], operation["channel"]["$ref"].rpartition("/")[2])
        for name, operation in ASYNCAPI["operations"].items()
    }
    sent = {(service, "send", flow.name) for flow in FLOW for service in flow.producers}
    assert edges == sent | {(service, "receive", flow.name) for flow in FLOW for service in flow.consumers}
    assert {service.name for service in SERVICES} <= {service for service, _, _ in edges}


def test_asyncapi_describes_the_headers_that_are_written() -> None:
    message = encode(checked(1), "chimera/answer_checker", AuditTag(kind="sign"))
    headers = ASYNCAPI["components"]["messages"][EVENT]["headers"]["properties"]
    written = {name: value.decode() for name, value in message.headers}
    assert headers.keys() == written.keys()
    constants = {name: header["const"] for name, header in headers.items() if "const" in header}
    assert {name: written[name] for name in constants} == constants
