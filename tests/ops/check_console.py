"""`make check-console`: a real browser on the pages of a real run, and on its static site opened from disk.

    python -m tests.ops.check_console

Needs Chromium and npm (Debian packages chromium and npm); fetches one file, axe-core, into .venv/axe. Starts a factory
in .chimera/check-console, sends it a record that no service can handle, opens every page and follows every link. It
fails on a message in the browser's console, a request to another host, a broken link or a finding of axe-core. Then it
takes the pictures of the documentation.
"""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urlsplit
from urllib.request import urlopen

from deploy.local.state_file import StateFile
from shared.config.connections import KafkaAccess
from shared.dataset import Dataset, list_manifests
from shared.kafka.clients import Producer
from shared.kafka.codec import Message
from tests.ops.browser import TIMEOUT_S, Browser, program

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
HOME = ROOT / ".chimera" / "check-console"
PLAN = ROOT / "tests" / "ops" / "console_plan.yaml"
PICTURES = ROOT / "docs" / "images"
MAX_PICTURE = 200_000
"""Bytes of a picture of the documentation."""
ROWS = 60
START_S = 120.0
RUN_S = 300.0

AXE = "axe-core@4.11.0"
AXE_SHA256 = "39bed7d72308f6d620789c169d699bfd7e8da80f65b545821a6b2215c3e83107"
RUN_AXE = "axe.run({resultTypes: ['violations']}).then(found => JSON.stringify(found.violations))"
LINKS = "JSON.stringify([...document.querySelectorAll('a[href]')].map(link => link.href))"


def missing() -> Iterator[str]:
    """Programs that this needs, with what to do."""
    if program() is None:
        yield "Chromium was not found. Next step: install it (Debian package chromium)"
    if shutil.which("npm") is None:
        yield "npm was not found. Next step: install it (Debian package npm); axe-core is fetched with it"


def axe() -> str:
    """The accessibility checker as a script, fetched once and held to its hash."""
    folder = ROOT / ".venv" / "axe"
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / f"{AXE.replace('@', '-')}.tgz"
    if not archive.exists():
        npm = str(shutil.which("npm"))
        subprocess.run([npm, "pack", "--silent", AXE], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == AXE_SHA256, f"{archive} is not {AXE}: delete it"
    with tarfile.open(archive) as packed:
        script = packed.extractfile("package/axe.min.js")
        assert script
        return script.read().decode()


async def check(home: Path) -> list[str]:
    """Everything that is wrong."""
    found: list[str] = []
    script = axe()
    async with factory(home), Browser.start() as browser, console(home) as url:
        found += await crawl(browser, url + "/", script)
        await pictures(browser, url, home)
        site = home / "site"
        shutil.rmtree(site, ignore_errors=True)
        await _chimera("console", "--bundle", str(site), "--dir", str(home))
        found += await crawl(browser, (site / "index.html").as_uri(), script)
    return found


async def crawl(browser: Browser, start: str, script: str) -> list[str]:
    """Open a page and all that it leads to; name what is wrong."""
    found: list[str] = []
    checked: set[str] = set()
    seen, waiting = {start}, deque([(start, "the start")])
    while waiting:
        url, where = waiting.popleft()
        if url.endswith(".pdf"):  # shown by an extension of the browser, whose page is not ours
            if not (await asyncio.to_thread(_fetch, url)).startswith(b"%PDF"):
                found.append(f"{url} (linked from {where}) is not a PDF")
            continue
        loaded = await browser.open(url)
        if loaded.status >= 400 or loaded.errors:
            found.append(f"{url} (linked from {where}): {loaded.status} {'; '.join(loaded.errors)}")
        path = urlsplit(url).path
        if path.endswith(".json"):
            continue
        if path not in checked:  # a list that is narrowed otherwise is the same page
            checked.add(path)
            found += [f"{url}: {violation}" for violation in await _violations(browser, script)]
        for link in json.loads(await browser.evaluate(LINKS)):
            target = urldefrag(link).url
            if not target.startswith(_origin(start)):
                found.append(f"{url} links elsewhere: {target}")
            elif target not in seen:
                seen.add(target)
                waiting.append((target, url))
        print(f"\r{len(seen) - len(waiting):,} of {len(seen):,} pages", end="", flush=True)  # noqa: T201
    print(f" of {_origin(start)}")  # noqa: T201
    return found


async def _violations(browser: Browser, script: str) -> list[str]:
    """What axe-core finds in the page that is open."""
    await browser.evaluate(script)
    violations = json.loads(await browser.evaluate(RUN_AXE))
    return [f"{one['id']} ({one['impact']}): {one['nodes'][0]['html'][:200]}" for one in violations]


async def pictures(browser: Browser, url: str, home: Path) -> None:
    """The pictures of the documentation."""
    PICTURES.mkdir(exist_ok=True)
    dataset = Dataset.open(home / "dataset")
    row = next(dataset.rows.newest("id", at="curated_at", limit=1, where="contains(problem, 'matrices')"), None)
    row = row or next(dataset.rows.newest("id", at="curated_at", limit=1))
    shots: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("console-sample", f"/samples/{row['id']}", {"width": 1120, "height": 1130}),
        ("console-factory", "/?still=1", {"width": 1120, "height": 1180}),
        ("console-rejects", "/rejects?reason=key_disputed", {"width": 1120, "height": 900, "dark": True}),
        ("console-phone", "/samples", {"width": 400, "height": 800}),
    )
    for name, path, look in shots:
        await browser.look(**look)
        await browser.open(url + path)
        picture = await browser.screenshot()
        assert len(picture) < MAX_PICTURE, f"{name}.png has {len(picture):,} bytes"
        (PICTURES / f"{name}.png").write_bytes(picture)


