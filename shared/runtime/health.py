"""Health of a process over HTTP: /livez (the event loop responds), /readyz (partitions are assigned), /metrics."""

from collections.abc import Callable

from aiohttp import web
from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder


class Health:
    """An HTTP server beside the consumer loop."""

    def __init__(self, host: str, port: int, ready: Callable[[], str | None]) -> None:
        """`ready` returns why the process is not ready, or `None`."""
        app = web.Application()
        app.router.add_get("/livez", self._live)
        app.router.add_get("/readyz", self._ready)
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None)
        self._host = host
        self._port = port
        self._why_not_ready = ready

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _live(self, _: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def _ready(self, _: web.Request) -> web.Response:
        reason = self._why_not_ready()
        return web.Response(text=f"{reason or 'ready'}\n", status=503 if reason else 200)

    async def _metrics(self, request: web.Request) -> web.Response:
        """Prometheus text, or OpenMetrics with exemplars when the client accepts it."""
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(REGISTRY), headers={"Content-Type": content_type})
