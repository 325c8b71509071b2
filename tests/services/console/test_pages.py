"""The pages of a real dataset, as a browser gets them."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientResponse, ClientSession
from typer.testing import CliRunner

from schemas.events import SolutionChecked
from schemas.item import Problem
from services.aggregator.handler import Curate
from services.cli.__main__ import app
from services.console.bundle import Bundle
from services.console.dataset_cache import DatasetCache
from services.console.server import serve
from services.console.settings import Settings
from services.console.views import percent
from shared.dataset import Dataset, Release, write_manifest
from shared.dataset.reports.wrong_keys import estimate_wrong_keys
from shared.stats.item_belief import complete_belief, row_belief
from tests.services.console.hostile import HOSTILE
from tests.services.console.reading import PAGE, PAGE_ATTRIBUTES, Read
from tests.support.items import attempt, checked, log, plan, rejected

SHORT = [text for text in HOSTILE.values() if len(text) < 90]
EVIDENCE = ("id", "problem", "answer", "answer_type", "rationale", "verdicts", "lineage")
MANY = 30
"""Rows of an ordinary kind: more than two pages of a list."""


def hostile(number: int, text: str) -> SolutionChecked:
    """A row of which every text is an attack."""
    event = checked(number, attempts=(attempt(0, "no", (text[:40],), text), attempt(1, text=text)))
    problem = Problem(statement=text, answer=text, answer_type=text[:60], rationale=text)
    item = event.item
    verdicts = tuple(
        one.with_(
            votes=tuple(vote.with_(answer=text, method=text) for vote in one.votes),
            judgement=one.judgement and one.judgement.with_(reason=text, reasons={"correct": text}),
            model=text,
        )
        for one in item.verdicts
    )
    topic = item.topic.with_(name=text, field=text, subfield=text)
    changes = {"problem": problem, "verdicts": verdicts, "topic": topic, "tier_reason": text}
    return event.with_(item=item.with_(**changes))


def doubtful(number: int) -> SolutionChecked:
    """A row of physics whose key no blind vote found."""
    event = checked(number, "physics", tier="unsolved")
    verdicts = tuple(
        one.with_(votes=tuple(vote.with_(agrees="no", answer="41") for vote in one.votes))
        for one in event.item.verdicts
    )
    return event.with_(item=event.item.with_(verdicts=verdicts))


@pytest.fixture(scope="module")
async def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows of two subjects, rows that attack the reader, rejected problems, a release in the middle."""
    folder, at = tmp_path_factory.mktemp("home"), datetime(2026, 1, 1, tzinfo=UTC)
    times: Iterator[datetime] = (at + timedelta(minutes=number) for number in range(10_000))
    sink = Curate(folder / "dataset", "test", plan(50, "mathematics", "physics"), times.__next__, print)
    await sink.open({})
    first = checked(0)
    await sink.write(log(first, doubtful(1), *(checked(number) for number in range(100, 100 + MANY))))
    versions = Dataset.open(folder / "dataset")
    pinned = Release(1, "test", "0" * 64, 10, versions.rows.version, versions.ledger.version)
    write_manifest(folder / "dataset", pinned)
    twin = rejected(2, "repeat")
    twin = twin.with_(detail=f"the same text as {first.item.id}")
    disputed = rejected(3, "key_disputed")
    attacks = (hostile(1000 + number, text) for number, text in enumerate(SHORT))
    refused = (
        rejected(2000 + number).with_(item=hostile(2000 + number, text).item, detail=text)
        for number, text in enumerate(SHORT)
    )
    await sink.write(log(twin, disputed, *attacks, *refused, incarnation="two"))
    return folder


@pytest.fixture(scope="module")
async def url(home: Path) -> AsyncIterator[str]:
    settings = Settings(dataset=home / "dataset", plan=home / "plan.yaml", console_port=0)
    async with serve(settings, lambda: None) as found:
        yield found


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


async def get(client: ClientSession, url: str, path: str, **options: Any) -> tuple[ClientResponse, Read]:
    async with client.get(url + path, **options) as answer:
        return answer, Read("" if answer.content_type == "application/pdf" else await answer.text())


async def listed(client: ClientSession, url: str, path: str) -> list[str]:
    """Ids in a list of samples and in those that follow it, each as often as it is there."""
    found = list[str]()
    while path:
        _, read = await get(client, url, path)
        found += [link.partition("?")[0][len("/samples/") :] for link in read.links if link.startswith("/samples/")]
        path = next((link for link in read.links if "after=" in link), "")
    return sorted(found)