@asynccontextmanager
async def factory(home: Path) -> AsyncIterator[None]:
    """A factory that has made its rows and has a dead letter, still up."""
    await _chimera("up", "--plan", str(PLAN), "--rows", str(ROWS), "--dir", str(home))
    try:
        kafka = StateFile.read(home).bootstrap
        assert kafka
        producer = Producer(KafkaAccess(kafka), "chimera")
        await producer.start()
        try:
            await producer.publish([Message("problem.drafted", b"no id", b'<script>alert("no event")', [])])
        finally:
            await producer.stop()
        async with asyncio.timeout(RUN_S):
            while not _complete(home):  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(1.0)
        yield
    finally:
        await _chimera("down", "--dir", str(home))


def _complete(home: Path) -> bool:
    dataset = home / "dataset"
    return Dataset.exists(dataset) and any(one["rows"] >= ROWS for one in list_manifests(dataset))


@asynccontextmanager
async def console(home: Path) -> AsyncIterator[str]:
    """The console as a person starts it."""
    command = (str(BIN / "chimera"), "console", "--port", "0", "--dir", str(home))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    try:
        async with asyncio.timeout(START_S):
            line = (await process.stdout.readline()).decode()
        yield line.split()[0]
    finally:
        process.terminate()
        await process.wait()


async def _chimera(*arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(str(BIN / "chimera"), *arguments, stdout=asyncio.subprocess.DEVNULL)
    assert await process.wait() == 0, f"chimera {' '.join(arguments)} failed"


def _fetch(url: str) -> bytes:
    with urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310 - a link of a page, which is of the page's own site
        return bytes(answer.read())


def _origin(url: str) -> str:
    parts = urlsplit(url)
    folder = parts.path.rpartition("/")[0] if parts.scheme == "file" else ""
    return f"{parts.scheme}://{parts.netloc}{folder}/"


if __name__ == "__main__":
    wrong = list(missing()) or asyncio.run(check(HOME))
    for line in wrong:
        print(line, file=sys.stderr)  # noqa: T201
    os._exit(bool(wrong))  # a thread of Arrow may still read
