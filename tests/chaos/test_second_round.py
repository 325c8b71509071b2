"""Panel, verifiers and adjudicator killed between steps of the second round: nothing is lost, decided or paid twice."""

import signal
from collections import Counter
from functools import partial
from itertools import cycle

from deploy.local.supervisor import Stack
from tests.e2e import second_round
from tests.e2e.factory import answered
from tests.e2e.services_as_processes import Line
from tests.support.kafka_world import KafkaWorld, until

KILLS, IN_FLIGHT = 8, 4


async def kill_between_steps(world: KafkaWorld, line: Line) -> None:
    """Kill one service after the other, each time when there are further events of the second round."""
    seen = 0
    for victim, _ in zip(cycle(second_round.SERVICES), range(KILLS), strict=False):
        await until(partial(has_more_steps, world, seen), "a further step")
        assert not await second_round.all_decided(world), "the work ended before all were killed"
        line.signal(victim, signal.SIGKILL)
        seen = await second_round.count(world, *second_round.STEPS)


async def has_more_steps(world: KafkaWorld, seen: int) -> bool:
    return await second_round.count(world, *second_round.STEPS) > seen + 1


async def test_kills_between_steps_lose_nothing_and_pay_no_answer_twice(stack: Stack, world: KafkaWorld) -> None:
    short = {"in_flight": IN_FLIGHT, "session_s": 6, "lease_s": 4}
    plan, weak, others = second_round.PLAN, second_round.WEAK, second_round.OTHERS
    async with Line(stack, world, plan, second_round.SEED, weak, others, **short) as line:
        await world.publish(second_round.screened(world))
        await kill_between_steps(world, line)
        await line.inject({})
        await until(lambda: second_round.all_decided(world), "a decision on every problem", within_s=240)
    await second_round.check_each_was_decided_once(world)
    recorded = await second_round.recorded_calls(world)
    assert all(recorded.values()), "evidence without a call"
    paid = Counter(call["request"] for call in answered(line.calls))
    assert len(paid) == sum(map(len, recorded.values())), "a call that no event has, or one that two have"
    assert (paid - Counter(paid.keys())).total() <= KILLS * IN_FLIGHT
