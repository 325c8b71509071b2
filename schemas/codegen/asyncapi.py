"""The flow as an AsyncAPI 3 document: channels are Kafka topics, an operation is one service's read or write."""

from typing import Any

from schemas.audit_tag import AuditTag
from schemas.events import ItemEvent, ProblemRequested
from schemas.flow import EVENT_LIMIT, FLOW, UNCONSUMED_RETENTION_MS, Flow

Document = dict[str, Any]


def document() -> Document:
    """Build the document. Payloads are references to the JSON Schemas beside it."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Chimera",
            "version": "1",
            "description": "A factory for reasoning data. Readers pass on unknown fields. A record that cannot be "
            "handled goes to the Kafka topic {factory}.dead-letters with its original bytes and headers.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {flow.name: _channel(flow) for flow in FLOW},
        "operations": {
            f"{service}.{action}.{flow.name}": _operation(flow, service, action)
            for flow in FLOW
            for action, services in (("send", flow.producers), ("receive", flow.consumers))
            for service in services
        },
        "components": {
            "messages": {_message_name(flow): _message(flow) for flow in FLOW},
            "parameters": {"factory": {"description": "Name of the factory.", "default": "chimera"}},
        },
    }


def _channel(flow: Flow) -> Document:
    name = _message_name(flow)
    return {
        "address": f"{{factory}}.{flow.name}",
        "parameters": {"factory": {"$ref": "#/components/parameters/factory"}},
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {
            "kafka": {
                "partitions": flow.partitions,
                "topicConfiguration": {
                    "cleanup.policy": ["delete"],
                    "retention.ms": UNCONSUMED_RETENTION_MS if flow.expires else -1,
                },
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operation(flow: Flow, service: str, action: str) -> Document:
    operation = {
        "action": action,
        "channel": {"$ref": f"#/channels/{flow.name}"},
        "messages": [{"$ref": f"#/channels/{flow.name}/messages/{_message_name(flow)}"}],
    }
    if action == "receive":
        group = {"type": "string", "description": f"The factory's name, a dot, {service}.", "pattern": rf"\.{service}$"}
        operation["bindings"] = {"kafka": {"groupId": group, "bindingVersion": "0.5.0"}}
    return operation


def _retention(flow: Flow) -> str:
    if flow.retained:
        return "Retained for ever."
    if flow.expires:
        return f"Deleted after {UNCONSUMED_RETENTION_MS // 86_400_000} days: no service consumes it."
    return "Deleted once every consumer has committed it."


def _message(flow: Flow) -> Document:
    about_problem = issubclass(flow.event, ItemEvent | ProblemRequested)
    return {
        "name": flow.event.__name__,
        "summary": " ".join((flow.event.__doc__ or "").split()) or flow.name,
        "description": f"At most {EVENT_LIMIT:,} bytes. {_retention(flow)}",
        "headers": _headers(flow),
        "payload": {"$ref": f"./{_message_name(flow)}.json"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", **({"format": "uuid"} if about_problem else {})},
                "bindingVersion": "0.5.0",
            }
        },
    }


def _headers(flow: Flow) -> Document:
    """CloudEvents 1.0 in binary mode and W3C trace context, as shared/kafka/codec.py writes them."""
    text = {"type": "string"}
    properties: Document = {
        "ce_specversion": {**text, "const": "1.0"},
        "ce_id": {**text, "format": "uuid"},
        "ce_source": {**text, "pattern": "^/[^/]+/[^/]+$"},
        "ce_type": {**text, "const": f"chimera.{flow.name}.v{flow.event.major}"},
        "content-type": {**text, "const": "application/json"},
        "traceparent": {**text, "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-01$"},
    }
    if issubclass(flow.event, ItemEvent):
        description = (
            "Only on events about audit items: the audit tag as JSON. All events caused by such an event have it."
        )
        schema = {"contentMediaType": "application/json", "contentSchema": AuditTag.model_json_schema()}
        properties["ce_audit"] = {"type": "string", "description": description, **schema}
    return {"type": "object", "required": ["ce_id", "ce_type"], "properties": properties}


def _message_name(flow: Flow) -> str:
    return f"{flow.name}.v{flow.event.major}"
