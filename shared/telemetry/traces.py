"""Traces by OpenTelemetry, when there is a collector to send them to; without one nothing, at next to no cost.

One problem is one trace. A record that is sent is a span, whose id its `traceparent` carries; handling it is a span
under that one, and so is each call to a model under the handling. So the tree holds over all services.

    OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318      and OpenTelemetry's other variables: headers, certificates, …

All is sent, and the collector samples: the SDK's ratio samplers read bits that a UUID keeps for its variant.
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
"""Longest wait for a collector that does not answer, at exit too."""

_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_tracer = trace.get_tracer("chimera")
_given: ContextVar[tuple[int, int] | None] = ContextVar("given_ids", default=None)


def configure(service: str) -> None:
    """Send this process's spans, if the environment names a collector."""
    if any(os.environ.get(name) for name in COLLECTORS):  # noqa: TID251 - OpenTelemetry's own names
        resource = Resource.create({"service.name": service})
        provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, id_generator=_Ids())
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=EXPORT_S)))
        trace.set_tracer_provider(provider)


@contextmanager
def handling(event: Event, service: str) -> Iterator[None]:
    """A span for the time that a service works on an event."""
    record = SpanContext(event.trace.int, int(event.id.hex[:16], 16), is_remote=True, trace_flags=_SAMPLED)
    said = {"messaging.system": "kafka", "messaging.message.id": str(event.id), "chimera.service": service}
    under = trace.set_span_in_context(NonRecordingSpan(record), Context())
    with _tracer.start_as_current_span(f"{service} {event.type}", under, SpanKind.CONSUMER, said):
        yield


def call(model: str, role: str) -> AbstractContextManager[Span]:
    """A span for a call to a model, under OpenTelemetry's names for generative AI."""
    said = {"gen_ai.operation.name": "chat", "gen_ai.request.model": model, "chimera.role": role}
    return _tracer.start_as_current_span(f"chat {model}", kind=SpanKind.CLIENT, attributes=said)


def sent(events: Iterable[tuple[str, bytes]]) -> None:
    """A span for each event, by type and `traceparent`, that the broker has acknowledged."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        return
    for type_, traceparent in events:
        carrier = {"traceparent": traceparent.decode(errors="replace")}
        told = trace.get_current_span(TraceContextTextMapPropagator().extract(carrier, Context())).get_span_context()
        if told.is_valid:
            within = trace.get_current_span().get_span_context().trace_id == told.trace_id
            token = _given.set((told.trace_id, told.span_id))
            _tracer.start_span(f"send {type_}", None if within else Context(), SpanKind.PRODUCER).end()
            _given.reset(token)


class _Ids(RandomIdGenerator):
    """A record's span has the id that its `traceparent` told; all others are random."""

    def generate_span_id(self) -> int:
        return given[1] if (given := _given.get()) else super().generate_span_id()

    def generate_trace_id(self) -> int:
        return given[0] if (given := _given.get()) else super().generate_trace_id()
