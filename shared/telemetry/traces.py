"""OpenTelemetry traces, if the environment names a collector. Without one nothing is sent, at almost no cost.

One problem is one trace. A produced record is a span, and its `traceparent` has the id of that span. Handling the
record is a child of that span, and each model call is a child of the handling. So one tree covers all services.

    OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318      and OpenTelemetry's other variables: headers, certificates, …

All spans are sent; the collector samples. The SDK's ratio samplers read bits that are constant in a UUID.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from schemas.events import Event

COLLECTORS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
EXPORT_S = 2
"""Longest wait for a collector that does not answer, also at exit."""

_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_tracer = trace.get_tracer("chimera")
_preset_ids: ContextVar[tuple[int, int] | None] = ContextVar("preset_ids", default=None)


def configure(service: str) -> None:
    """Send the spans of this process, if the environment names a collector."""
    if any(os.environ.get(name) for name in COLLECTORS):  # noqa: TID251 - OpenTelemetry's own names
        resource = Resource.create({"service.name": service})
        provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, id_generator=_Ids())
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=EXPORT_S)))
        trace.set_tracer_provider(provider)


@contextmanager
def handling(event: Event, service: str) -> Iterator[None]:
    """Open a span while a service handles an event."""
    record = SpanContext(event.trace.int, int(event.id.hex[:16], 16), is_remote=True, trace_flags=_SAMPLED)
    attributes = {"messaging.system": "kafka", "messaging.message.id": str(event.id), "chimera.service": service}
    parent = trace.set_span_in_context(NonRecordingSpan(record), Context())
    with _tracer.start_as_current_span(f"{service} {event.type}", parent, SpanKind.CONSUMER, attributes):
        yield


def call(model: str, role: str) -> AbstractContextManager[Span]:
    """Open a span during a model call, with OpenTelemetry's names for generative AI."""
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": model, "chimera.role": role}
    return _tracer.start_as_current_span(f"chat {model}", kind=SpanKind.CLIENT, attributes=attributes)


def record_sent(events: Iterable[tuple[str, bytes]]) -> None:
    """Record a span for each acknowledged event, given by type and `traceparent`."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        return
    for type_, traceparent in events:
        carrier = {"traceparent": traceparent.decode(errors="replace")}
        span = trace.get_current_span(TraceContextTextMapPropagator().extract(carrier, Context())).get_span_context()
        if span.is_valid:
            same_trace = trace.get_current_span().get_span_context().trace_id == span.trace_id
            token = _preset_ids.set((span.trace_id, span.span_id))
            _tracer.start_span(f"send {type_}", None if same_trace else Context(), SpanKind.PRODUCER).end()
            _preset_ids.reset(token)


class _Ids(RandomIdGenerator):
    """The span of a record gets the ids of its `traceparent`; the ids of others are random."""

    def generate_span_id(self) -> int:
        return ids[1] if (ids := _preset_ids.get()) else super().generate_span_id()

    def generate_trace_id(self) -> int:
        return ids[0] if (ids := _preset_ids.get()) else super().generate_trace_id()
