"""How fast is sent, over several connections to a real Redis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from bot.channels.base import Chat, Limits, Outgoing, Rates
from core.queue import Queue, opened
from core.states import OutboxState
from db.outbox import Verdict, claim
from db.sessions import Database
from tests.helpers import outbox_of, shared_metrics
from tests.platforms import Platform, answered, delayed_rings, make_office, rung
from worker.channels import Channels
from worker.courier import Courier, make_worker
from worker.fetching import Fetcher
from worker.pace import Pace
from worker.sending import Sending
from worker.tasking import Tasking

pytestmark = pytest.mark.alone


@pytest.fixture
async def paces(queue: Queue, redis_url: str) -> AsyncIterator[list[Pace]]:
    """Of two processes."""
    async with opened(redis_url) as other:
        yield [Pace(queue.pool), Pace(other.pool)]


def chat(name: str, *, group: bool = False, account: str = "bot") -> Chat:
    return Chat(name, account, group=group)


async def through(pace: Pace, where: Chat, row: int, rates: Rates, channel: str = "t") -> float:
    """Waits as long as it must; when the row went through."""
    wait = await pace.reserve(channel, where, row, rates)
    if not wait:
        return time.monotonic()
    await asyncio.sleep(wait)
    return await through(pace, where, row, rates, channel)


async def test_many_chats_flow_at_the_accounts_rate_over_all_processes(paces: list[Pace]) -> None:
    rates = Rates(account_per_s=50.0, chat_per_s=1.0)
    began = time.monotonic()
    times = await asyncio.gather(*(through(paces[n % 2], chat(str(n)), n, rates) for n in range(51)))
    assert 0.9 <= max(times) - began <= 1.6
    for start in range(10):
        within = [at for at in times if began + start / 10 <= at < began + start / 10 + 0.2]
        assert len(within) <= 14, "50 a second are 10 in a fifth of it"


async def test_who_came_first_goes_first(paces: list[Pace]) -> None:
    rates, order = Rates(account_per_s=20.0), []

    async def go(number: int) -> None:
        await through(paces[number % 2], chat(str(number)), number, rates)
        order.append(number)

    going = []
    for number in range(10):
        going.append(asyncio.create_task(go(number)))
        await asyncio.sleep(0.005)
    await asyncio.gather(*going)
    assert order == list(range(10))


async def test_a_chat_may_burst_and_then_keeps_its_rate(paces: list[Pace]) -> None:
    rates = Rates(chat_per_s=5.0, chat_burst=3)
    waits = [await paces[n % 2].reserve("t", chat("7"), n, rates) for n in range(6)]
    assert waits[:3] == [0, 0, 0]
    assert waits[3:] == pytest.approx([0.2, 0.4, 0.6], abs=0.03)
    assert await paces[0].reserve("t", chat("8"), 99, rates) == 0
    assert await paces[0].reserve("t", chat("7", account="other"), 99, rates) == 0
    assert await paces[0].reserve("u", chat("7"), 99, rates) == 0


async def test_a_place_in_the_line_is_kept(paces: list[Pace]) -> None:
    rates = Rates(chat_per_s=4.0)
    assert await paces[0].reserve("t", chat("7"), 1, rates) == 0
    first = await paces[0].reserve("t", chat("7"), 2, rates)
    second = await paces[1].reserve("t", chat("7"), 3, rates)
    again = await paces[1].reserve("t", chat("7"), 2, rates)
    assert (first, second) == (pytest.approx(0.25, abs=0.03), pytest.approx(0.5, abs=0.03))
    assert again <= first
    await asyncio.sleep(again)
    assert await paces[1].reserve("t", chat("7"), 2, rates) == 0
    assert await paces[1].reserve("t", chat("7"), 2, rates) > 0.4, "once"


async def test_a_slow_chat_takes_no_place_of_the_account_before_its_time(paces: list[Pace]) -> None:
    rates = Rates(account_per_s=10.0, chat_per_s=0.1)
    waits = [await paces[0].reserve("t", chat("slow"), n, rates) for n in range(20)]
    assert waits[1] == pytest.approx(10, abs=0.1)
    assert await paces[0].reserve("t", chat("quick"), 99, rates) <= 0.1


async def test_groups_have_a_rate_of_their_own(paces: list[Pace]) -> None:
    rates = Rates(chat_per_s=100.0, group_per_s=1.0)
    private = [await paces[0].reserve("t", chat("7"), n, rates) for n in range(3)]
    group = [await paces[0].reserve("t", chat("-7", group=True), n, rates) for n in range(10, 13)]
    assert private == pytest.approx([0, 0.01, 0.02], abs=0.01)
    assert group == pytest.approx([0, 1, 2], abs=0.05)


@pytest.mark.parametrize("whole", [True, False])
async def test_quiet_holds_for_every_process(paces: list[Pace], whole: bool) -> None:
    await paces[0].quiet("t", chat("7"), 5, whole=whole)
    await paces[1].quiet("t", chat("7"), 1, whole=whole)
    assert await paces[1].reserve("t", chat("7"), 1, Rates()) == pytest.approx(5, abs=0.1)
    other = await paces[1].reserve("t", chat("8"), 2, Rates())
    assert other == (pytest.approx(5, abs=0.1) if whole else 0)
    assert await paces[1].reserve("t", chat("7", account="other"), 3, Rates()) == 0


async def test_without_limits_nothing_waits(paces: list[Pace]) -> None:
    assert [await paces[0].reserve("t", chat("7"), n, Rates()) for n in range(50)] == [0] * 50


async def test_a_redis_that_is_away_holds_nothing_back() -> None:
    queue = Queue.lazy("redis://127.0.0.1:9/0")
    pace = Pace(queue.pool)
    await pace.quiet("t", chat("7"), 5, whole=True)
    assert await pace.reserve("t", chat("7"), 1, Rates(chat_per_s=0.01)) == 0
    await queue.close()


async def test_nothing_is_left_behind(paces: list[Pace], queue: Queue) -> None:
    rates = Rates(account_per_s=100.0, chat_per_s=50.0)
    await asyncio.gather(*(through(paces[0], chat("7"), n, rates) for n in range(5)))
    await asyncio.sleep(0.3)
    assert await queue.pool.keys("smarttalker:pace:*") == [b"smarttalker:pace:clock"]


@pytest.fixture
async def couriers(database: Database, queue: Queue, redis_url: str, tmp_path: Path) -> AsyncIterator[Any]:
    """Two whole couriers with workers of their own, on one platform."""
    platform = Platform()
    running = []
    async with AsyncExitStack() as stack:
        for number in range(2):
            mine = await stack.enter_async_context(opened(redis_url))
            office, channels = make_office(database, mine, tmp_path, platform)
            courier = Courier(office, shared_metrics(), f"host:courier-{number}")
            worker = make_worker(
                mine, courier, Tasking(office, f"host:courier-{number}"), Fetcher(office, f"host:courier-{number}")
            )
            running.append((worker, asyncio.create_task(worker.async_run())))
            stack.push_async_callback(Channels.close, channels)
        yield platform
        platform.during = None
        for worker, task in running:
            # With nothing more to do it ends by itself, in the middle of no command.
            await queue.pool.delete("smarttalker:courier")
            worker.burst = True
            await asyncio.wait_for(task, 10)


async def all_sent(platform: Platform, number: int, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while len(platform.taken) < number:
        assert time.monotonic() < deadline, f"{len(platform.taken)} of {number} within {within_s} s"
        await asyncio.sleep(0.02)


async def test_rows_of_many_chats_flow_at_the_rate_and_a_slow_chat_holds_up_nobody(
    couriers: Platform, database: Database, queue: Queue
) -> None:
    times: dict[str, list[float]] = {}

    async def note(row: Outgoing) -> None:
        times.setdefault(row.chat.id, []).append(time.monotonic())
        if row.chat.id == "slow":
            await asyncio.sleep(3)

    couriers.during = note
    couriers.limits = Limits(rates=Rates(account_per_s=25.0, chat_per_s=5.0, chat_burst=2))
    made = [await answered(database, "text", "voice", "video", chat=name) for name in ["slow", *map(str, range(24))]]
    for _, conversation in made:
        await queue.ring_courier(conversation)
    await all_sent(couriers, 72 + 1, within_s=12)
    quick = sorted(at for name, each in times.items() if name != "slow" for at in each)
    assert 72 / 25 - 0.3 <= quick[-1] - quick[0] <= 72 / 25 + 2, "72 rows at 25 a second"
    assert len(times["slow"]) <= 2
    for name, each in times.items():
        if name != "slow":
            assert each[2] - each[0] >= 0.1, "the third waits for the chat"
    assert [row["kind"] for row in await outbox_of(database, made[5][0])] == ["text", "voice", "video"]


async def test_a_row_that_must_wait_long_goes_out_when_it_is_due(
    couriers: Platform, database: Database, queue: Queue
) -> None:
    """Not at the reconciler's next beat, and without an attempt."""
    times = []

    async def note(_: Outgoing) -> None:
        times.append(time.monotonic())

    couriers.during = note
    couriers.limits = Limits(rates=Rates(chat_per_s=0.5))
    turn_id, conversation = await answered(database, "text", "voice")
    await queue.ring_courier(conversation)
    await all_sent(couriers, 2, within_s=5)
    assert times[1] - times[0] == pytest.approx(2.0, abs=0.5)
    assert [row["attempts"] for row in await outbox_of(database, turn_id)] == [1, 1]


