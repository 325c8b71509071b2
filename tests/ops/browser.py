"""A headless Chromium, driven over its DevTools protocol (https://chromedevtools.github.io/devtools-protocol/).

async with Browser.start() as browser:
    page = await browser.open("http://127.0.0.1:8300/")
    page.errors        # messages of the console, what failed to load, requests to another host
"""

import asyncio
import base64
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    *("--headless=new", "--remote-debugging-port=0", "--disable-gpu", "--hide-scrollbars", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update"),
)
TIMEOUT_S = 120.0
"""A busy machine takes long to load a page."""
DOMAINS = ("Page", "Runtime", "Log", "Network")


@dataclass
class Loaded:
    """What came of opening an address."""

    url: str
    status: int
    """Of the document; 200 for a file."""
    errors: list[str] = field(default_factory=list)


def program() -> str | None:
    """Where Chromium is; `None` when it is not installed."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Browser:
    """One tab."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._session: str | None = None
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    @classmethod
    @asynccontextmanager
    async def start(cls) -> AsyncIterator["Browser"]:
        """Start Chromium with a profile of its own; stop it at the end."""
        found = program()
        assert found, "Chromium is not installed"
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            as_root = ("--no-sandbox",) if os.geteuid() == 0 else ()
            options = (*OPTIONS, f"--user-data-dir={profile}", *as_root)
            quiet = asyncio.subprocess.DEVNULL
            process = await asyncio.create_subprocess_exec(found, *options, stdout=quiet, stderr=quiet)
            try:
                address = await _address(Path(profile) / "DevToolsActivePort")
                async with (
                    aiohttp.ClientSession() as client,
                    client.ws_connect(address, max_msg_size=0) as socket,
                ):
                    browser = cls(socket)
                    reading = asyncio.create_task(browser._read())
                    try:
                        await browser._attach()
                        yield browser
                    finally:
                        reading.cancel()
            finally:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()

    async def open(self, url: str) -> Loaded:
        """Load a page, with everything that it asks for."""
        while not self._events.empty():
            self._events.get_nowait()
        await self.call("Page.navigate", url=url)
        loaded = Loaded(url, 200)
        async with asyncio.timeout(TIMEOUT_S):
            while (event := await self._events.get())["method"] != "Page.loadEventFired":
                _note(loaded, event)
        while not self._events.empty():
            _note(loaded, self._events.get_nowait())
        return loaded

    async def evaluate(self, script: str) -> Any:
        """The value of an expression in the page; a promise is awaited. The page's own policy does not hold here."""
        answer = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    async def look(self, *, width: int, height: int, dark: bool = False) -> None:
        """The size of the window, in pixels, and the colours that the reader prefers."""
        mobile = width < 600
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])

    async def screenshot(self) -> bytes:
        """What the window shows, as PNG."""
        return base64.b64decode((await self.call("Page.captureScreenshot", format="png"))["data"])

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command, and await its answer."""
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        session = {"sessionId": self._session} if self._session else {}
        await self._socket.send_json({"id": number, "method": method, "params": params, **session})
        async with asyncio.timeout(TIMEOUT_S):
            answer = await self._answers[number]
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    async def _attach(self) -> None:
        target = await self.call("Target.createTarget", url="about:blank")
        self._session = (await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True))[
            "sessionId"
        ]
        for domain in DOMAINS:
            await self.call(f"{domain}.enable")

    async def _read(self) -> None:
        async for message in self._socket:
            content = message.json()
            if "id" in content:
                self._answers.pop(content["id"]).set_result(content)
            else:
                self._events.put_nowait(content)


def _note(loaded: Loaded, event: dict[str, Any]) -> None:
    event_params = event["params"]
    match event["method"]:
        case "Log.entryAdded":
            loaded.errors.append(f"{event_params['entry']['source']}: {event_params['entry']['text']}")
        case "Runtime.exceptionThrown":
            loaded.errors.append(event_params["exceptionDetails"]["text"])
        case "Network.requestWillBeSent" if _elsewhere(loaded.url, event_params["request"]["url"]):
            loaded.errors.append(f"request to another host: {event_params['request']['url']}")
        case "Network.loadingFailed" if not event_params.get("canceled"):
            loaded.errors.append(f"not loaded: {event_params['errorText']}")
        case "Network.responseReceived" if event_params["type"] == "Document":
            loaded.status = event_params["response"]["status"] or 200
        case _:
            pass


def _elsewhere(page: str, url: str) -> bool:
    here, there = urlsplit(page), urlsplit(url)
    return there.scheme != "data" and (here.scheme, here.netloc) != (there.scheme, there.netloc)


async def _address(file: Path) -> str:
    async with asyncio.timeout(TIMEOUT_S):
        while not (found := _written_address(file)):  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.1)
    return found


def _written_address(file: Path) -> str | None:
    """The address that Chromium wrote down; `None` before it did."""
    port, line_end, path = file.read_text().partition("\n") if file.exists() else ("", "", "")
    return f"ws://127.0.0.1:{port}{path.strip()}" if line_end and path else None
