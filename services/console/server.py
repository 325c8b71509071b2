"""Serves the pages: nothing but GET, no scripts, no other host.

Every answer carries a content security policy that allows this site's style sheet and nothing else; a plot may style
itself. A page is made in a
thread, so that a long search stops nobody. What a reader asks wrongly is a 400, what is not there a 404, a disk or a
log that does not answer a 503: each says what to do next.
"""

import asyncio
import ipaddress
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware

from services.console.dataset_cache import DatasetCache
from services.console.filters import DifferenceFilter, InvalidQuery, ListQuery, RejectFilter, SampleFilter, parse
from services.console.live import Find, Live
from services.console.pages import card, dead_letters, factory, prompts, rejects, releases, review, sample, samples
from services.console.settings import Settings
from services.console.views import HERE, LiveLinks, environment, page
from shared.clock import utc_now
from shared.errors import Refusal, Transient

log = logging.getLogger(__name__)

THREADS = 4
REFRESH_S = 10
"""How often the first page comes again by itself, in seconds."""
PLOT_TYPES = {"svg": "image/svg+xml", "pdf": "application/pdf"}
POLICY = ("default-src 'none'", "style-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'")
PLOT_HEADERS = {"Content-Security-Policy": "; ".join(POLICY).replace("'self'", "'unsafe-inline'", 1)}
"""matplotlib styles each element of a picture; a picture runs and loads nothing either."""
HEADERS = {
    "Content-Security-Policy": "; ".join(POLICY),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Console:
    """The handlers."""

    cache: DatasetCache
    live: Live
    templates: Any = field(default_factory=environment)
    links: LiveLinks = field(default_factory=LiveLinks)
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(THREADS, "page"))

    def routes(self) -> list[web.RouteDef]:
        """Every address."""
        return [
            web.get("/", self.factory),
            web.get("/samples", self.samples),
            web.get("/samples/{id}.json", self.sample_json),
            web.get("/samples/{id}", self.sample),
            web.get("/rejects", self.rejects),
            web.get("/dead-letters", self.dead_letters),
            web.get("/dead-letters/{id:[^/]+/[^/]+|[^/]+}", self.dead_letter),
            web.get("/review", self.review),
            web.get("/releases", self.releases),
            web.get("/releases/{release}", self.release),
            web.get("/releases/{release}/card", self.card),
            web.get("/releases/{release}/plots/{name}.{form}", self.plot),
            web.get("/difference", self.difference),
            web.get("/prompts/{hash}", self.prompt),
            web.get("/static/console.css", _style),
            web.get("/livez", _alive),
        ]

    async def factory(self, request: web.Request) -> web.Response:
        """How the run is doing. It comes again by itself, unless the reader does not want that."""
        still = "still" in request.query
        made = await self._made("factory", lambda: {**factory.show(self.cache, self.live, utc_now()), "still": still})
        if not still:
            made.headers["Refresh"] = str(REFRESH_S)
        return made

    async def samples(self, request: web.Request) -> web.Response:
        """Rows by their columns and by text."""
        query = parse(SampleFilter, request.query)
        return await self._made("samples", lambda: samples.show(self.cache, query))

    async def sample(self, request: web.Request) -> web.Response:
        """One item."""
        id_, release = request.match_info["id"], _release(request.query.get("release", "now"))
        return await self._made("sample", lambda: sample.show(self.cache, id_, release))

    async def sample_json(self, request: web.Request) -> web.Response:
        """One item as `chimera dataset show --json` has it."""
        id_ = request.match_info["id"]
        made = await self._thread(lambda: self.cache.snapshot().dataset.get(sample.checked(id_)).document())
        return web.json_response(made, dumps=_dumps)

    async def rejects(self, request: web.Request) -> web.Response:
        """What was refused."""
        query = parse(RejectFilter, request.query)
        return await self._made("rejects", lambda: rejects.show(self.cache, query))

    async def dead_letters(self, request: web.Request) -> web.Response:
        """What could not be handled."""
        query = request.query
        shown = await dead_letters.show(self.live.letters, query.get("service", ""), query.get("error", ""))
        return await self._made("dead_letters", lambda: shown)

    async def dead_letter(self, request: web.Request) -> web.Response:
        """One letter."""
        shown = await dead_letters.one(self.live.letters, request.match_info["id"])
        return await self._made("dead_letter", lambda: shown)

    async def review(self, _: web.Request) -> web.Response:
        """What is worth a look."""
        return await self._made("review", lambda: review.show(self.cache))

    async def releases(self, _: web.Request) -> web.Response:
        """Every release."""
        return await self._made("releases", lambda: releases.show(self.cache))

    async def release(self, request: web.Request) -> web.Response:
        """One release."""
        name = _release(request.match_info["release"])
        return await self._made("release", lambda: releases.release(self.cache, name))

    async def card(self, request: web.Request) -> web.Response:
        """The card of a release."""
        name = _release(request.match_info["release"])
        return await self._made("card", lambda: card.show(self.cache, name))

    async def plot(self, request: web.Request) -> web.Response:
        """One plot of a release, as a file."""
        name, form = request.match_info["name"], request.match_info["form"]
        release = _release(request.match_info["release"])
        body = await self._thread(lambda: releases.plot(self.cache, release, name, form))
        return web.Response(body=body, content_type=PLOT_TYPES[form], headers=PLOT_HEADERS)

    async def difference(self, request: web.Request) -> web.Response:
        """What changed from one version to another."""
        query = parse(DifferenceFilter, request.query)
        return await self._made("difference", lambda: releases.changes(self.cache, query))

    async def prompt(self, request: web.Request) -> web.Response:
        """The prompt behind a model call."""
        prompt_hash = request.match_info["hash"]
        return await self._made("prompt", lambda: prompts.show(prompt_hash))

    async def _made(self, name: str, show: Callable[[], Mapping[str, Any]], status: int = 200) -> web.Response:
        html = await self._thread(lambda: page(self.templates, name, self.links, show()))
        return web.Response(text=html, content_type="text/html", status=status)

    async def _thread(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.pool, work)

    @web.middleware
    async def explained(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Every failure as a page that says what to do next."""
        try:
            return await handler(request)
        except InvalidQuery as refusal:
            return await self._failed(400, refusal.message, refusal.next_step)
        except Refusal as refusal:
            return await self._failed(404, refusal.message, refusal.next_step)
        except Transient as error:
            return await self._failed(503, str(error), "Try again in a while")
        except web.HTTPException as error:
            if error.status < 400:
                raise
            return await self._failed(error.status, error.reason, "The links above lead to every page")

    async def _failed(self, status: int, why: str, next_step: str) -> web.Response:
        context = {"snapshot": None, "status": status, "why": why, "next_step": next_step}
        return await self._made("failed", lambda: context, status)


@asynccontextmanager
async def serve(settings: Settings, find: Find) -> AsyncIterator[str]:
    """Listen, and yield the address; stop at the end of the block."""
    live = Live(find, settings.factory)
    console = Console(DatasetCache(settings.dataset, settings.plan), live)
    app = web.Application(middlewares=[_guarded(_names(settings)), console.explained])
    app.add_routes(console.routes())
    app.on_response_prepare.append(_headers)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=5.0)
    following = asyncio.create_task(live.follow())
    try:
        await runner.setup()
        try:
            await web.TCPSite(runner, settings.console_host, settings.console_port).start()
        except OSError as error:
            where = f"{settings.console_host}:{settings.console_port}"
            raise Refusal(
                f"cannot listen at {where}: {error.strerror}", "Take another port; 0 is any free one"
            ) from error
        host, port = runner.addresses[0][:2]
        yield f"http://{f'[{host}]' if ':' in host else host}:{port}"
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await runner.cleanup()
        console.pool.shutdown(wait=False, cancel_futures=True)


def _names(settings: Settings) -> frozenset[str]:
    """Host names that are answered; empty: all."""
    if settings.console_names:
        return frozenset(name.strip().lower() for name in settings.console_names.split(","))
    try:
        loopback = ipaddress.ip_address(settings.console_host).is_loopback
    except ValueError:
        loopback = settings.console_host == "localhost"
    return LOCAL | {settings.console_host} if loopback else frozenset()


def _guarded(names: frozenset[str]) -> Middleware:
    """Refuse a name that is not ours: a page elsewhere could give it our address, and read what we answer."""

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        host = request.host.rpartition(":")[0] if request.host.rpartition("]")[2].count(":") else request.host
        if names and host.lower() not in names:
            return web.Response(status=421, text="This console is not called so: set CHIMERA_CONSOLE_NAMES\n")
        return await handler(request)

    return guarded


def _release(given: str) -> str:
    """The number of a release, or `latest`, or `now`."""
    return parse(ListQuery, {"release": given}).release


def _dumps(document: Any) -> str:
    return json.dumps(document, indent=2, default=str)


async def _headers(_: web.Request, response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)


async def _style(_: web.Request) -> web.StreamResponse:
    return web.FileResponse(HERE / "static" / "console.css")


async def _alive(_: web.Request) -> web.Response:
    return web.Response(text="alive\n")
