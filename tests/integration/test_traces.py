"""What a collector of traces receives, over its real protocol."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from deploy.local.ports import Ports
from services.simulator.api.server import serve
from services.simulator.settings import Settings as SimulatorSettings
from tests.integration.test_calls import ASKER, SERVICE, committed, written
from tests.support.kafka_world import KafkaWorld, until


@asynccontextmanager
async def collector(spans: list[Span]) -> AsyncIterator[str]:
    async def take(request: web.Request) -> web.Response:
        for resource in ExportTraceServiceRequest.FromString(await request.read()).resource_spans:
            spans.extend(span for scope in resource.scope_spans for span in scope.spans)
        return web.Response()

    app = web.Application(client_max_size=64 * 2**20)
    app.router.add_post("/v1/traces", take)
    runner = web.AppRunner(app)
    await runner.setup()
    port = Ports({}).take("collector")
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


async def test_a_problem_is_one_tree_of_spans_from_record_to_record(
    world: KafkaWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans: list[Span] = []
    (request,) = world.requests(1)
    async with collector(spans) as url, serve(SimulatorSettings(port=0)) as models:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        await world.publish([request])
        async with world.process(ASKER, SERVICE, **written(world.folder, models)) as process:
            await until(lambda: committed(world, 1), "the commit")
            process.send(signal.SIGTERM)
            assert await process.end() == 0
    (drafted,) = await world.events("problem.drafted")
    by_name = {span.name: span for span in spans}
    handled, sent = by_name[f"{SERVICE} problem.requested"], by_name["send problem.drafted"]
    assert {span.trace_id for span in spans} == {request.trace.bytes}
    assert handled.parent_span_id == request.id.bytes[:8]
    assert [span.parent_span_id for span in spans if span.name == "chat sim-solver"] == [handled.span_id] * 3
    assert (sent.parent_span_id, sent.span_id) == (handled.span_id, drafted.id.bytes[:8])


async def test_a_collector_that_is_not_there_keeps_nothing_from_being_done(
    world: KafkaWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{Ports({}).take('nobody')}")
    async with serve(SimulatorSettings(port=0)) as models:
        await world.publish(world.requests(3))
        async with world.process(ASKER, SERVICE, **written(world.folder, models)) as process:
            await until(lambda: committed(world, 3), "the commit")
            process.send(signal.SIGTERM)
            assert await process.end() == 0