async def test_delayed_rings_are_one_and_are_not_heard_before_their_time(queue: Queue) -> None:
    for _ in range(5):
        await queue.ring_courier("c", 10.0)
    assert await rung(queue) <= 2
    assert (await delayed_rings(queue))["c"] == pytest.approx(10.03, abs=0.1)
    await queue.ring_courier("c")
    assert await rung(queue) <= 3
    now_ms = time.time() * 1000 + 5
    assert await queue.pool.zcount("smarttalker:courier", "-inf", now_ms) == 1


async def test_a_place_that_lies_hours_ahead_is_asked_for_again_within_a_minute(
    paces: list[Pace], database: Database, queue: Queue
) -> None:
    """As after the clock was set back between the question for a place and the answer's way to the row."""
    platform = Platform(limits=Limits(rates=Rates(chat_per_s=1.0)))
    _, conversation = await answered(database, "text", chat="late")
    row = await claim(database, conversation, "host:courier-0", 30)
    assert row is not None
    ahead = (time.time() + 7200) * 1e6
    await queue.pool.set(f"smarttalker:pace:{platform.name}:{row['account']}:chat:late", f"{ahead:.0f}")
    verdict = await Sending(paces[0]).send(platform, row)
    assert verdict == Verdict(OutboxState.PENDING, delay_s=60, refund=True)
    assert not platform.taken


async def test_a_clock_that_was_set_back_keeps_nobody_waiting(paces: list[Pace], queue: Queue) -> None:
    """As it looks afterwards: whoever asked last did so in an hour that comes once more."""
    rates, ahead = Rates(account_per_s=1.0, chat_per_s=1.0), f"{(time.time() + 3600) * 1e6:.0f}"
    for name in ("clock", "t:bot:all", "t:bot:chat:a"):
        await queue.pool.set(f"smarttalker:pace:{name}", ahead)
    await queue.pool.set("smarttalker:pace:t:bot:row:7", f"1:{ahead}")
    await paces[0].quiet("t", chat("a"), 3600, whole=True)
    assert await paces[1].reserve("t", chat("a"), 7, rates) == 0
    assert 0.5 < await paces[0].reserve("t", chat("a"), 8, rates) <= 1
