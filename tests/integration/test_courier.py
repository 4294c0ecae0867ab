"""The courier, in this process, with real tables and a real Redis; a platform of the test's own where one is needed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from arq.worker import Retry

from bot.channels.base import Outgoing
from core.errors import InputError, QueueUnavailable, SurroundingsError
from core.kinds import Layer
from core.queue import EVENTS, Queue
from core.settings import Settings
from core.states import TurnEvent
from db import clock, outbox, turns
from db.sessions import Database
from db.turns import Save
from tests.helpers import CountingDatabase, outbox_of, post, rows, shared_metrics, turn_row
from tests.platforms import Platform, answered, due_now, make_office
from tests.stack import ANSWER
from worker.courier import Courier
from worker.render import Renderer
from worker.rounds import Rounds, beside
from worker.sending import ATTEMPTS

LEASE_S = 1.0
AWAY = "postgresql://nobody@127.0.0.1:9/nothing"


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
async def courier(database: Database, queue: Queue, tmp_path: Path, platform: Platform) -> Courier:
    return make_courier(database, queue, tmp_path, platform, 0)


def make_courier(database: Database, queue: Queue, folder: Path, platform: Platform, number: int) -> Courier:
    office, _ = make_office(database, queue, folder, platform, lease_s=LEASE_S, heartbeat_s=0.1, reconcile_s=0.1)
    return Courier(office, shared_metrics(), f"host:courier-{number}")


async def look_until_free(courier: Courier, database: Database, turn_id: UUID) -> None:
    """It frees what nobody holds, until that is the turn."""
    async with asyncio.timeout(30):
        while (await turn_row(database, turn_id))["lease_owner"] is not None:
            await courier.free()


async def states(database: Database, turn_id: UUID) -> list[str]:
    return [row["state"] for row in await outbox_of(database, turn_id)]


async def test_everything_is_sent_in_order_and_named(courier: Courier, platform: Platform, database: Database) -> None:
    first, chat = await answered(database, *ANSWER)
    second, _ = await answered(database, *ANSWER)
    await courier.send({}, chat)
    assert platform.kinds == [*ANSWER, *ANSWER]
    assert [row["external_id"] for row in await outbox_of(database, second)] == ["m4", "m5", "m6"]
    assert [(await turn_row(database, id))["state"] for id in (first, second)] == ["done", "done"]


async def test_rings_at_once_send_each_row_once(courier: Courier, platform: Platform, database: Database) -> None:
    turn_id, chat = await answered(database, *ANSWER)
    await asyncio.gather(*(courier.send({}, chat) for _ in range(8)))
    assert platform.kinds == [*ANSWER]
    assert (await turn_row(database, turn_id))["state"] == "done"


async def test_what_may_work_later_is_tried_later(courier: Courier, platform: Platform, database: Database) -> None:
    turn_id, chat = await answered(database, "text", "voice")
    platform.errors = [SurroundingsError()]
    await courier.send({}, chat)
    assert await states(database, turn_id) == ["pending", "pending"]
    assert platform.taken == []
    await due_now(database)
    await courier.send({}, chat)
    assert platform.kinds == ["text", "voice"]


async def test_after_ten_minutes_the_rest_goes_out(courier: Courier, platform: Platform, database: Database) -> None:
    turn_id, chat = await answered(database, "text", "voice")
    platform.errors = [QueueUnavailable() for _ in range(ATTEMPTS)]
    for _ in range(ATTEMPTS):
        assert platform.taken == []
        await courier.send({}, chat)
        await due_now(database)
    assert await states(database, turn_id) == ["failed", "sent"]
    assert (await turn_row(database, turn_id))["state"] == "done"


async def test_what_can_never_work_holds_nothing_up(courier: Courier, platform: Platform, database: Database) -> None:
    turn_id, chat = await answered(database, *ANSWER)
    platform.errors = [None, InputError()]
    await courier.send({}, chat)
    assert await states(database, turn_id) == ["sent", "failed", "sent"]
    assert (await outbox_of(database, turn_id))[1]["error"] == {"code": "invalid_input"}
    assert (await turn_row(database, turn_id))["state"] == "done"


async def test_a_courier_that_dies_inside_a_send_repeats_it_once(
    courier: Courier, platform: Platform, database: Database
) -> None:
    turn_id, chat = await answered(database, "text")
    inside = asyncio.Event()

    async def hang(_: object) -> None:
        inside.set()
        await asyncio.sleep(60)

    platform.during = hang
    for expected in ("pending", "unknown"):
        inside.clear()
        sending = asyncio.create_task(courier.send({}, chat))
        await inside.wait()
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending
        assert await states(database, turn_id) == ["sending"]
        await courier.start()
        assert (await states(database, turn_id))[0] == expected
    assert (await outbox_of(database, turn_id))[0]["payload"]["repeated"] is True
    assert (await turn_row(database, turn_id))["state"] == "rendered"
    platform.during = None
    await courier.send({}, chat)
    assert [row.payload["id"] for row in platform.taken] == ["notice-in-doubt"]
    assert (await turn_row(database, turn_id))["state"] == "done"


async def test_a_database_that_is_away_is_tried_again(queue: Queue, tmp_path: Path) -> None:
    database = Database(AWAY)
    office, _ = make_office(database, queue, tmp_path)
    courier = Courier(office, shared_metrics(), "c")
    with pytest.raises(Retry):
        await courier.send({}, "0d1f6a3c-7b1e-4b9e-9d3e-0c4f6a3c7b1e")
    looked = asyncio.Queue[None]()

    async def look() -> None:
        looked.put_nowait(None)

    async def crash() -> None:
        raise ValueError

    async with beside(Rounds(courier.free, courier.ring, crash, look).run(0.05)), asyncio.timeout(10):
        for _ in range(3):
            await looked.get()
    await database.close()


async def test_a_conversation_that_is_gone_is_no_error(courier: Courier) -> None:
    await courier.send({}, "0d1f6a3c-7b1e-4b9e-9d3e-0c4f6a3c7b1e")


async def test_pages_are_told_of_every_turn(courier: Courier, queue: Queue, database: Database) -> None:
    first, chat = await answered(database, "text", channel="web")
    second = await post(database, conversation_id=chat, account="bot")
    claimed = await turns.claim(database, "r", 30)
    assert claimed is not None
    await turns.save(database, claimed, Save(outbox=[{"kind": "text", "payload": {}}], event=TurnEvent.RENDER))
    heard: list[str] = []

    async def listen() -> None:
        async for message in queue.listen(EVENTS):
            heard.append(message)

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0.2)
    await courier.send({}, chat)
    await asyncio.sleep(0.2)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    assert all(any(str(turn_id) in message for message in heard) for turn_id in (first, second))


async def test_reconciling_finds_everything_that_was_dropped(
    courier: Courier, queue: Queue, database: Database, platform: Platform
) -> None:
    forgotten, _ = await answered(database, "text", chat="1")
    dropped, dropped_chat = await answered(database, "text", chat="2")
    row = await outbox.claim(database, UUID(dropped_chat), "dead", -1)
    assert row is not None
    expired = await post(database)
    await turns.claim(database, "dead", -1)
    await courier.free()
    assert (await turn_row(database, expired))["state"] == "running", "its holder has had no time to renew the lease"
    await look_until_free(courier, database, expired)
    await courier.ring()
    assert (await turn_row(database, expired))["state"] == "queued"
    assert await states(database, dropped) == ["pending"]
    assert await queue.pool.zcard("smarttalker:render") >= 1
    assert await queue.pool.zcard("smarttalker:courier") >= 2
    assert (await turn_row(database, forgotten))["state"] == "rendered"


async def test_a_send_that_takes_long_is_nobody_elses(
    courier: Courier, database: Database, queue: Queue, tmp_path: Path, platform: Platform
) -> None:
    async def slowly(_: Outgoing) -> None:
        await asyncio.sleep(3 * LEASE_S)

    platform.during = slowly
    turn_id, chat = await answered(database, "text")
    other = make_courier(database, queue, tmp_path, platform, 1)
    looks = asyncio.create_task(Rounds(other.free, other.ring).run(0.05))
    await courier.send({}, chat)
    looks.cancel()
    (row,) = await outbox_of(database, turn_id)
    assert (platform.calls, row["state"], row["attempts"]) == (1, "sent", 1)
    assert "repeated" not in row["payload"]


async def test_whoever_is_told_to_stop_finishes_the_send_under_way_and_no_more(
    courier: Courier, database: Database, queue: Queue, platform: Platform
) -> None:
    async def stop(_: Outgoing) -> None:
        courier.draining = True

    platform.during = stop
    turn_id, chat = await answered(database, *ANSWER)
    await courier.send({}, chat)
    assert await states(database, turn_id) == ["sent", "pending", "pending"]
    assert await queue.pool.zcard("smarttalker:courier") == 1, "the next one is rung for"
    await courier.send({}, chat)
    assert await states(database, turn_id) == ["sent", "pending", "pending"], "what is rung for meanwhile is not begun"


async def test_a_clock_that_was_set_back_holds_nothing_up(
    courier: Courier, database: Database, platform: Platform
) -> None:
    """As it looks afterwards: everything was written an hour ahead."""
    turn_id, chat = await answered(database, "text")
    waiting = await post(database)
    held = await post(database)
    await turns.claim(database, "dead", 3600)
    ahead = "now() + interval '1 hour'"
    await rows(database, f"UPDATE outbox SET not_before = {ahead}, created_at = {ahead} RETURNING id")
    await rows(database, f"UPDATE turns SET not_before = {ahead}, created_at = {ahead}, fair_at = {ahead} RETURNING id")
    await courier.start()
    await courier.send({}, chat)
    assert platform.kinds == ["text"]
    await look_until_free(courier, database, waiting)
    await look_until_free(courier, database, held)
    found = {(await turns.claim(database, "r", 30)).id for _ in range(2)}  # type: ignore[union-attr]
    assert found == {waiting, held}
    assert (await turn_row(database, turn_id))["state"] == "done"


async def test_a_clock_that_is_set_back_right_after_the_start_is_noticed(
    courier: Courier, database: Database, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now

    async def ahead(database: Database) -> float:
        return await now(database) + 3600

    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", ahead)
        await courier.start()
    turn_id, chat = await answered(database, "text")
    later = "now() + interval '1 hour'"
    await rows(database, f"UPDATE outbox SET not_before = {later}, created_at = {later} RETURNING id")
    await courier.free()
    await courier.send({}, chat)
    assert platform.kinds == ["text"]
    assert (await turn_row(database, turn_id))["state"] == "done"


async def test_rings_that_lie_ahead_keep_nobody_from_being_woken(
    courier: Courier, database: Database, queue: Queue
) -> None:
    """As after the clock was set back: they are heard when their hour comes again."""
    for number in range(20):
        await queue.ring_render(number, 3600.0)
    await post(database)
    await courier.ring()
    assert await queue.waiting_for_render() == 1


async def test_after_a_flush_as_many_workers_are_woken_as_there_are_turns(
    courier: Courier, database: Database, queue: Queue
) -> None:
    for _ in range(12):
        await post(database)
    for rings in (8, 8):
        await courier.ring()
        assert await queue.waiting_for_render() == rings


class Hanging(Queue):
    """A Redis that takes commands and answers none."""

    async def waiting_for_render(self) -> int:
        await asyncio.sleep(3600)
        return 0


async def test_a_redis_that_hangs_keeps_no_lease_from_being_freed(
    database: Database, queue: Queue, tmp_path: Path, platform: Platform
) -> None:
    courier = make_courier(database, Hanging(queue.pool), tmp_path, platform, 0)
    waiting, expired = await post(database), await post(database)
    assert (await turns.claim(database, "dead", -1)) is not None
    async with asyncio.timeout(30), beside(Rounds(courier.ring, courier.free).run(0.05)):
        while {(await turn_row(database, each))["state"] for each in (waiting, expired)} != {"queued"}:
            await rows(database, "SELECT pg_sleep(0.05)")


class AtOnce(Queue):
    """Rings by calling the courier itself."""

    courier: Courier
    rings: set[asyncio.Task[None]]

    async def ring_courier(self, conversation_id: object, delay_s: float = 0.0) -> None:
        self.rings.add(asyncio.create_task(self.courier.send({}, str(conversation_id))))


@pytest.fixture
async def renderer(
    database: CountingDatabase, queue: Queue, tmp_path: Path, migrated_url: str, redis_url: str
) -> AsyncIterator[tuple[Renderer, AtOnce]]:
    """A renderer with its child and a courier, in this process."""
    engines: dict[str, Any] = {layer.value: "fake" for layer in Layer}
    with pytest.MonkeyPatch.context() as patch:
        for layer in engines:
            patch.setenv(f"SMARTTALKER_{layer.upper()}", "fake")
        settings = Settings(
            _env_file=None, database_url=migrated_url, redis_url=redis_url, data_dir=tmp_path, **engines
        )
        at_once = AtOnce(queue.pool)
        metrics = shared_metrics()
        office, _ = make_office(database, at_once, tmp_path)
        at_once.courier, at_once.rings = Courier(office, metrics, "c"), set()
        renderer = Renderer(settings, database, at_once, metrics, "r")
        await renderer.start()
        yield renderer, at_once
        await renderer.close()


@pytest.mark.parametrize("said", ["hello", "A longer message of some words. With a second sentence! And a third?"])
async def test_a_turn_takes_at_most_eight_commits(
    renderer: tuple[Renderer, AtOnce], database: CountingDatabase, said: str
) -> None:
    worker, queue = renderer
    database.commits = 0
    turn_id = await post(database, said)
    await worker.look({}, "")
    await asyncio.gather(*queue.rings)
    commits = database.commits - 2  # the looks for one more turn and for a task, which found nothing
    assert (await turn_row(database, turn_id))["state"] == "done"
    assert await states(database, turn_id) == ["delivered"] * 3
    assert commits <= 8