async def test_every_link_leads_to_a_page_that_can_run_and_load_nothing(url: str, client: ClientSession) -> None:
    waiting, seen = ["/"], {"/"}
    while waiting:
        path = waiting.pop()
        answer, read = await get(client, url, path)
        assert answer.status == 200, path
        style = "'unsafe-inline'" if "/plots/" in path else "'self'"
        assert answer.headers["Content-Security-Policy"].startswith(
            f"default-src 'none'; style-src {style}; form-action"
        )
        if "/plots/" in path:
            assert answer.content_type in ("image/svg+xml", "application/pdf"), path
        elif not path.endswith(".json"):
            assert read.elements <= PAGE, path
            assert read.attributes <= PAGE_ATTRIBUTES, path
            assert read.loaded == ["/static/console.css"], path
        links = {link.partition("#")[0] for link in read.links} - {""}
        assert all(link.startswith("/") and not link.startswith("//") for link in links), path
        new = {link for link in links if urlsplit(link).path.count("/") and link not in seen}
        seen |= new
        waiting += new
    assert len(seen) > 2 * len(SHORT)


@pytest.mark.parametrize("name", [name for name, text in HOSTILE.items() if text in SHORT and "$" not in text])
async def test_a_hostile_row_is_shown_as_it_was_written(url: str, client: ClientSession, name: str) -> None:
    id_ = hostile(1000 + SHORT.index(HOSTILE[name]), "").item.id
    _, read = await get(client, url, f"/samples/{id_}")
    assert not set(read.text) & set("\x00\x07\x1b\x9b\u202e\u2066")
    assert "alert(1)" not in HOSTILE[name] or read.text.count("alert(1)") > 5


async def test_a_list_shows_each_row_once_however_it_is_paged(url: str, client: ClientSession, home: Path) -> None:
    rows = Dataset.open(home / "dataset").rows.columns("id", where="subject = 'mathematics'")
    assert await listed(client, url, "/samples?subject=mathematics") == sorted(row["id"] for row in rows)


async def test_a_list_narrowed_by_belief_has_the_rows_of_that_belief(
    url: str, client: ClientSession, home: Path
) -> None:
    rows = {row["id"]: row_belief(row) for row in Dataset.open(home / "dataset").rows.columns(*EVIDENCE)}
    low, *_, high = sorted({belief for belief in rows.values() if belief is not None})
    expected = {bound: sorted(id_ for id_, belief in rows.items() if belief == bound) for bound in (low, high)}
    assert await listed(client, url, f"/samples?belief_to={low}") == expected[low]
    assert await listed(client, url, f"/samples?belief_from={high!r}&belief_to=1") == expected[high]
    assert await listed(client, url, "/samples?belief_from=0") == sorted(rows)


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("subject=physics", 1),
        ("tier=unsolved&subject=physics", 1),
        ("q=WHAT+IS+1%3F", 1),
        ("q=100%25", 0),
        ("correct=no", 0),
        ("difficulty=medium&subject=physics", 1),
        ("admission=aside", 1),
        ("release=1&subject=mathematics", MANY + 1),
        ("release=latest&subject=physics", 1),
        ("subject=", MANY + 2 + len(SHORT)),
    ],
)
async def test_lists_are_narrowed(url: str, client: ClientSession, query: str, number: int) -> None:
    _, read = await get(client, url, f"/samples?{query}")
    assert f"{number:,} row" in read.text


async def test_a_sample_page_shows_why_the_row_is_believed(url: str, client: ClientSession, home: Path) -> None:
    id_ = str(checked(0).item.id)
    _, read = await get(client, url, f"/samples/{id_[:8]}")
    for expected in ("What is 0?", "both hit the key", "miss 41", "hit 42", "verifier-b thinks so", "lands on the key"):
        assert expected in read.text, expected
    async with client.get(f"{url}/samples/{id_}.json") as answer:
        served = await answer.json()
    printed = CliRunner().invoke(app, ["dataset", "show", id_, "--json", "--dir", str(home)])
    assert served == json.loads(printed.stdout)


async def test_a_refusal_shows_both_answers_and_the_problem_that_it_names(url: str, client: ClientSession) -> None:
    _, repeat = await get(client, url, "/rejects?reason=repeat")
    assert "The other problem" in repeat.text
    assert "What is 0?" in repeat.text
    _, disputed = await get(client, url, "/rejects?reason=key_disputed")
    for expected in ("Key · number", "found blind ×2", "Other answer", "41"):
        assert expected in disputed.text
    _, queue = await get(client, url, "/review")
    assert str(rejected(3).item.id)[:8] in queue.text


