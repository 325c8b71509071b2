"""The pages that read the log: the live funnel and the dead letters."""

from collections.abc import Iterable
from pathlib import Path

from aiohttp import ClientSession

from schemas.events import Event, ProblemRequested
from services.console.server import serve
from services.console.settings import Settings
from shared.config.connections import KafkaAccess
from shared.errors import Invalid
from tests.support.kafka_world import KafkaWorld, until
from tests.support.runtime_writer import SERVICE, draft, writer

HOSTILE = '<script>alert("model")</script>'


async def test_the_pages_follow_the_log_and_show_its_dead_letters(world: KafkaWorld, tmp_path: Path) -> None:
    _, bad = requests = world.requests(2)
    kafka: KafkaAccess | None = None

    async def handle(request: ProblemRequested) -> Iterable[Event]:
        if request.id == bad.id:
            raise Invalid(HOSTILE)
        return [draft(request)]

    settings = Settings(factory=world.factory, dataset=tmp_path, plan=tmp_path / "plan.yaml", console_port=0)
    async with serve(settings, lambda: kafka) as url, ClientSession() as client:

        async def page(path: str) -> str:
            async with client.get(url + path) as answer:
                assert answer.status == 200, path
                return await answer.text()

        assert "no factory runs here" in await page("/")
        assert "No factory runs here" in await page("/dead-letters")
        kafka = KafkaAccess(world.kafka)
        await world.publish(requests)
        async with world.running(writer(world, world.settings(SERVICE), handle)):

            async def is_parked() -> bool:
                return "1 parked" in await page("/")

            await until(is_parked, "the funnel to show the parked problem", every_s=0.2)
        letters = await page("/dead-letters?error=Invalid")
        assert "1 letter" in letters
        assert HOSTILE not in letters
        (path,) = {link for link in letters.split('"') if link.startswith("/dead-letters/")}
        letter = await page(path)
        assert str(bad.id) in letter
        assert "&lt;script&gt;alert(" in letter
        assert HOSTILE not in letter
        kafka = None