async def test_the_first_page_has_the_figures_of_dataset_stats(url: str, client: ClientSession, home: Path) -> None:
    stats = json.loads(CliRunner().invoke(app, ["dataset", "stats", "--json", "--dir", str(home)]).stdout)
    answer, read = await get(client, url, "/")
    assert answer.headers["Refresh"] == "10"
    assert "Refresh" not in (await get(client, url, "/?still=1"))[0].headers
    assert f"{stats['rows']:,} rows were played" in read.text
    assert f"{100 * stats['yield']:.1f} %" in read.text


async def test_pages_show_belief_and_the_estimated_share_of_wrong_keys(
    url: str, client: ClientSession, home: Path
) -> None:
    dataset = Dataset.open(home / "dataset")
    share = estimate_wrong_keys(dataset, None)["rows"]["sft"]
    _, factory = await get(client, url, "/")
    for expected in ("Wrong keys", *(percent(share[name]) for name in ("estimate", "low", "high"))):
        assert expected in factory.text, expected
    for event, path in ((checked(0), f"/samples/{checked(0).item.id}"), (rejected(3), "/rejects?reason=key_disputed")):
        belief = complete_belief(dataset.get(str(event.item.id)).item or event.item)
        assert belief
        assert f"belief {percent(belief.key)}" in (await get(client, url, path))[1].text


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("/samples?difficulty=awful", 400, "difficulty: 'awful' is not a bin"),
        ("/samples?after=yesterday", 400, "after: not a place in the list"),
        ("/samples?release=1;drop", 400, "release: String should match"),
        ("/samples?release=9", 404, "has no release 9"),
        (f"/samples?q={'x' * 201}", 400, "q: String should have at most 200"),
        ("/samples?belief_from=2", 400, "belief_from: Input should be less than or equal to 1"),
        ("/samples/zzz", 404, "'zzz' is not an id"),
        ("/samples/ffffffff-0000", 404, "no item in the dataset"),
        ("/prompts/abc", 404, "no prompt of this version"),
        ("/nothing", 404, "Not Found"),
        ("/static/../server.py", 404, "Not Found"),
    ],
)
async def test_an_invalid_request_gets_its_reason_and_a_next_step(
    url: str, client: ClientSession, path: str, status: int, reason: str
) -> None:
    answer, read = await get(client, url, path)
    assert answer.status == status
    assert reason in read.text
    assert "Next step" in read.text


async def test_only_reading_is_answered_and_only_under_our_own_name(url: str, client: ClientSession) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        async with client.request(method, f"{url}/samples") as answer:
            assert answer.status == 405
    answer, _ = await get(client, url, "/", headers={"Host": "evil.example"})
    assert answer.status == 421


async def test_before_the_first_row_the_pages_say_so(tmp_path: Path, client: ClientSession) -> None:
    settings = Settings(dataset=tmp_path / "dataset", plan=tmp_path / "plan.yaml", console_port=0)
    async with serve(settings, lambda: None) as url:
        answer, read = await get(client, url, "/")
        assert answer.status == 200
        assert "There is no dataset yet" in read.text
        answer, read = await get(client, url, "/samples")
        assert answer.status == 404
        assert "chimera run" in read.text


def test_a_static_site_holds_every_page_that_it_links_to(home: Path, tmp_path: Path) -> None:
    cache = DatasetCache(home / "dataset", home / "plan.yaml")
    made = list(Bundle(cache, cache.snapshot("now"), tmp_path).write())
    assert len(made) == len(set(made))
    for page in made:
        read = Read((tmp_path / page).read_text("utf-8"))
        assert read.elements <= PAGE, page
        assert read.attributes <= PAGE_ATTRIBUTES, page
        for link in (*read.links, *read.loaded):
            assert not urlsplit(link).scheme, page
            target = (tmp_path / page).parent / link.partition("#")[0]
            assert target.resolve().is_relative_to(tmp_path.resolve()), page
            assert target.exists(), f"{page}: {link}"
    release = tmp_path / "release"
    release.mkdir()
    pinned = list(Bundle(cache, cache.snapshot("latest"), release).write())
    assert sum(page.startswith("items/") for page in pinned) == MANY + 2
